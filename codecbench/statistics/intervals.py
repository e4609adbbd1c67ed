"""95 % interval of a mean over utterances, or of a pooled ratio, as speakers vary.

Utterances of one speaker resemble each other, so speakers are what is drawn:

- 20 speakers or more: bootstrap of speakers (bootstrap-t);
- 2 to 19: t interval with the delete-one-speaker standard error; speakers - 1 degrees of freedom,
  fewer where some speak more utterances than others;
- one speaker: the same t interval over utterances, labelled "within one speaker", because it says
  nothing about other speakers;
- one utterance: none.

A speaker is a pair of corpus and speaker name: equal names in two corpora are two people.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from .bootstrap import bootstrap_t_estimates, percentile_estimate
from .clusters import LEVEL, ROUNDING, Array, Clusters, Estimate, Statistic, clusters_of, t_estimate

Method = Literal["speaker bootstrap", "speaker t", "within one speaker", "none"]

BOOTSTRAP_SPEAKERS = 20
"""From this many speakers on the bootstrap is used."""


@dataclass(frozen=True)
class Interval:
    """A mean or pooled ratio with its interval.

    Parameters
    ----------
    value : float
    low, high : float or None
        None where there is no interval: one utterance, or a statistic that is not defined for too
        many of the speakers left out or redrawn.
    utterances, speakers : int
        How many it rests on.
    method : {"speaker bootstrap", "speaker t", "within one speaker", "none"}
    """

    value: float
    low: float | None
    high: float | None
    utterances: int
    speakers: int
    method: Method

    def worded(self, sign: str = "", digits: int = 3) -> str:
        """Write the value and, where there is one, its interval; ``+`` as sign shows both."""
        form = f"{sign}.{digits}f"
        if self.low is None or self.high is None:
            return f"{self.value:{form}}"
        return f"{self.value:{form}} [{self.low:{form}}, {self.high:{form}}]"

    def clipped(self, bounds: tuple[float, float]) -> Interval:
        """Return the interval cut to the range of possible values."""
        if self.low is None or self.high is None:
            return self
        low, high = max(self.low, bounds[0]), min(self.high, bounds[1])
        return replace(self, low=low, high=high)

    def mapped(self, rising: Callable[[float], float]) -> Interval:
        """Return value and ends through a rising function."""
        low, high = (None if end is None else rising(end) for end in (self.low, self.high))
        return replace(self, value=rising(self.value), low=low, high=high)


def mean_interval(values: npt.ArrayLike, speakers: npt.ArrayLike, level: float = LEVEL) -> Interval:
    """Return the mean over utterances and its interval.

    Parameters
    ----------
    values : array, shape (utterances,)
        Finite.
    speakers : array, shape (utterances,)
        Labels of any sortable kind.
    level : float
        Confidence level.

    Raises
    ------
    ValueError
        If there are no values, a value is not finite, or the shapes differ.
    """
    numbers = np.asarray(values, np.float64)
    return ratio_interval(numbers, np.ones(numbers.shape), speakers, level)


def ratio_interval(
    numerators: npt.ArrayLike,
    denominators: npt.ArrayLike,
    speakers: npt.ArrayLike,
    level: float = LEVEL,
) -> Interval:
    """Return sum(numerators) / sum(denominators) and its interval.

    Parameters
    ----------
    numerators, denominators : array, shape (utterances,)
        Finite; denominators above zero.
    speakers : array, shape (utterances,)
        Labels of any sortable kind.
    level : float
        Confidence level.

    Raises
    ------
    ValueError
        If there are no utterances, a number is not finite, a denominator is not above zero, or
        the shapes differ.
    """
    parts = checked_parts(numerators, denominators)
    return interval_of(parts, np.asarray(speakers), ratio, level)


@dataclass(frozen=True)
class SignedRatios:
    """A statistic: a pooled ratio (a mean is one over counts), or one minus another.

    Parameters
    ----------
    signs : tuple of float, one for each ratio
    """

    signs: tuple[float, ...]

    def __call__(self, sums: Array) -> Array:
        """Return the signed sum of ratios of sums, shape (..., 2 ratios); rounding is no gap."""
        each = sums.reshape(*sums.shape[:-1], len(self.signs), 2)
        ratios = each[..., 0] / each[..., 1]
        value = ratios @ np.asarray(self.signs)
        result: Array = np.where(abs(value) <= ROUNDING * abs(ratios).max(axis=-1), 0.0, value)
        return result


ratio = SignedRatios((1.0,))
ratio_difference = SignedRatios((1.0, -1.0))


def checked_parts(numerators: npt.ArrayLike, denominators: npt.ArrayLike) -> Array:
    """Stack numerators and denominators, shape (utterances, 2), after checking them."""
    parts = np.stack(
        [np.asarray(numerators, np.float64), np.asarray(denominators, np.float64)], axis=-1
    )
    if parts.ndim != 2 or not len(parts):
        raise ValueError(f"one number an utterance is needed; got shape {parts.shape[:-1]}")
    if not np.isfinite(parts).all():
        raise ValueError("numbers must be finite: leave failures out before aggregating")
    if (parts[:, 1] <= 0).any():
        raise ValueError("denominators must be above zero")
    return parts


def interval_of(
    parts: Array,
    speakers: npt.NDArray[np.generic],
    statistic: SignedRatios | Statistic,
    level: float = LEVEL,
) -> Interval:
    """Return a statistic of sums over utterances with the interval that their speakers allow.

    Parameters
    ----------
    parts : array, shape (utterances, k)
    speakers : array, shape (utterances,)
    statistic : callable
        Maps sums of shape (..., k) to values of shape (...).
    level : float
        Confidence level.
    """
    clusters = clusters_of(speakers)
    return clustered_intervals(clusters.sums(parts)[None], clusters, statistic, level)[0]


def clustered_intervals(
    sums: Array, clusters: Clusters, statistic: SignedRatios | Statistic, level: float = LEVEL
) -> list[Interval]:
    """Return the intervals of a statistic of several sums, shape (intervals, clusters, k)."""
    method = _method(clusters)
    if method == "none":
        found = [Estimate(float(statistic(one.sum(axis=0))), math.nan, math.nan) for one in sums]
    elif method != "speaker bootstrap":
        freedom = clusters.degrees_of_freedom
        found = [t_estimate(one, statistic, freedom, level) for one in sums]
    elif isinstance(statistic, SignedRatios):
        found = bootstrap_t_estimates(sums, statistic.signs, level)
    else:
        found = [percentile_estimate(one, statistic, level) for one in sums]
    return [_interval(one, clusters, method) for one in found]


def _interval(found: Estimate, clusters: Clusters, method: Method) -> Interval:
    known = math.isfinite(found.low) and math.isfinite(found.high)
    low, high = (found.low, found.high) if known else (None, None)
    return Interval(found.value, low, high, len(clusters.codes), clusters.speakers, method)


def _method(clusters: Clusters) -> Method:
    if clusters.speakers >= BOOTSTRAP_SPEAKERS:
        return "speaker bootstrap"
    if clusters.speakers > 1:
        return "speaker t"
    return "within one speaker" if len(clusters.codes) > 1 else "none"
