"""Rows that vary together, and the t interval from leaving out one cluster at a time.

A mean, a pooled ratio and the difference of two of them are all smooth functions of a few sums.
With those sums kept per cluster (speaker), leaving out or redrawing whole speakers costs no pass
over the utterances.

Sources: MacKinnon, Nielsen & Webb (2023), "Fast and reliable jackknife and bootstrap methods for
cluster-robust inference" (CV3, the delete-one-cluster variance); Bell & McCaffrey (2002), "Bias
reduction in standard errors for linear regression with multi-stage samples", and Imbens & Kolesár
(2016), "Robust standard errors in small samples: some practical advice" (degrees of freedom by
Satterthwaite's approximation, which unequal clusters need).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Statistic = Callable[[Array], Array]
"""Maps sums of shape (..., k) to values of shape (...)."""

LEVEL = 0.95
"""Confidence level of every interval."""
SEED = 20_240_229
ROUNDING = 1e-12
"""Relative differences below this are rounding, not a finding."""
MOST_CLUSTERS = 2_000
"""More are joined at random to this many, which bounds time and memory of redrawing them."""


@dataclass(frozen=True)
class Estimate:
    """A value and its interval.

    Parameters
    ----------
    value, low, high : float
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Clusters:
    """Which rows vary together.

    Parameters
    ----------
    codes : array of int, shape (rows,)
        Cluster of each row, counted from 0.
    sizes : array, shape (clusters,)
        Rows of each cluster.
    speakers : int
    """

    codes: npt.NDArray[np.int64]
    sizes: Array
    speakers: int

    def sums(self, parts: npt.ArrayLike) -> Array:
        """Sum rows, shape (rows, k), over clusters, shape (clusters, k)."""
        columns = np.asarray(parts, np.float64).T
        if columns.shape[1:] != self.codes.shape:
            rows, speakers = columns.shape[1], len(self.codes)
            raise ValueError(f"{rows} utterances, but {speakers} names of speakers")
        count = len(self.sizes)
        return np.stack([np.bincount(self.codes, column, count) for column in columns], axis=1)

    @functools.cached_property
    def degrees_of_freedom(self) -> float:
        """Of the delete-one-cluster variance; clusters - 1 if all are equally large.

        Few large clusters among small ones tell less about the variance than their number says.
        By Satterthwaite's approximation, a chi-square of these degrees of freedom has mean and
        variance of the variance's estimate, were the clusters' means independent, normal and
        equally variable, which is nearly so where speakers differ more than utterances do.
        """
        weights = self.sizes / self.sizes.sum()
        scales = (weights / (1 - weights)) ** 2
        # The estimate is y' M y, M = diag(s) - s w' - w s' + sum(s) w w', y the clusters' means.
        total, square = scales.sum(), weights @ weights
        mixed = scales @ weights
        trace = total - 2 * mixed + total * square
        of_square = (
            scales @ scales
            - 4 * scales**2 @ weights
            + 2 * total * scales @ weights**2
            + 2 * mixed**2
            + 2 * scales @ scales * square
            - 4 * total * mixed * square
            + (total * square) ** 2
        )
        return float(trace**2 / of_square)


def clusters_of(speakers: npt.ArrayLike) -> Clusters:
    """Return the speakers as clusters; if there is one alone, its utterances.

    Parameters
    ----------
    speakers : array, shape (rows,)
        Labels; the order of the clusters is that of the sorted labels. More than `MOST_CLUSTERS`
        are joined at random to as many groups of equal numbers of speakers: those are as
        independent as the speakers are.
    """
    labels, codes = np.unique(np.asarray(speakers), return_inverse=True)
    if len(labels) == 1:
        codes = np.arange(len(codes))
    count = int(codes.max()) + 1
    if count > MOST_CLUSTERS:
        shuffled = np.random.default_rng([SEED, count]).permutation(count)
        codes = (shuffled % MOST_CLUSTERS)[codes]
    return Clusters(codes, np.bincount(codes).astype(np.float64), len(labels))


def jackknife_error(sums: Array, statistic: Statistic) -> float:
    """Return the standard error by leaving out one cluster at a time (CV3).

    Parameters
    ----------
    sums : array, shape (clusters, k)
        Two clusters or more.
    statistic : callable
    """
    count, total = len(sums), sums.sum(axis=0)
    changes = statistic(total - sums) - statistic(total)
    return math.sqrt((count - 1) / count * float((changes**2).sum()))


def t_estimate(
    sums: Array, statistic: Statistic, degrees_of_freedom: float, level: float = LEVEL
) -> Estimate:
    """Return value ± t times the delete-one-cluster standard error."""
    from scipy.special import stdtrit

    value = float(statistic(sums.sum(axis=0)))
    half = float(stdtrit(degrees_of_freedom, (1 + level) / 2)) * jackknife_error(sums, statistic)
    return Estimate(value, value - half, value + half)
