"""The sign-flip test against scipy's permutation test and by hand."""

import itertools

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from codecbench.statistics.paired import paired_differences, paired_ratio_difference
from codecbench.statistics.sign_flip import EXACT_CLUSTERS, holm, sign_flips

SUMS = st.integers(2, 9).flatmap(
    lambda count: st.lists(
        st.tuples(st.integers(-20, 20), st.integers(1, 9), st.integers(-20, 20), st.integers(1, 9)),
        min_size=count,
        max_size=count,
    )
)


def sign_flip_p_value(first, second):
    """Test one pair; its p-value needs no adjustment."""
    found = sign_flips(first[None], second[None])
    assert found.adjusted == found.p_values
    return float(found.p_values[0])


def split(sums):
    table = np.array(sums, float)
    return table[:, :2], table[:, 2:]


def ratio_gap(first, second, axis=0):
    """Pooled ratio of the first minus that of the second; complex: numerator + denominator i."""
    a, b = first.sum(axis=axis), second.sum(axis=axis)
    return a.real / a.imag - b.real / b.imag


@pytest.mark.parametrize("clusters", [2, 6, 11])
def test_all_swaps_are_those_of_scipy(clusters):
    rng = np.random.default_rng(clusters)
    errors, words = rng.poisson(4.0, (2, clusters)), rng.integers(5, 30, (2, clusters))
    expected = scipy.stats.permutation_test(
        tuple(errors + 1j * words), ratio_gap, permutation_type="samples", vectorized=True, axis=0
    )
    found = sign_flip_p_value(*(np.stack(one, axis=1) for one in zip(errors, words, strict=True)))
    # scipy doubles the smaller tail; ours counts both, and the two mirror each other.
    assert found == pytest.approx(expected.pvalue)


def test_random_swaps_agree_with_scipy_on_many_speakers():
    rng = np.random.default_rng(4)
    gaps = rng.normal(0.35, 1, 40)
    expected = scipy.stats.permutation_test(
        (gaps,), np.mean, permutation_type="samples", n_resamples=50_000, rng=rng
    )
    ones = np.ones(40)
    found = sign_flip_p_value(np.stack([gaps, ones], 1), np.stack([0 * gaps, ones], 1))
    assert found == pytest.approx(expected.pvalue, abs=0.006)


@pytest.mark.parametrize("speakers", [6, EXACT_CLUSTERS, EXACT_CLUSTERS + 1, 30])
def test_no_p_value_is_zero(speakers):
    first = np.stack([np.arange(1.0, speakers + 1), np.ones(speakers)], 1)
    found = sign_flip_p_value(first, first * [0, 1])
    assert found == pytest.approx(2 / 2**speakers, abs=2e-4)
    assert found > 0


@settings(max_examples=100)
@given(sums=SUMS)
def test_the_order_of_codecs_and_speakers_does_not_matter(sums):
    first, second = split(sums)
    p_value = sign_flip_p_value(first, second)
    assert 0 < p_value <= 1
    assert sign_flip_p_value(second, first) == pytest.approx(p_value)
    assert sign_flip_p_value(first[::-1], second[::-1]) == pytest.approx(p_value)


@settings(max_examples=50)
@given(sums=SUMS)
def test_equal_codecs_are_exchangeable(sums):
    first, _ = split(sums)
    assert sign_flip_p_value(first, first) == 1


def test_false_findings_of_ratios_are_as_rare_as_promised():
    rng = np.random.default_rng(5)
    found = 0
    for _ in range(600):
        who = np.repeat(np.arange(8), rng.integers(1, 8, 8))
        words = rng.integers(3, 30, len(who))
        hard = rng.uniform(0.05, 0.4, 8)[who]
        both = [(rng.binomial(words, hard), words) for _ in range(2)]
        p_value = paired_ratio_difference(*both, who).p_value
        found += p_value <= 0.05
    assert found / 600 < 0.07


@pytest.mark.parametrize(
    ("p_values", "expected"),
    [
        # Multiplied by 4, 3, 2, 1 from the smallest on; none falls below the one before.
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),
        ([0.02, 0.02, 0.02], [0.06, 0.06, 0.06]),
        ([0.5, 0.9], [1.0, 1.0]),
        ([0.03], [0.03]),
    ],
)
def test_holm_by_hand(p_values, expected):
    assert holm(p_values).tolist() == pytest.approx(expected)


def test_ties_of_ratios_that_differ_by_little_are_ties():
    """One error more or less in a billion: every way of swapping is counted in whole numbers."""
    extra = np.array([3, 1, 1, -1, 2, 0, 1.0])
    words = np.full(7, 1e9)
    errors = np.full(7, 3e8)
    gaps = np.array(list(itertools.product([1, -1], repeat=7))) @ extra
    expected = (abs(gaps) >= abs(extra.sum())).mean()
    found = sign_flip_p_value(np.stack([errors + extra, words], 1), np.stack([errors, words], 1))
    assert found == pytest.approx(expected)


def test_adjustment_is_step_down_max_t_by_brute_force():
    rng = np.random.default_rng(6)
    first, second = rng.normal(1, 1, (5, 7, 2)), rng.normal(0, 1, (5, 7, 2))
    first[..., 1] = second[..., 1] = 3.0
    found = sign_flips(first, second)
    gaps = (first - second)[..., 0]
    signs = np.array(list(itertools.product([1, -1], repeat=7)))
    distances = np.abs(signs @ gaps.T) / np.sqrt((gaps**2).sum(axis=1))
    seen = distances[0]
    order, expected, largest = np.argsort(-seen), np.empty(5), 0.0
    for place, pair in enumerate(order):
        farthest = distances[:, order[place:]].max(axis=1)
        largest = max(largest, float((farthest >= seen[pair] - 1e-9).mean()))
        expected[pair] = largest
    assert found.adjusted == pytest.approx(expected)


@settings(max_examples=50)
@given(seed=st.integers(0, 10_000), pairs=st.integers(1, 6))
def test_adjusted_p_values_are_never_smaller_and_keep_the_order(seed, pairs):
    rng = np.random.default_rng(seed)
    gaps = rng.normal(rng.uniform(-1, 1, (pairs, 1)), 1, (pairs, 8))
    first = np.stack([gaps, np.ones_like(gaps)], axis=-1)
    found = sign_flips(first, first * [0.0, 1.0])
    assert (found.adjusted >= found.p_values - 1e-12).all()
    assert (found.adjusted <= 1).all()
    distances = np.abs(gaps.sum(axis=1)) / np.sqrt((gaps**2).sum(axis=1))
    assert (np.diff(found.adjusted[np.argsort(-distances)]) >= 0).all()


def test_many_pairs_do_not_exhaust_few_speakers():
    """By Holm's bound 231 pairs times 2 / 2^13 is above 5 %, however large the differences."""
    rng = np.random.default_rng(9)
    values = np.arange(22.0)[:, None] + rng.normal(0, 0.1, (22, 13))
    parts = np.stack([values, np.ones_like(values)], axis=-1)
    pairs = list(itertools.combinations(range(22), 2))
    found = paired_differences(parts, pairs, np.arange(13), pooled=False)
    assert all(one.is_finding for one in found)


def test_one_false_finding_among_many_is_as_rare_as_promised():
    rng = np.random.default_rng(10)
    pairs = list(itertools.combinations(range(5), 2))
    found = 0
    for _ in range(300):
        who = np.repeat(np.arange(9), rng.integers(1, 5, 9))
        values = rng.normal(size=(5, len(who))) + rng.normal(size=(5, 9))[:, who]
        parts = np.stack([values, np.ones_like(values)], axis=-1)
        each = paired_differences(parts, pairs, who, pooled=False)
        found += min(one.adjusted for one in each) < 0.05
    assert found / 300 < 0.08
