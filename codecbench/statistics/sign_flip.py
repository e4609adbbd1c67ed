"""The speaker-level sign-flip test: could the two codecs be exchanged?

If two codecs are equally good, a speaker's scores through the one could as well have come through
the other. So the codecs are swapped for some speakers, whole speakers at a time, and the p-value
is the share of all ways to do this whose difference is at least as far from zero as the one seen.
For means this flips the signs of the speakers' summed differences; for pooled ratios numerators
and denominators change sides together. All 2^speakers ways are gone through where that is
feasible, else random ones, the one seen among them, so that the test is exact in both cases
(Phipson & Smyth 2010, "Permutation P-values should never be zero").

With n speakers no p-value is below 2 / 2^n: fewer than six speakers never reach 5 %.

Several pairs of codecs are swapped together, in the same ways, and their p-values are adjusted
step by step from the smallest on, as Holm (1979) does, but with the joint distribution of all
differences in place of his bound (Westfall & Young 1993, "Resampling-based multiple testing",
step-down maxT). So the number of pairs does not exhaust what few speakers can tell: by Holm's bound
13 speakers could not decide a single one of the 231 pairs of 22 codecs.

One pair is tested exactly if its codecs are exchangeable within speakers. The adjustment for many
pairs is exact if all speakers' differences may change sign together (symmetric errors), and else
holds for many speakers, as Holm's bound does for few; how closely is measured in
docs/statistics.md.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from .clusters import ROUNDING, SEED, Array

Adjustment = Literal["maxT", "holm"]

EXACT_CLUSTERS = 14
"""Up to this many clusters all swaps are tried."""
RANDOM_SWAPS = 20_000
"""How many are tried otherwise, the one seen included."""
_TIE = 1e-9
"""Differences this close to the one seen, relatively, count as equal to it."""
_CHUNK = 1_000
_AT_ONCE = 2_000_000
"""Differences that are held in memory at a time."""


@dataclass(frozen=True)
class SignFlips:
    """P-values of pairs of codecs that are tested together.

    Parameters
    ----------
    p_values : array, shape (pairs,)
        Two-sided, of each pair alone.
    adjusted : array, shape (pairs,)
        For having tested all of them: the chance of one false finding or more among those below a
        level is at most that level.
    """

    p_values: Array
    adjusted: Array


def sign_flips(first: Array, second: Array, adjust: Adjustment = "maxT") -> SignFlips:
    """Test whether the two codecs of each pair are exchangeable.

    Parameters
    ----------
    first, second : array, shape (pairs, clusters, 2)
        Sums of numerators and denominators (scores and utterances for means) over the same
        speakers; denominators above zero.
    adjust : {"maxT", "holm"}
        How p-values are adjusted for all pairs.

    Examples
    --------
    All of three speakers prefer the first codec; two of the eight ways are as far from zero.

    >>> first, second = np.array([[3.0, 1], [4, 1], [5, 1]]), np.array([[1.0, 1], [2, 1], [3, 1]])
    >>> sign_flips(first[None], second[None]).p_values
    array([0.25])
    """
    scale, least = _scale(first, second)
    total = (first + second).sum(axis=1)
    seen = np.abs(_difference(first.sum(axis=1), total)) / scale
    seen[seen <= least] = 0.0
    order = np.argsort(-seen, kind="stable")
    alone, jointly, tried = np.zeros(len(seen)), np.zeros(len(seen)), 0
    reached = seen - np.maximum(_TIE * seen, least)
    for flipped in _flipped(first, second, total):
        flipped /= scale
        alone += (flipped >= reached).sum(axis=0)
        # Of each pair and all that were less far from zero, the farthest.
        farthest = np.maximum.accumulate(flipped[:, order[::-1]], axis=1)[:, ::-1]
        jointly += (farthest >= reached[order]).sum(axis=0)
        tried += len(flipped)
    p_values = alone / tried
    if adjust == "holm":
        return SignFlips(p_values, holm(p_values))
    adjusted = np.empty(len(seen))
    adjusted[order] = np.maximum.accumulate(jointly / tried)
    return SignFlips(p_values, adjusted)


def holm(p_values: npt.ArrayLike) -> Array:
    """Adjust p-values for having tested all of them, whatever their dependence (Holm 1979).

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    array([0.03, 0.06, 0.06])
    """
    alone = np.asarray(p_values, np.float64)
    order = np.argsort(alone, kind="stable")
    adjusted = np.empty(len(alone))
    bounds = alone[order] * np.arange(len(alone), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(bounds), 1.0)
    return adjusted


def _difference(mine: Array, total: Array) -> Array:
    other = total - mine
    result: Array = mine[..., 0] / mine[..., 1] - other[..., 0] / other[..., 1]
    return result


def _scale(first: Array, second: Array) -> tuple[Array, Array]:
    """Return what pairs are made comparable by, and what is rounding after, shape (pairs,) each.

    It is about the standard deviation of each pair's difference under swaps; the same for every
    way of swapping, it decides no pair on its own.
    """
    total = (first + second).sum(axis=1, keepdims=True)
    gap = first - second
    common = total[..., :1] / total[..., 1:]
    influence = 2 * (gap[..., 0] - common[..., 0] * gap[..., 1]) / total[..., 1]
    scale: Array = np.sqrt((influence**2).sum(axis=1))
    size = np.abs(np.concatenate([first, second], axis=1)[..., 0]).sum(axis=1) / total[:, 0, 1]
    rounding = ROUNDING * size
    scale = np.where(scale > rounding, scale, 1.0)
    return scale, rounding / scale


def _flipped(first: Array, second: Array, total: Array) -> Iterator[Array]:
    """Yield the size of all pairs' differences under some ways of swapping, shape (ways, pairs)."""
    pairs, clusters, _ = first.shape
    gap = (first - second).swapaxes(0, 1).reshape(clusters, -1)
    differs = gap.any(axis=0)
    gap = np.ascontiguousarray(gap[:, differs])
    swapped = second.sum(axis=1, dtype=np.float64).ravel()
    size = max(1, _AT_ONCE // pairs)
    for chunk in _swaps(clusters):
        for start in range(0, len(chunk), size):
            stays = chunk[start : start + size].astype(np.float64)
            mine = np.tile(swapped, (len(stays), 1))
            mine[:, differs] += stays @ gap
            yield np.abs(_difference(mine.reshape(-1, pairs, 2), total))


def _swaps(clusters: int) -> Iterator[npt.NDArray[np.uint8]]:
    """Yield which clusters stay as they are (1) or are swapped (0), some ways at a time."""
    if clusters <= EXACT_CLUSTERS:
        yield _all_swaps(clusters)
        return
    for chunk in range(RANDOM_SWAPS // _CHUNK):
        yield _random_swaps(clusters, chunk)


@functools.lru_cache(maxsize=EXACT_CLUSTERS)
def _all_swaps(clusters: int) -> npt.NDArray[np.uint8]:
    """Return every way that leaves the first cluster as it is; the others mirror them."""
    numbers = np.arange(2 ** (clusters - 1))[:, None]
    stays = 1 - (numbers >> np.arange(clusters - 1)) % 2
    return np.hstack([np.ones_like(numbers), stays]).astype(np.uint8)


# Two numbers of clusters: what a table of one corpus asks for again and again.
@functools.lru_cache(maxsize=2 * (RANDOM_SWAPS // _CHUNK))
def _random_swaps(clusters: int, chunk: int) -> npt.NDArray[np.uint8]:
    generator = np.random.default_rng([SEED, clusters, chunk, 1])
    stays = generator.integers(0, 2, (_CHUNK, clusters), dtype=np.uint8)
    if chunk == 0:
        stays[0] = 1  # the one seen
    return stays
