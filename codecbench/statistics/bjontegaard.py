"""Bjøntegaard deltas: what a codec saves in rate, or gains in a metric, over a range of rates.

The curve of each codec through its points (log rate, metric) is interpolated monotonically, and
the distance of two curves is averaged over the range that both cover:

- delta rate: mean distance in log rate between equal values of the metric, as a percentage;
  negative: the tested codec needs fewer bits;
- delta metric: mean distance in the metric between equal rates.

Sources: G. Bjøntegaard (2001), VCEG-M33 (the idea, with cubic polynomials); piecewise cubic
interpolation as in the common test conditions of JCT-VC (JCTVC-L1100) and JVET (JVET-T2010).

Rates are pooled (bits / seconds) and points of both curves rest on the same utterances, so that
the interval comes from leaving out or redrawing whole speakers, curves and all. That of the delta
rate is formed of the distance in log rate, where errors are symmetric, and then turned into
percent: it never reaches below -100 %.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..errors import UserError
from ..metric import Direction
from .clusters import LEVEL, Array, Statistic
from .intervals import Interval, checked_parts, interval_of, ratio
from .monotone import mean_between

_PARTS = 4
"""Bits, seconds, numerator and denominator of the metric."""


@dataclass(frozen=True)
class Delta:
    """A Bjøntegaard delta.

    Parameters
    ----------
    interval : Interval
        In percent of the rate, or in the metric's unit.
    low, high : float
        The range that it is averaged over: values of the metric, or rates in the unit of the
        curves' bits per second.
    share : float
        That range over the range that either curve covers (on a logarithmic scale for rates),
        0 to 1; a delta over a small share says little about the rest.
    """

    interval: Interval
    low: float
    high: float
    share: float


@dataclass(frozen=True)
class Curve:
    """A codec at several rates, on the same utterances.

    Parameters
    ----------
    name : str
        Shown in messages.
    bits : array, shape (points, utterances)
        Counted bits, in any unit that both curves share.
    seconds : array, shape (utterances,) or (points, utterances)
    numerators, denominators : array, shape (points, utterances)
        Of the metric; scores and ones for means.
    """

    name: str
    bits: npt.ArrayLike
    seconds: npt.ArrayLike
    numerators: npt.ArrayLike
    denominators: npt.ArrayLike

    def parts(self) -> Array:
        """Return sums to be, shape (utterances, points, 4), points in order of their rate."""
        bits = np.atleast_2d(np.asarray(self.bits, np.float64))
        seconds = np.broadcast_to(np.asarray(self.seconds, np.float64), bits.shape)
        scores = np.asarray(self.numerators, np.float64), np.asarray(self.denominators, np.float64)
        rated = checked_parts(bits.ravel(), seconds.ravel()).reshape(*bits.shape, 2)
        scored = checked_parts(scores[0].ravel(), scores[1].ravel()).reshape(*bits.shape, 2)
        by_rate = np.argsort(bits.sum(axis=1) / seconds.sum(axis=1))
        return np.concatenate([rated, scored], axis=-1)[by_rate].swapaxes(0, 1)


def delta_rate(
    anchor: Curve,
    tested: Curve,
    speakers: npt.ArrayLike,
    better: Direction = "higher",
    level: float = LEVEL,
) -> Delta:
    """Return the mean difference in rate at equal quality, in percent of the anchor's rate.

    Parameters
    ----------
    anchor, tested : Curve
        Two points each or more.
    speakers : array, shape (utterances,)
    better : {"higher", "lower"}
        Direction of the metric.
    level : float
        Confidence level.

    Raises
    ------
    UserError
        If a curve has one point, two points of a curve have one rate, its metric does not get
        better with every step in rate, or the two share no range of the metric.
    """
    sign = 1.0 if better == "higher" else -1.0
    return _delta(anchor, tested, speakers, _RateDistance(sign), level)


def delta_metric(
    anchor: Curve, tested: Curve, speakers: npt.ArrayLike, level: float = LEVEL
) -> Delta:
    """Return the mean difference in the metric at equal rates, tested - anchor.

    Parameters and exceptions as in `delta_rate`; the metric need not be monotone in the rate.
    """
    return _delta(anchor, tested, speakers, _MetricDistance(), level)


class _Distance:
    """The distance of curves whose points are (log rate, score); NaN where there is none."""

    shared = ""
    """What must overlap."""

    def axes(self, rates: Array, scores: Array) -> tuple[Array, Array]:
        """Return along what the distance is averaged, and in what it is measured."""
        raise NotImplementedError

    def reported(self, distance: float) -> float:
        """Turn the mean distance into what is reported."""
        return distance

    def shown(self, place: float) -> float:
        """Turn an end of the range into what is reported."""
        raise NotImplementedError

    def check(self, name: str, rates: Array, scores: Array) -> None:
        """Raise `UserError` if a curve has no delta with any other."""
        if len(rates) < 2:
            raise UserError(f"{name}: one point is no curve; two rates or more are needed")
        if (np.diff(rates) <= 0).any():
            raise UserError(f"{name}: two points have the same rate")

    def of(self, curves: Sequence[tuple[Array, Array]]) -> Array:
        """Return the mean distance of anchor and tested codec: (log rate, score), (..., points)."""
        (x, y), (other_x, other_y) = (self.axes(*curve) for curve in curves)
        low = np.maximum(x[..., 0], other_x[..., 0])
        high = np.minimum(x[..., -1], other_x[..., -1])
        rising = (np.diff(x) > 0).all(axis=-1) & (np.diff(other_x) > 0).all(axis=-1)
        with np.errstate(all="ignore"):
            distance = mean_between(other_x, other_y, low, high) - mean_between(x, y, low, high)
            return np.where(rising & (low < high), distance, np.nan)


class _RateDistance(_Distance):
    shared = "values of the metric"

    def __init__(self, sign: float) -> None:
        self.sign = sign

    def axes(self, rates: Array, scores: Array) -> tuple[Array, Array]:
        return self.sign * scores, rates

    def shown(self, place: float) -> float:
        return float(self.sign * place)

    def reported(self, distance: float) -> float:
        return 100 * math.expm1(distance)

    def check(self, name: str, rates: Array, scores: Array) -> None:
        super().check(name, rates, scores)
        if (np.diff(self.sign * scores) <= 0).any():
            raise UserError(
                f"{name}: its metric does not get better with every step in rate"
                f" ({', '.join(f'{score:.4g}' for score in scores)}), so that equal quality has no"
                " one rate; the delta in the metric exists"
            )


class _MetricDistance(_Distance):
    shared = "rates"

    def axes(self, rates: Array, scores: Array) -> tuple[Array, Array]:
        return rates, scores

    def shown(self, place: float) -> float:
        return float(np.exp(place))


def _delta(
    anchor: Curve, tested: Curve, speakers: npt.ArrayLike, distance: _Distance, level: float
) -> Delta:
    own, other = anchor.parts(), tested.parts()
    if len(own) != len(other):
        raise ValueError(f"curves of the same utterances are needed; got {len(own)}, {len(other)}")
    points = own.shape[1]
    parts = np.concatenate([own, other], axis=1)
    sums = parts.sum(axis=0)
    curves = [_curve(sums[:points]), _curve(sums[points:])]
    for name, curve in zip((anchor.name, tested.name), curves, strict=True):
        distance.check(name, *curve)
    ends = np.array([distance.axes(*curve)[0][[0, -1]] for curve in curves])
    low, high = ends[:, 0].max(), ends[:, 1].min()
    if low >= high:
        raise UserError(f"{anchor.name} and {tested.name} share no {distance.shared}")
    flat = parts.reshape(len(parts), -1)
    found = interval_of(flat, np.asarray(speakers), _statistic(distance, points), level)
    interval = found.mapped(distance.reported)
    share = float((high - low) / (ends[:, 1].max() - ends[:, 0].min()))
    first, last = sorted(distance.shown(end) for end in (low, high))
    return Delta(interval, first, last, share)


def _statistic(distance: _Distance, points: int) -> Statistic:
    def statistic(sums: Array) -> Array:
        each = sums.reshape(*sums.shape[:-1], -1, _PARTS)
        return distance.of([_curve(each[..., :points, :]), _curve(each[..., points:, :])])

    return statistic


def _curve(sums: Array) -> tuple[Array, Array]:
    """Return log rates and scores, shape (..., points) each, of sums (..., points, 4)."""
    return np.log(ratio(sums[..., :2])), ratio(sums[..., 2:])
