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
_AT_ONCE = 200
"""Statistics that are held in memory at a time, a number for each resample."""


def bootstrap_t_estimates(
    sums: Array, signs: Sequence[float], level: float = LEVEL
) -> list[Estimate]:
    """Return the bootstrap-t intervals of signed sums of pooled ratios.

    In every resample the distance from the value is divided by the resample's own standard error
    (delta method), and the quantiles of these quotients take the place of those of t.

    Parameters
    ----------
    sums : array, shape (statistics, clusters, 2 ratios)
        Numerator and denominator of each ratio in turn.
    signs : sequence of float, one for each ratio
        (1,) for a ratio or mean, (1, -1) for a difference.
    level : float
        Confidence level.
    """
    sign = np.asarray(signs, np.float64)
    starts = range(0, len(sums), _AT_ONCE)
    return [one for at in starts for one in _bootstrap_t(sums[at : at + _AT_ONCE], sign, level)]


def _bootstrap_t(sums: Array, sign: Array, level: float) -> Iterator[Estimate]:
    each = sums.reshape(*sums.shape[:2], len(sign), 2)
    ratios = each[..., 0].sum(axis=1) / each[..., 1].sum(axis=1)
    rounding = ROUNDING * np.abs(ratios).max(axis=1)
    values = np.where(np.abs(ratios @ sign) <= rounding, 0.0, ratios @ sign)
    stacked = _with_products(each, ratios)
    seen = _distance(stacked.sum(axis=0), sign)[1]
    is_constant = seen <= rounding
    least = np.where(is_constant, np.inf, LEAST_SPREAD * seen)
    # Equal columns, such as the counts that all means share, are redrawn once.
    columns, place = np.unique(stacked.reshape(len(stacked), -1), axis=1, return_inverse=True)
    quotients = []
    for draws in _draws(len(stacked)):
        redrawn = (draws @ columns)[:, place.ravel()].reshape(-1, *stacked.shape[1:])
        far, spread = _distance(redrawn, sign)
        quotients.append(far / np.maximum(spread, least))
    tails = np.quantile(np.concatenate(quotients), [(1 - level) / 2, (1 + level) / 2], axis=0)
    reach = np.where(is_constant, 0.0, seen * tails)
    for value, low, high in zip(values, *(values - reach[::-1]), strict=True):
        yield Estimate(float(value), float(low), float(high))


def _with_products(each: Array, ratios: Array) -> Array:
    """Return parts and their products, shape (clusters, statistics, k + k²), k = 2 ratios.

    Numerators are taken less what the ratios lead to expect, so that no digits are lost to what
    all clusters share.
    """
    rest = each.copy()
    rest[..., 0] -= ratios[:, None] * each[..., 1]
    basis = rest.reshape(*each.shape[:2], -1).swapaxes(0, 1)
    products = basis[..., :, None] * basis[..., None, :]
    return np.concatenate([basis, products.reshape(*basis.shape[:2], -1)], axis=-1)


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
