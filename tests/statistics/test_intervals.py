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


def test_unbalanced_ratio_equals_a_jackknife_written_out():
    rng = np.random.default_rng(8)
    speakers = rng.integers(0, 9, 60)
    errors, words = rng.poisson(2, 60).astype(float), rng.integers(3, 30, 60).astype(float)
    left_out = []
    for speaker in range(9):
        kept = [index for index in range(60) if speakers[index] != speaker]
        left_out.append(sum(errors[kept]) / sum(words[kept]))
    mean = sum(left_out) / 9
    half = scipy.stats.t.ppf(0.975, 8) * math.sqrt(8 / 9 * sum((x - mean) ** 2 for x in left_out))
    interval = ratio_interval(errors, words, speakers)
    assert interval.value == pytest.approx(errors.sum() / words.sum())
    assert interval.high - interval.value == pytest.approx(half)
    assert interval.value - interval.low == pytest.approx(half)


def test_many_speakers_agree_with_scipys_bootstrap():
    rng = np.random.default_rng(2)
    sizes = rng.integers(1, 9, 30)
    speakers = np.repeat(np.arange(30), sizes)
    values = rng.exponential(size=len(speakers)) + np.repeat(rng.normal(size=30), sizes)
    sums = clusters_of(speakers).sums(np.stack([values, np.ones(len(values))], axis=1))
    reach = math.sqrt(30 / 29) * scipy.stats.t.ppf(0.975, 29)
    expected = scipy.stats.bootstrap(
        (sums[:, 0], sums[:, 1]),
        lambda total, count, axis: total.sum(axis=axis) / count.sum(axis=axis),
        paired=True,
        vectorized=True,
        method="percentile",
        n_resamples=20_000,
        confidence_level=1 - 2 * scipy.stats.norm.cdf(-reach),
        rng=3,
    ).confidence_interval
    interval = mean_interval(values, speakers)
    width = expected.high - expected.low
    assert interval.method == "speaker bootstrap"
    assert interval.low == pytest.approx(expected.low, abs=0.03 * width)
    assert interval.high == pytest.approx(expected.high, abs=0.03 * width)


@pytest.mark.parametrize(("speakers", "least"), [(5, 0.92), (13, 0.925), (40, 0.92)])
def test_coverage_over_speakers(speakers, least):
    """The true mean lies inside in about 95 % of experiments (unequal numbers of utterances)."""
    rng = np.random.default_rng(speakers)
    inside = 0
    for _ in range(800):
        sizes = rng.integers(2, 15, speakers)
        who = np.repeat(np.arange(speakers), sizes)
        values = np.repeat(rng.normal(size=speakers), sizes) + rng.normal(size=len(who))
        interval = mean_interval(values, who)
        inside += interval.low <= 0 <= interval.high
    assert least <= inside / 800 <= 0.975


def test_coverage_within_one_speaker():
    rng = np.random.default_rng(1)
    found = [mean_interval(rng.normal(size=12), np.zeros(12)) for _ in range(1500)]
    inside = np.mean([interval.low <= 0 <= interval.high for interval in found])
    assert 0.935 <= inside <= 0.965


def test_ignoring_speakers_would_not_cover():
    """Why speakers are drawn: utterances as if independent give far too narrow intervals."""
    rng = np.random.default_rng(4)
    inside = 0
    for _ in range(300):
        values = np.repeat(rng.normal(size=30), 10) + 0.3 * rng.normal(size=300)
        interval = mean_interval(values, np.arange(300))
        inside += interval.low <= 0 <= interval.high
    assert inside / 300 < 0.7


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


@pytest.mark.parametrize(
    ("numerators", "denominators", "reason"),
    [([], [], "one number"), ([math.nan], [1], "finite"), ([1], [0], "above zero")],
)
def test_unusable_numbers_are_refused(numerators, denominators, reason):
    with pytest.raises(ValueError, match=reason):
        ratio_interval(numerators, denominators, [0] * len(numerators))
