"""Intervals from redrawing clusters with replacement.

Sources: Efron & Tibshirani (1993), "An introduction to the bootstrap", chapter 12 (bootstrap-t,
whose tails follow the skew of the data); Hesterberg (2015), "What teachers should know about the
bootstrap" (expanded percentiles, which undo the percentile interval's narrowness for few clusters).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from .clusters import LEVEL, ROUNDING, SEED, Array, Estimate, Statistic

RESAMPLES = 10_000
"""Bootstrap resamples."""
LEAST_SPREAD = 0.25
"""A resample's standard error counts as this share of the seen one at least: a resample may hold
one value only, and divided by nothing it would be infinitely far away."""
_CHUNK = 1_000


def bootstrap_t_estimate(sums: Array, signs: Sequence[float], level: float = LEVEL) -> Estimate:
    """Return the bootstrap-t interval of a signed sum of pooled ratios.

    In every resample the distance from the value is divided by the resample's own standard error
    (delta method), and the quantiles of these quotients take the place of those of t.

    Parameters
    ----------
    sums : array, shape (clusters, 2 ratios)
        Numerator and denominator of each ratio in turn.
    signs : sequence of float, one for each ratio
        (1,) for a ratio or mean, (1, -1) for a difference.
    level : float
        Confidence level.
    """
    sign = np.asarray(signs, np.float64)
    each = sums.reshape(len(sums), len(sign), 2)
    values = each[..., 0].sum(axis=0) / each[..., 1].sum(axis=0)
    value = float(sign @ values)
    # Numerators less what the values lead to expect: no digits are lost to what all share.
    rest = np.stack([each[..., 0] - values * each[..., 1], each[..., 1]], axis=-1)
    basis = rest.reshape(sums.shape)
    products = (basis[:, :, None] * basis[:, None, :]).reshape(len(sums), -1)
    stacked = np.concatenate([basis, products], axis=1)
    seen = float(_distance(stacked.sum(axis=0), sign)[1])
    if seen <= ROUNDING * float(np.abs(values).max()):
        return Estimate(value, value, value)
    redrawn = [_distance(draws @ stacked, sign) for draws in _draws(len(sums))]
    far, spread = (np.concatenate(part) for part in zip(*redrawn, strict=True))
    quotients = far / np.maximum(spread, LEAST_SPREAD * seen)
    low, high = np.quantile(quotients, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(value, value - seen * float(high), value - seen * float(low))


def _distance(stacked: Array, sign: Array) -> tuple[Array, Array]:
    """Return how far signed sums of ratios are from zero, and their standard errors.

    Parameters
    ----------
    stacked : array, shape (..., k + k²)
        Sums over clusters of k = 2 ratios parts, and of the parts' products.
    sign : array, shape (ratios,)
    """
    count = 2 * len(sign)
    parts = stacked[..., :count].reshape(*stacked.shape[:-1], len(sign), 2)
    products = stacked[..., count:].reshape(*stacked.shape[:-1], count, count)
    ratios, scaled = parts[..., 0] / parts[..., 1], sign / parts[..., 1]
    slopes = np.stack([scaled, -scaled * ratios], axis=-1).reshape(*stacked.shape[:-1], count)
    variance = np.einsum("...i,...ij,...j->...", slopes, products, slopes)
    return ratios @ sign, np.sqrt(np.maximum(variance, 0.0))


def percentile_estimate(sums: Array, statistic: Statistic, level: float = LEVEL) -> Estimate:
    """Return the expanded percentile interval, for statistics without a known standard error.

    Draws for which the statistic is not defined (NaN) count as beyond both ends, so that too many
    of them leave an end at infinity.
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
    """Yield how often each cluster was drawn, in chunks of shape (_CHUNK, clusters).

    The draws depend on the number of clusters alone, so that equal data give equal intervals and
    shifts, scales and signs carry over exactly.
    """
    for chunk in range(RESAMPLES // _CHUNK):
        yield _draw(count, chunk).astype(np.float64)


# Two numbers of clusters: what a table of one corpus asks for again and again.
@functools.lru_cache(maxsize=2 * (RESAMPLES // _CHUNK))
def _draw(count: int, chunk: int) -> npt.NDArray[np.uint16]:
    generator = np.random.default_rng([SEED, count, chunk])
    drawn = generator.integers(0, count, (_CHUNK, count))
    drawn += count * np.arange(_CHUNK)[:, None]
    times = np.bincount(drawn.ravel(), minlength=_CHUNK * count)
    return times.reshape(_CHUNK, count).astype(np.uint16)
