"""The bootstrap against scipy's, against a bootstrap-t written out, and where data are scarce."""

import math

import numpy as np
import pytest
import scipy.stats

from codecbench.statistics.bootstrap import bootstrap_t_estimates, percentile_estimate
from codecbench.statistics.intervals import mean_interval, ratio


def unequal_sums():
    rng = np.random.default_rng(2)
    sizes = rng.integers(1, 9, 30)
    totals = [rng.normal() * size + rng.exponential(size=size).sum() for size in sizes]
    return np.stack([totals, sizes], axis=1)


def test_expanded_percentiles_agree_with_scipys_bootstrap():
    sums = unequal_sums()
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
    found = percentile_estimate(sums, ratio)
    width = expected.high - expected.low
    assert found.low == pytest.approx(expected.low, abs=0.03 * width)
    assert found.high == pytest.approx(expected.high, abs=0.03 * width)


def test_one_utterance_a_speaker_agrees_with_scipys_bca():
    """BCa and bootstrap-t differ by terms of the second order only (Efron & Tibshirani)."""
    values = np.random.default_rng(5).gamma(2.0, size=200)
    expected = scipy.stats.bootstrap(
        (values,), np.mean, method="BCa", n_resamples=20_000, rng=3
    ).confidence_interval
    found = mean_interval(values, np.arange(200))
    width = expected.high - expected.low
    assert found.low == pytest.approx(expected.low, abs=0.05 * width)
    assert found.high == pytest.approx(expected.high, abs=0.08 * width)


def test_bootstrap_t_written_out_speaker_by_speaker():
    sums, rng, quotients = unequal_sums(), np.random.default_rng(7), []
    for _ in range(20_000):
        drawn = sums[rng.integers(0, 30, 30)]
        mean = drawn[:, 0].sum() / drawn[:, 1].sum()
        error = math.sqrt(((drawn[:, 0] - mean * drawn[:, 1]) ** 2).sum()) / drawn[:, 1].sum()
        quotients.append((mean - float(ratio(sums.sum(axis=0)))) / error)
    value = float(ratio(sums.sum(axis=0)))
    error = math.sqrt(((sums[:, 0] - value * sums[:, 1]) ** 2).sum()) / sums[:, 1].sum()
    low, high = (value - error * np.quantile(quotients, tail) for tail in (0.975, 0.025))
    (found,) = bootstrap_t_estimates(sums[None], (1.0,))
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.04 * (high - low))


def test_the_longer_tail_of_skewed_data_is_the_longer_side():
    values = np.random.default_rng(3).lognormal(sigma=1, size=30)
    found = mean_interval(values, np.arange(30))
    assert found.high - found.value > 1.3 * (found.value - found.low)


def test_a_difference_of_two_ratios_with_one_constant_is_the_other():
    sums = unequal_sums()
    constant = np.stack([2 * sums[:, 1], sums[:, 1]], axis=1)
    (alone,) = bootstrap_t_estimates(sums[None], (1.0,))
    (found,) = bootstrap_t_estimates(np.hstack([sums, constant])[None], (1.0, -1.0))
    shifted = [end - 2 for end in (alone.value, alone.low, alone.high)]
    assert [found.value, found.low, found.high] == pytest.approx(shifted)


def test_one_speaker_with_errors_among_many_without_keeps_a_finite_interval():
    """Most resamples hold one value only; their standard error is zero."""
    (found,) = bootstrap_t_estimates(
        np.stack([np.eye(1, 25)[0], np.full(25, 50.0)], axis=1)[None], (1.0,)
    )
    assert found.low <= found.value < found.high < 0.05


def test_digits_that_all_share_are_not_lost():
    values = np.random.default_rng(4).normal(size=40)
    near, far = mean_interval(values, np.arange(40)), mean_interval(values + 1e6, np.arange(40))
    assert far.high - 1e6 == pytest.approx(near.high, abs=1e-7)
