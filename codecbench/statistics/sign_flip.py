"""The speaker-level sign-flip test: could the two codecs be exchanged?

If two codecs are equally good, a speaker's scores through the one could as well have come through
the other. So the codecs are swapped for some speakers, whole speakers at a time, and the p-value
is the share of all ways to do this whose difference is at least as far from zero as the one seen.
For means this flips the signs of the speakers' summed differences; for pooled ratios numerators
and denominators change sides together. All 2^speakers ways are gone through where that is
feasible, else random ones, the one seen among them, so that the test is exact in both cases
(Phipson & Smyth 2010, "Permutation P-values should never be zero").

With n speakers no p-value is below 2 / 2^n: fewer than six speakers never reach 5 %.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from .clusters import SEED, Array

EXACT_CLUSTERS = 14
"""Up to this many clusters all swaps are tried."""
RANDOM_SWAPS = 20_000
"""How many are tried otherwise, the one seen included."""
_TIE = 1e-9
"""Differences this close to the one seen, relatively, count as equal to it."""
_CHUNK = 1_000
_CACHED_CLUSTERS = 2_000


def sign_flip_p_value(first: Array, second: Array) -> float:
    """Return the two-sided p-value of two codecs being exchangeable.

    Parameters
    ----------
    first, second : array, shape (clusters, 2)
        Sums of numerators and denominators (scores and utterances for means) over the same
        speakers; denominators above zero.

    Examples
    --------
    All of three speakers prefer the first codec; two of the eight ways are as far from zero.

    >>> first, second = np.array([[3.0, 1], [4, 1], [5, 1]]), np.array([[1.0, 1], [2, 1], [3, 1]])
    >>> sign_flip_p_value(first, second)
    0.25
    """
    total = (first + second).sum(axis=0)
    seen = abs(_difference(first.sum(axis=0), total))
    at_least = tried = 0
    for stays in _swaps(len(first)):
        mine = second.sum(axis=0) + stays @ (first - second)
        at_least += int((np.abs(_difference(mine, total)) >= seen * (1 - _TIE)).sum())
        tried += len(stays)
    return at_least / tried


def _difference(mine: Array, total: Array) -> Array:
    other = total - mine
    result: Array = mine[..., 0] / mine[..., 1] - other[..., 0] / other[..., 1]
    return result


def _swaps(clusters: int) -> Iterator[Array]:
    """Yield which clusters stay as they are (1) or are swapped (0), some ways at a time."""
    if clusters <= EXACT_CLUSTERS:
        yield _all_swaps(clusters).astype(np.float64)
        return
    make = _remembered_swaps if clusters <= _CACHED_CLUSTERS else _random_swaps
    for chunk in range(RANDOM_SWAPS // _CHUNK):
        yield make(clusters, chunk).astype(np.float64)


@functools.lru_cache(maxsize=EXACT_CLUSTERS)
def _all_swaps(clusters: int) -> npt.NDArray[np.uint8]:
    """Return every way that leaves the first cluster as it is; the others mirror them."""
    numbers = np.arange(2 ** (clusters - 1))[:, None]
    stays = 1 - (numbers >> np.arange(clusters - 1)) % 2
    return np.hstack([np.ones_like(numbers), stays]).astype(np.uint8)


def _random_swaps(clusters: int, chunk: int) -> npt.NDArray[np.uint8]:
    generator = np.random.default_rng([SEED, clusters, chunk, 1])
    stays = generator.integers(0, 2, (_CHUNK, clusters), dtype=np.uint8)
    if chunk == 0:
        stays[0] = 1  # the one seen
    return stays


_remembered_swaps = functools.lru_cache(maxsize=2 * (RANDOM_SWAPS // _CHUNK))(_random_swaps)
