"""Paired differences."""

import math

import numpy as np
import pytest
import scipy.stats

from codecbench.statistics.intervals import ratio_interval
from codecbench.statistics.paired import (
    paired_difference,
    paired_differences,
    paired_ratio_difference,
)
from codecbench.statistics.sign_flip import holm


def test_balanced_speakers_are_the_paired_t_test_of_speaker_means():
    rng = np.random.default_rng(3)
    first, second = rng.normal(size=(8, 5)), rng.normal(0.4, 1, size=(8, 5))
    found = paired_difference(first.ravel(), second.ravel(), np.repeat(np.arange(8), 5))
    expected = scipy.stats.ttest_rel(first.mean(axis=1), second.mean(axis=1))
    bounds = expected.confidence_interval(0.95)
    assert (found.interval.low, found.interval.high) == pytest.approx((bounds.low, bounds.high))
    assert found.excludes_zero == (expected.pvalue < 0.05)


def test_pairing_finds_what_overlapping_intervals_hide():
    rng = np.random.default_rng(6)
    speakers = np.repeat(np.arange(25), 4)
    common = np.repeat(rng.normal(size=25), 4)
    first, second = common + 0.05, common + rng.normal(0, 0.01, 100)
    assert paired_difference(first, second, speakers).excludes_zero


def test_swapping_turns_the_sign():
    rng = np.random.default_rng(7)
    a, b, speakers = rng.normal(size=60), rng.normal(size=60), rng.integers(0, 30, 60)
    one, other = paired_difference(a, b, speakers), paired_difference(b, a, speakers)
    assert one.p_value == pytest.approx(other.p_value)
    assert one.interval.low == pytest.approx(-other.interval.high)


def test_equal_scores_are_a_tie():
    values = np.random.default_rng(0).normal(size=50)
    found = paired_difference(values, values + 1e-16, np.arange(50))
    assert found.p_value == 1
    assert not found.excludes_zero


def test_a_constant_gap_is_certain():
    values = np.arange(10.0)
    found = paired_difference(values + 1, values, np.arange(10) % 5)
    assert found.p_value == 2 / 2**5
    assert found.excludes_zero


def test_one_utterance_decides_nothing():
    found = paired_difference([1.0], [2.0], [0])
    assert found.p_value is None
    assert not found.excludes_zero


@pytest.mark.parametrize("speakers", [1, 6, 30])
def test_pooled_differences_are_differences_of_pooled_ratios(speakers):
    rng = np.random.default_rng(speakers)
    who = np.arange(90) % speakers
    words = rng.integers(2, 20, 90)
    first, second = rng.poisson(2, 90), rng.poisson(3, 90)
    found = paired_ratio_difference((first, words), (second, words), who)
    parts = [ratio_interval(errors, words, who).value for errors in (first, second)]
    assert found.interval.value == pytest.approx(parts[0] - parts[1])
    assert found.interval.low < found.interval.value < found.interval.high


def test_equal_denominators_make_the_pooled_and_the_mean_form_one():
    rng = np.random.default_rng(9)
    who = rng.integers(0, 12, 80)
    first, second = rng.normal(size=80), rng.normal(size=80)
    fours = np.full(80, 4.0)
    pooled = paired_ratio_difference((4 * first, fours), (4 * second, fours), who)
    mean = paired_difference(first, second, who)
    assert pooled.p_value == pytest.approx(mean.p_value)
    assert pooled.interval.high == pytest.approx(mean.interval.high)


def test_false_findings_are_as_rare_as_promised():
    rng = np.random.default_rng(12)
    found = 0
    for _ in range(800):
        who = np.repeat(np.arange(13), rng.integers(2, 10, 13))
        gaps = np.repeat(rng.normal(size=13), np.bincount(who)) + rng.normal(size=len(who))
        found += paired_difference(gaps, np.zeros(len(who)), who).p_value < 0.05
    assert found / 800 < 0.075


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_score_that_is_not_finite_is_refused_among_many(bad):
    parts = np.ones((3, 8, 2))
    parts[:, :, 0] = np.random.default_rng(0).normal(size=(3, 8))
    parts[1, 5, 0] = bad
    with pytest.raises(ValueError, match="finite"):
        paired_differences(parts, [(0, 1), (0, 2)], np.arange(8), pooled=False)


@pytest.mark.parametrize("speakers", [8, 30])
def test_equal_ratios_of_different_parts_are_a_tie(speakers):
    """One codec's bits and seconds are both three times the other's: rounding decides nothing."""
    who = np.arange(60) % speakers
    words = np.random.default_rng(2).integers(3, 30, 60).astype(float)
    found = paired_ratio_difference((0.1 * words, words), (0.3 * words, 3 * words), who)
    assert found.p_value == 1
    assert not found.excludes_zero


def test_the_detectable_difference_is_found_four_times_in_five():
    rng, found = np.random.default_rng(8), 0
    who = np.repeat(np.arange(13), 3)
    # The error of 13 speakers' mean, of unit variance and utterances of unit variance.
    true = (scipy.stats.t.ppf(0.975, 12) + scipy.stats.t.ppf(0.8, 12)) * math.sqrt((1 + 1 / 3) / 13)
    for _ in range(500):
        gaps = true + rng.normal(size=13)[who] + rng.normal(size=39)
        found += paired_difference(gaps, np.zeros(39), who).excludes_zero
    assert found / 500 == pytest.approx(0.8, abs=0.06)


def test_holm_is_the_bound_of_holm():
    rng = np.random.default_rng(3)
    parts = np.ones((3, 10, 2))
    parts[:, :, 0] = rng.normal(np.array([[0.0], [0.5], [2.0]]), 1, (3, 10))
    pairs = [(0, 1), (0, 2), (1, 2)]
    found = paired_differences(parts, pairs, np.arange(10), pooled=False, adjust="holm")
    p_values = [one.p_value for one in found]
    assert [one.adjusted for one in found] == pytest.approx(holm(p_values).tolist())
    assert p_values == [
        one.p_value for one in paired_differences(parts, pairs, np.arange(10), pooled=False)
    ]


def test_unpaired_input_is_refused():
    with pytest.raises(ValueError, match="same utterances"):
        paired_difference([1.0, 2.0], [1.0], [0, 0])
    with pytest.raises(ValueError, match="finite"):
        paired_difference([math.nan], [1.0], [0])
    with pytest.raises(ValueError, match="same utterances"):
        paired_ratio_difference(([1], [1]), ([1, 2], [1, 1]), [0])
