"""95 % interval of a mean over utterances, or of a pooled ratio, as speakers vary.

Utterances of one speaker resemble each other, so speakers are what is drawn:

- 20 speakers or more: bootstrap of speakers (expanded percentile interval);
- 2 to 19: t interval with the delete-one-speaker standard error, speakers - 1 degrees of freedom;
- one speaker: the same t interval over utterances, labelled "within one speaker", because it says
  nothing about other speakers;
- one utterance: none.

A speaker is a pair of corpus and speaker name: equal names in two corpora are two people.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from .clusters import (
    LEVEL,
    Array,
    Statistic,
    bootstrap_estimate,
    sums_by_cluster,
    t_estimate,
)

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
        return Interval(self.value, low, high, self.utterances, self.speakers, self.method)


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


def ratio(sums: Array) -> Array:
    """Return first sum / second sum."""
    result: Array = sums[..., 0] / sums[..., 1]
    return result


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
    parts: Array, speakers: npt.NDArray[np.generic], statistic: Statistic, level: float = LEVEL
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
    sums, method = clustered(parts, speakers)
    utterances = len(parts)
    if method == "none":
        value = float(statistic(parts.sum(axis=0)))
        return Interval(value, None, None, utterances, 1, method)
    estimator = bootstrap_estimate if method == "speaker bootstrap" else t_estimate
    found = estimator(sums, statistic, level)
    count = 1 if method == "within one speaker" else len(sums)
    if not math.isfinite(found.low) or not math.isfinite(found.high):
        return Interval(found.value, None, None, utterances, count, method)
    return Interval(found.value, found.low, found.high, utterances, count, method)


def clustered(parts: Array, speakers: npt.NDArray[np.generic]) -> tuple[Array, Method]:
    """Sum over speakers, or keep the utterances of a single one, and name the method."""
    if speakers.shape != (len(parts),):
        raise ValueError(f"{len(parts)} utterances, but speakers of shape {speakers.shape}")
    sums = sums_by_cluster(parts, speakers)
    if len(sums) >= BOOTSTRAP_SPEAKERS:
        return sums, "speaker bootstrap"
    if len(sums) > 1:
        return sums, "speaker t"
    return parts, "within one speaker" if len(parts) > 1 else "none"
