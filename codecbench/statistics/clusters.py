"""Estimates from sums over clusters: jackknife t and the cluster bootstrap.

A mean, a pooled ratio and the difference of two of them are all smooth functions of a few sums.
With those sums kept per cluster (speaker), leaving out or redrawing whole speakers costs no pass
over the utterances.

Sources: MacKinnon, Nielsen & Webb (2023), "Fast and reliable jackknife and bootstrap methods for
cluster-robust inference" (CV3, the delete-one-cluster jackknife, with t on G - 1 degrees of
freedom); Hesterberg (2015), "What teachers should know about the bootstrap" (expanded
percentiles, which undo the percentile interval's narrowness for few clusters).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Statistic = Callable[[Array], Array]
"""Maps sums of shape (..., k) to values of shape (...)."""

LEVEL = 0.95
"""Confidence level of every interval."""
RESAMPLES = 10_000
"""Bootstrap resamples."""
SEED = 20_240_229
_CHUNK = 1_000
_CACHED_CLUSTERS = 2_000


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


def sums_by_cluster(parts: npt.ArrayLike, clusters: npt.ArrayLike) -> Array:
    """Sum rows over clusters.

    Parameters
    ----------
    parts : array, shape (rows, k)
    clusters : array, shape (rows,)
        Labels; the order of the result is that of the sorted labels.

    Returns
    -------
    array, shape (clusters, k)
    """
    columns = np.asarray(parts, np.float64)
    labels, codes = np.unique(np.asarray(clusters), return_inverse=True)
    return np.stack([np.bincount(codes, column, len(labels)) for column in columns.T], axis=1)


def jackknife_error(sums: Array, statistic: Statistic) -> float:
    """Return the standard error by leaving out one cluster at a time.

    Parameters
    ----------
    sums : array, shape (clusters, k)
        Two clusters or more.
    statistic : callable
    """
    count = len(sums)
    without = statistic(sums.sum(axis=0) - sums)
    return math.sqrt((count - 1) / count * float(((without - without.mean()) ** 2).sum()))


def t_estimate(sums: Array, statistic: Statistic, level: float = LEVEL) -> Estimate:
    """Return value ± t times the jackknife error, with clusters - 1 degrees of freedom."""
    from scipy.special import stdtrit

    value = float(statistic(sums.sum(axis=0)))
    half = float(stdtrit(len(sums) - 1, (1 + level) / 2)) * jackknife_error(sums, statistic)
    return Estimate(value, value - half, value + half)


def bootstrap_estimate(sums: Array, statistic: Statistic, level: float = LEVEL) -> Estimate:
    """Return the expanded percentile interval over redrawn clusters.

    The draws depend on the number of clusters alone, so that equal data give equal intervals
    and shifts, scales and signs carry over exactly. Draws for which the statistic is not defined
    (NaN) count as beyond both ends, so that too many of them leave an end at infinity.
    """
    from scipy.special import ndtr, stdtrit

    count = len(sums)
    redrawn = np.concatenate([statistic(draws @ sums) for draws in _draws(count)])
    reach = math.sqrt(count / (count - 1)) * float(stdtrit(count - 1, (1 + level) / 2))
    tail = float(ndtr(-reach))
    undefined = np.isnan(redrawn)
    low = _quantile(np.where(undefined, -np.inf, redrawn), tail)
    high = -_quantile(np.where(undefined, -np.inf, -redrawn), tail)
    return Estimate(float(statistic(sums.sum(axis=0))), low, high)


def _quantile(values: Array, share: float) -> float:
    """Return a quantile, interpolated between finite values only."""
    place = share * (len(values) - 1)
    around = np.partition(values, [math.floor(place), math.ceil(place)])
    below, above = around[math.floor(place)], around[math.ceil(place)]
    if math.isinf(below):
        return float(below)
    return float(below + (place - math.floor(place)) * (above - below))


def _draws(count: int) -> Iterator[Array]:
    """Yield how often each cluster was drawn, in chunks of shape (_CHUNK, clusters)."""
    make = _remembered_draw if count <= _CACHED_CLUSTERS else _draw
    for chunk in range(RESAMPLES // _CHUNK):
        yield make(count, chunk).astype(np.float64)


def _draw(count: int, chunk: int) -> npt.NDArray[np.uint16]:
    generator = np.random.default_rng([SEED, count, chunk])
    drawn = generator.integers(0, count, (_CHUNK, count))
    drawn += count * np.arange(_CHUNK)[:, None]
    times = np.bincount(drawn.ravel(), minlength=_CHUNK * count)
    return times.reshape(_CHUNK, count).astype(np.uint16)


# Two numbers of clusters: what a table of one corpus asks for again and again.
_remembered_draw = functools.lru_cache(maxsize=2 * (RESAMPLES // _CHUNK))(_draw)
