"""Is one codec better than another? Differences on the utterances that both scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .clusters import LEVEL, ROUNDING, Array, clusters_of, jackknife_error
from .intervals import Interval, checked_parts, clustered_intervals, ratio, ratio_difference
from .sign_flip import Adjustment, sign_flips

POWER = 0.8
"""Of the test that the smallest detectable difference is stated for."""


@dataclass(frozen=True)
class Difference:
    """First codec minus second.

    Parameters
    ----------
    interval : Interval
        Of the difference; of the same kind as the intervals of the codecs themselves.
    p_value : float or None
        Two-sided, of the codecs being exchangeable: speaker-level sign-flip test, over utterances
        if there is one speaker. None where there is no interval.
    adjusted : float or None
        The p-value adjusted for all pairs that were tested together; the same if it was alone.
    detectable : float or None
        Smallest true difference, of either sign, whose interval would exclude zero in four of five
        such measurements (power 80 %): (t(0.975) + t(0.8)) times the delete-one-speaker standard
        error, with the degrees of freedom of the t interval. None where there is no interval.
    """

    interval: Interval
    p_value: float | None
    adjusted: float | None = None
    detectable: float | None = None

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval lies on one side of zero."""
        low, high = self.interval.low, self.interval.high
        return low is not None and high is not None and (low > 0 or high < 0)

    @property
    def is_finding(self) -> bool:
        """Whether the interval excludes zero and the adjusted p-value is below 5 %."""
        return self.excludes_zero and self.adjusted is not None and self.adjusted < 1 - LEVEL

    def worded(self) -> str:
        """Write it with signs, in bold where the interval excludes zero."""
        text = self.interval.worded("+")
        return f"**{text}**" if self.excludes_zero else text


def paired_difference(
    first: npt.ArrayLike, second: npt.ArrayLike, speakers: npt.ArrayLike, level: float = LEVEL
) -> Difference:
    """Return the mean over utterances of first - second.

    Parameters
    ----------
    first, second : array, shape (utterances,)
        Scores of two codecs on the same utterances in the same order.
    speakers : array, shape (utterances,)
    level : float
        Confidence level.

    Raises
    ------
    ValueError
        If the shapes differ, there are no utterances or a score is not finite.
    """
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if a.shape != b.shape:
        raise ValueError(f"scores of the same utterances are needed; got {a.shape} and {b.shape}")
    ones = np.ones(a.shape)
    return _alone(checked_parts(a, ones), checked_parts(b, ones), speakers, level, pooled=False)


def paired_ratio_difference(
    first: tuple[npt.ArrayLike, npt.ArrayLike],
    second: tuple[npt.ArrayLike, npt.ArrayLike],
    speakers: npt.ArrayLike,
    level: float = LEVEL,
) -> Difference:
    """Return the difference of two pooled ratios over the same utterances.

    Parameters
    ----------
    first, second : (numerators, denominators), arrays of shape (utterances,)
        Of two codecs; denominators above zero. They may differ between the codecs.
    speakers : array, shape (utterances,)
    level : float
        Confidence level.

    Raises
    ------
    ValueError
        If the shapes differ, there are no utterances, a number is not finite or a denominator is
        not above zero.
    """
    pair = [checked_parts(*first), checked_parts(*second)]
    if pair[0].shape != pair[1].shape:
        raise ValueError(
            f"ratios of the same utterances are needed; got {len(pair[0])} and {len(pair[1])}"
        )
    return _alone(pair[0], pair[1], speakers, level, pooled=True)


def _alone(
    first: Array, second: Array, speakers: npt.ArrayLike, level: float, *, pooled: bool
) -> Difference:
    parts = np.stack([first, second])
    return paired_differences(parts, [(0, 1)], speakers, pooled=pooled, level=level)[0]


def paired_differences(
    parts: Array,
    pairs: Sequence[tuple[int, int]],
    speakers: npt.ArrayLike,
    *,
    pooled: bool,
    level: float = LEVEL,
    adjust: Adjustment = "maxT",
) -> list[Difference]:
    """Compare several pairs of codecs on the same utterances, together.

    Parameters
    ----------
    parts : array, shape (codecs, utterances, 2)
        Numerators and denominators; scores and ones for means.
    pairs : sequence of (int, int)
        First and second codec of each pair.
    speakers : array, shape (utterances,)
    pooled : bool
        Whether the column is a pooled ratio.
    level : float
        Confidence level of the intervals, each on its own.
    adjust : {"maxT", "holm"}
        How p-values are adjusted for all pairs.

    Returns
    -------
    list of Difference
        Of each pair; their p-values are adjusted for all of them.

    Raises
    ------
    ValueError
        If there are no utterances, a number is not finite, a denominator is not above zero, or
        the shapes differ.
    """
    if not pairs:
        return []
    for codec in parts:
        checked_parts(codec[:, 0], codec[:, 1])
    clusters = clusters_of(speakers)
    statistic = ratio_difference if pooled else ratio
    sums = np.stack([clusters.sums(_pair(parts[a], parts[b], pooled=pooled)) for a, b in pairs])
    intervals = clustered_intervals(sums, clusters, statistic, level)
    if intervals[0].method == "none":
        return [Difference(interval, None) for interval in intervals]
    # A mean compares gaps with no gap.
    first, second = (sums[..., :2], sums[..., 2:]) if pooled else (sums, sums * [0.0, 1.0])
    flips = sign_flips(first, second, adjust)
    reach = _reach(clusters.degrees_of_freedom, level)
    return [
        Difference(interval, p_value, adjusted, reach * jackknife_error(one, statistic))
        for interval, p_value, adjusted, one in zip(
            intervals, flips.p_values.tolist(), flips.adjusted.tolist(), sums, strict=True
        )
    ]


def _pair(first: Array, second: Array, *, pooled: bool) -> Array:
    """Return numerators and denominators of both, or gaps and ones; rounding is no gap."""
    if pooled:
        return np.concatenate([first, second], axis=1)
    a, b = first[:, 0], second[:, 0]
    gaps = np.where(np.abs(a - b) <= ROUNDING * np.maximum(np.abs(a), np.abs(b)), 0.0, a - b)
    return np.stack([gaps, np.ones(gaps.shape)], axis=1)


def _reach(degrees_of_freedom: float, level: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(degrees_of_freedom, (1 + level) / 2) + stdtrit(degrees_of_freedom, POWER))
