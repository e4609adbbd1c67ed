"""Rankings: against paired differences, under permutation, and how often ranks are covered."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codecbench.statistics.paired import paired_differences
from codecbench.statistics.ranking import rank

SEEDS = st.integers(0, 10_000)


def scores(rng, qualities, speakers=10, utterances=3, spread=0.1):
    """Return parts of codecs of given quality, and the speakers; speakers like codecs unequally."""
    who = np.repeat(np.arange(speakers), utterances)
    common = rng.normal(0, 0.5, len(who))
    likes = rng.normal(0, spread, (len(qualities), speakers))[:, who]
    values = np.array(qualities)[:, None] + common + likes
    values += rng.normal(0, spread, values.shape)
    return np.stack([values, np.ones_like(values)], axis=-1), who


def test_verdicts_are_those_of_all_pairs_together():
    parts, who = scores(np.random.default_rng(2), [3.0, 2.0, 1.95, 1.0])
    found = rank(parts, who, better="higher")
    pairs = [(a, b) for a in range(4) for b in range(a + 1, 4)]
    each = paired_differences(parts, pairs, who, pooled=False)
    for (a, b), one in zip(pairs, each, strict=True):
        assert found.differences[a, b] == one
        assert found.verdicts[a, b] == one.is_finding * np.sign(one.interval.value)
    assert found.order == [0, 1, 2, 3]
    assert found.counts == [(3, 0, 0), (1, 1, 1), (1, 1, 1), (0, 0, 3)]
    assert found.ranks == [(1, 1), (2, 3), (2, 3), (4, 4)]


def test_lower_is_better_turns_everything_round():
    parts, who = scores(np.random.default_rng(3), [3.0, 2.0, 1.0])
    up, down = (rank(parts, who, better=better) for better in ("higher", "lower"))
    assert (up.verdicts == -down.verdicts).all()
    assert up.order == down.order[::-1]


def test_pooled_ratios():
    rng = np.random.default_rng(4)
    who, words = np.repeat(np.arange(9), 4), rng.integers(5, 20, 36)
    errors = np.stack([rng.binomial(words, share) for share in (0.1, 0.5)])
    parts = np.stack([errors, np.broadcast_to(words, errors.shape)], axis=-1).astype(float)
    found = rank(parts, who, better="lower", pooled=True)
    assert found.values == pytest.approx(errors.sum(axis=1) / words.sum())
    assert found.ranks == [(1, 1), (2, 2)]


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, codecs=st.integers(1, 5))
def test_order_of_codecs_does_not_matter_and_ranks_hold_the_order(seed, codecs):
    rng = np.random.default_rng(seed)
    parts, who = scores(rng, rng.normal(0, 0.2, codecs))
    found = rank(parts, who, better="higher")
    assert (found.verdicts == -found.verdicts.T).all()
    for place, codec in enumerate(found.order, start=1):
        low, high = found.ranks[codec]
        assert 1 <= low <= place <= high <= codecs
        assert sum(found.counts[codec]) == codecs - 1
    turned = rng.permutation(codecs)
    again = rank(parts[turned], who, better="higher")
    assert (again.verdicts == found.verdicts[np.ix_(turned, turned)]).all()


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS)
def test_ranks_are_those_of_all_orders_that_the_verdicts_allow(seed):
    rng = np.random.default_rng(seed)
    parts, who = scores(rng, rng.normal(0, 0.2, 5))
    found = rank(parts, who, better="higher")
    allowed = [
        order
        for order in itertools.permutations(range(5))
        if all(found.verdicts[a, b] >= 0 for a, b in itertools.combinations(order, 2))
    ]
    for codec, ranks in enumerate(found.ranks):
        places = [order.index(codec) + 1 for order in allowed]
        assert ranks == (min(places), max(places))


def test_ten_speakers_decide_none_of_28_pairs_by_holm():
    """No p-value is below 2 / 2^10, and 28 times that is above 5 %."""
    parts, who = scores(np.random.default_rng(1), np.arange(8.0), speakers=10)
    assert rank(parts, who, better="higher").ranks == [(8 - at, 8 - at) for at in range(8)]
    assert rank(parts, who, better="higher", adjust="holm").ranks == [(1, 8)] * 8


def test_true_ranks_are_covered_as_often_as_promised():
    rng = np.random.default_rng(8)
    qualities = [1.0, 1.1, 1.12, 1.3]  # worst to best
    covered = 0
    for _ in range(150):
        parts, who = scores(rng, qualities, speakers=12, utterances=2)
        ranks = rank(parts, who, better="higher").ranks
        covered += all(low <= 4 - n <= high for n, (low, high) in enumerate(ranks))
    assert covered / 150 > 0.92
