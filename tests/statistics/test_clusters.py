"""Clusters: sums, degrees of freedom, and more speakers than are kept apart."""

import numpy as np
import pytest

from codecbench.statistics.clusters import MOST_CLUSTERS, clusters_of
from codecbench.statistics.intervals import mean_interval
from codecbench.statistics.paired import paired_difference


def test_equal_speakers_have_one_degree_of_freedom_less_than_they_are():
    for speakers in (2, 5, 13):
        found = clusters_of(np.repeat(np.arange(speakers), 4)).degrees_of_freedom
        assert found == pytest.approx(speakers - 1)


@pytest.mark.parametrize("sizes", [[1, 9], [1, 1, 8], [1, 1, 1, 4, 7, 7, 8], [30, 1, 1, 1, 1, 1]])
def test_degrees_of_freedom_are_satterthwaites(sizes):
    """2 mean² / variance of the variance's estimate, from its quadratic form written out."""
    shares = np.array(sizes) / sum(sizes)
    residuals = np.eye(len(sizes)) - shares
    form = residuals.T @ np.diag((shares / (1 - shares)) ** 2) @ residuals
    mean, variance = np.trace(form), 2 * np.trace(form @ form)
    found = clusters_of(np.repeat(np.arange(len(sizes)), sizes)).degrees_of_freedom
    assert found == pytest.approx(2 * mean**2 / variance)
    assert 1 - 1e-9 <= found <= len(sizes) - 1 + 1e-9


def test_more_speakers_than_are_kept_apart_are_joined_to_groups():
    count = 3 * MOST_CLUSTERS + 7
    clusters = clusters_of(np.arange(count))
    assert clusters.speakers == count
    assert set(clusters.sizes) == {3, 4}
    assert clusters.sums(np.ones((count, 1))).sum() == count


@pytest.mark.parametrize("speakers", [1, 20_000])
def test_groups_tell_the_same_as_speakers(speakers):
    rng = np.random.default_rng(1)
    values, who = rng.normal(0.01, 1, 20_000), np.arange(20_000) % speakers
    interval = mean_interval(values, who)
    error = values.std(ddof=1) / np.sqrt(len(values))
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * error, rel=0.08)
    assert interval.speakers == speakers
    found = paired_difference(values, np.zeros(20_000), who)
    assert 0 < found.p_value <= 1
