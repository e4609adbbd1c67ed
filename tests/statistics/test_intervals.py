"""Intervals of means and pooled ratios: closed forms, another implementation, coverage, laws."""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from codecbench.statistics.clusters import clusters_of
from codecbench.statistics.intervals import Interval, mean_interval, ratio_interval


def test_one_utterance_has_no_interval():
    assert mean_interval([3.5], ["a"]) == Interval(3.5, None, None, 1, 1, "none")


def test_one_speaker_is_the_t_interval_over_utterances():
    values = np.array([1.0, 2.0, 4.0, 4.5, 7.0])
    interval = mean_interval(values, ["a"] * 5)
    expected = scipy.stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert interval.method == "within one speaker"
    assert interval.speakers == 1
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high))


def test_few_balanced_speakers_are_the_t_interval_over_speaker_means():
    values = np.random.default_rng(5).normal(size=(7, 4))
    interval = mean_interval(values.ravel(), np.repeat(np.arange(7), 4))
    expected = scipy.stats.ttest_1samp(values.mean(axis=1), 0).confidence_interval(0.95)
    assert interval.method == "speaker t"
    assert (interval.utterances, interval.speakers) == (28, 7)
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high))


def test_two_speakers_by_hand():
    # Means 1 and 3: standard error 1, t(1 df) = 12.7062.
    interval = mean_interval([1.0, 1.0, 3.0, 3.0], ["a", "a", "b", "b"])
    assert interval.value == 2
    assert interval.high == pytest.approx(2 + 12.706204736432095)


def test_unequal_speakers_are_the_clustered_regression_on_a_constant():
    """CV3 from residuals, e' (I - H)^-1, without leaving anything out (MacKinnon et al. 2023)."""
    rng = np.random.default_rng(8)
    sizes = np.array([1, 2, 9, 4, 4, 12])
    who = np.repeat(np.arange(6), sizes)
    values = rng.normal(size=6)[who] + rng.normal(size=len(who))
    total, residuals, meat = len(who), values - values.mean(), 0.0
    for speaker in range(6):
        hat = np.full((sizes[speaker], sizes[speaker]), 1 / total)
        own = np.linalg.solve(np.eye(sizes[speaker]) - hat, residuals[who == speaker])
        meat += own.sum() ** 2
    error = math.sqrt(5 / 6 * meat) / total
    interval = mean_interval(values, who)
    freedom = clusters_of(who).degrees_of_freedom
    half = scipy.stats.t.ppf(0.975, freedom) * error
    assert (interval.value - interval.low, interval.high - interval.value) == pytest.approx(
        (half, half)
    )


def test_unbalanced_ratio_equals_a_jackknife_written_out():
    rng = np.random.default_rng(8)
    speakers = rng.integers(0, 9, 60)
    errors, words = rng.poisson(2, 60).astype(float), rng.integers(3, 30, 60).astype(float)
    value = errors.sum() / words.sum()
    changes = []
    for speaker in range(9):
        kept = [index for index in range(60) if speakers[index] != speaker]
        changes.append(sum(errors[kept]) / sum(words[kept]) - value)
    error = math.sqrt(8 / 9 * sum(change**2 for change in changes))
    half = scipy.stats.t.ppf(0.975, clusters_of(speakers).degrees_of_freedom) * error
    interval = ratio_interval(errors, words, speakers)
    assert interval.value == pytest.approx(value)
    assert interval.high - interval.value == pytest.approx(half)
    assert interval.value - interval.low == pytest.approx(half)


samples = st.integers(1, 30).flatmap(
    lambda speakers: st.lists(
        st.tuples(st.floats(-100, 100, width=32), st.integers(0, speakers - 1)),
        min_size=2,
        max_size=60,
    )
)


@settings(max_examples=60, deadline=None)
@given(samples, st.floats(-50, 50), st.floats(0.1, 10))
def test_shift_and_scale_carry_over(sample, shift, scale):
    values, speakers = np.array([v for v, _ in sample]), [s for _, s in sample]
    one, other = mean_interval(values, speakers), mean_interval(scale * values + shift, speakers)
    expected = [scale * x + shift for x in (one.value, one.low, one.high)]
    assert [other.value, other.low, other.high] == pytest.approx(expected, abs=1e-6, rel=1e-6)


@settings(max_examples=60, deadline=None)
@given(samples)
def test_sign_turns_the_interval_round(sample):
    values, speakers = np.array([v for v, _ in sample]), [s for _, s in sample]
    one, other = mean_interval(values, speakers), mean_interval(-values, speakers)
    assert [other.low, other.high] == pytest.approx([-one.high, -one.low], abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(samples, st.randoms(use_true_random=False))
def test_order_of_rows_does_not_matter(sample, random):
    shuffled = list(sample)
    random.shuffle(shuffled)
    one, other = (mean_interval(*zip(*rows, strict=True)) for rows in (sample, shuffled))
    assert [one.value, one.low, one.high] == pytest.approx(
        [other.value, other.low, other.high], abs=1e-9
    )
    assert one.method == other.method


@settings(max_examples=40, deadline=None)
@given(samples)
def test_the_value_lies_inside_and_more_confidence_is_wider(sample):
    values, speakers = zip(*sample, strict=True)
    narrow, wide = (mean_interval(values, speakers, level) for level in (0.8, 0.95))
    slack = 1e-9
    assert wide.low - slack <= narrow.low <= narrow.high <= wide.high + slack
    if wide.method != "speaker bootstrap":
        assert wide.low - slack <= wide.value <= wide.high + slack


def test_a_constant_has_a_width_of_zero():
    for speakers in (1, 5, 25):
        interval = mean_interval([12.0] * 50, [index % speakers for index in range(50)])
        assert (interval.low, interval.high) == pytest.approx((12, 12))


def test_the_same_call_gives_the_same_bits():
    rng = np.random.default_rng(0)
    values, speakers = rng.normal(size=200), rng.integers(0, 40, 200)
    assert mean_interval(values, speakers) == mean_interval(values, speakers)


def test_clipping_to_bounds_keeps_the_value():
    interval = Interval(0.99, 0.95, 1.03, 9, 9, "speaker t").clipped((0, 1))
    assert (interval.value, interval.low, interval.high) == (0.99, 0.95, 1)


def test_names_of_speakers_must_match_the_utterances():
    with pytest.raises(ValueError, match="3 utterances, but 2 names"):
        mean_interval([1.0, 2.0, 3.0], [0, 1])


@pytest.mark.parametrize(
    ("numerators", "denominators", "reason"),
    [([], [], "one number"), ([math.nan], [1], "finite"), ([1], [0], "above zero")],
)
def test_unusable_numbers_are_refused(numerators, denominators, reason):
    with pytest.raises(ValueError, match=reason):
        ratio_interval(numerators, denominators, [0] * len(numerators))
