"""Is one codec better than another? Differences on the utterances that both scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .clusters import LEVEL, Array, Statistic, jackknife_error
from .intervals import Interval, checked_parts, clustered, interval_of, ratio
from .sign_flip import sign_flip_p_value

POWER = 0.8
"""Of the test that the smallest detectable difference is stated for."""
ROUNDING = 1e-12
"""Relative differences below this are rounding, not a finding."""


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
    detectable : float or None
        Smallest true difference, of either sign, whose interval would exclude zero in four of five
        such measurements (power 80 %): (t(0.975) + t(0.8)) times the delete-one-speaker standard
        error. None where there is no interval.
    """

    interval: Interval
    p_value: float | None
    detectable: float | None = None

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval lies on one side of zero."""
        low, high = self.interval.low, self.interval.high
        return low is not None and high is not None and (low > 0 or high < 0)

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
    gaps = np.where(np.abs(a - b) <= ROUNDING * np.maximum(np.abs(a), np.abs(b)), 0.0, a - b)
    parts = checked_parts(gaps, np.ones(gaps.shape))
    labels = np.asarray(speakers)
    return _difference(parts, labels, ratio, level, pooled=False)


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
    parts = np.concatenate(pair, axis=1)
    labels = np.asarray(speakers)
    return _difference(parts, labels, _ratio_difference, level, pooled=True)


def paired_parts(
    first: Array, second: Array, speakers: npt.ArrayLike, *, pooled: bool, level: float = LEVEL
) -> Difference:
    """Return the difference of two codecs given as parts.

    Parameters
    ----------
    first, second : array, shape (utterances, 2)
        Numerators and denominators; scores and ones for means.
    speakers : array, shape (utterances,)
    pooled : bool
        Whether the column is a pooled ratio.
    level : float
        Confidence level.

    Raises
    ------
    ValueError
        As `paired_difference` and `paired_ratio_difference` do.
    """
    if pooled:
        numbers = (first[:, 0], first[:, 1]), (second[:, 0], second[:, 1])
        return paired_ratio_difference(*numbers, speakers, level)
    return paired_difference(first[:, 0], second[:, 0], speakers, level)


def supported(differences: Sequence[Difference], level: float = LEVEL) -> list[bool]:
    """Return which of several differences are findings.

    Those whose interval excludes zero and whose p-value, adjusted by Holm for all of them, is below
    1 - level.
    """
    p_values = [1.0 if found.p_value is None else found.p_value for found in differences]
    return [
        found.excludes_zero and p_value < 1 - level
        for found, p_value in zip(differences, holm(p_values), strict=True)
    ]


def _ratio_difference(sums: Array) -> Array:
    a, b = ratio(sums[..., :2]), ratio(sums[..., 2:])
    result: Array = np.where(
        np.abs(a - b) <= ROUNDING * np.maximum(np.abs(a), np.abs(b)), 0.0, a - b
    )
    return result


def _difference(
    parts: Array,
    speakers: npt.NDArray[np.generic],
    statistic: Statistic,
    level: float,
    *,
    pooled: bool,
) -> Difference:
    interval = interval_of(parts, speakers, statistic, level)
    sums, method = clustered(parts, speakers)
    if method == "none":
        return Difference(interval, None)
    # A mean compares gaps with no gap.
    first, second = (sums[:, :2], sums[:, 2:]) if pooled else (sums, sums * [0.0, 1.0])
    p_value = sign_flip_p_value(first, second)
    return Difference(interval, p_value, _detectable(sums, statistic, level))


def _detectable(sums: Array, statistic: Statistic, level: float) -> float:
    from scipy.special import stdtrit

    reach = float(stdtrit(len(sums) - 1, (1 + level) / 2) + stdtrit(len(sums) - 1, POWER))
    return reach * jackknife_error(sums, statistic)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values for having made several tests (Holm 1979).

    Returns
    -------
    list of float
        In the order given; comparing them with a level controls the chance of one false
        finding or more among all.

    Examples
    --------
    >>> [round(p, 6) for p in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    count = len(p_values)
    order = sorted(range(count), key=lambda index: p_values[index])
    adjusted = [1.0] * count
    largest = 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (count - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted
