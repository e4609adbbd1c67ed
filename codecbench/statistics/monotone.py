"""Monotone piecewise cubic interpolation (PCHIP) of many curves at once, and its integral.

Fritsch & Butland (1984), "A method for constructing local monotone piecewise cubic interpolants":
between two points the curve never leaves what they span. `scipy` has the same for one curve, or for
many over common abscissae; here every curve has its own, as every resample of a bootstrap has.
"""

from __future__ import annotations

import numpy as np

from .clusters import Array


def mean_between(x: Array, y: Array, low: Array, high: Array) -> Array:
    """Return the mean height of curves between two abscissae.

    Parameters
    ----------
    x, y : array, shape (..., points)
        Two points or more; x rising.
    low, high : array, shape (...)
        Within each curve's x; low < high.

    Returns
    -------
    array, shape (...)
    """
    slopes = _slopes(x, y)
    area = _area_until(x, y, slopes, high) - _area_until(x, y, slopes, low)
    result: Array = area / (high - low)
    return result


def _slopes(x: Array, y: Array) -> Array:
    """Return the slopes at the points, shape (..., points)."""
    steps = np.diff(x)
    secants = np.diff(y) / steps
    if x.shape[-1] == 2:
        return np.repeat(secants, 2, axis=-1)
    before, after = steps[..., :-1], steps[..., 1:]
    first, second = secants[..., :-1], secants[..., 1:]
    turns = first * second <= 0
    weights = 2 * after + before, after + 2 * before
    total = np.where(turns, 1.0, weights[0] * second + weights[1] * first)
    inner = np.where(turns, 0.0, (weights[0] + weights[1]) * first * second / total)
    ends = [_end_slope(steps, secants), _end_slope(steps[..., ::-1], secants[..., ::-1])]
    return np.concatenate([ends[0], inner, ends[1]], axis=-1)


def _end_slope(steps: Array, secants: Array) -> Array:
    """Return a parabola's slope at the first point, shape (..., 1), kept from overshooting."""
    near, far = steps[..., :1], steps[..., 1:2]
    first, second = secants[..., :1], secants[..., 1:2]
    slope = ((2 * near + far) * first - near * second) / (near + far)
    steep = (first * second < 0) & (np.abs(slope) > 3 * np.abs(first))
    slope = np.where(steep, 3 * first, slope)
    result: Array = np.where(slope * first <= 0, 0.0, slope)
    return result


def _area_until(x: Array, y: Array, slopes: Array, end: Array) -> Array:
    """Return the area under each curve from its first point to an abscissa."""
    steps = np.diff(x)
    reached = np.clip((end[..., None] - x[..., :-1]) / steps, 0.0, 1.0)
    heights = y[..., :-1], y[..., 1:]
    tangents = steps * slopes[..., :-1], steps * slopes[..., 1:]
    area: Array = (steps * _hermite_area(reached, heights, tangents)).sum(axis=-1)
    return area


def _hermite_area(t: Array, heights: tuple[Array, Array], tangents: tuple[Array, Array]) -> Array:
    """Integrate the cubic Hermite polynomial of unit steps from 0 to t."""
    area: Array = (
        heights[0] * (t**4 / 2 - t**3 + t)
        + heights[1] * (t**3 - t**4 / 2)
        + tangents[0] * (t**4 / 4 - 2 * t**3 / 3 + t**2 / 2)
        + tangents[1] * (t**4 / 4 - t**3 / 3)
    )
    return area
