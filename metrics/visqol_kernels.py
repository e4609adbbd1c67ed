"""Compiled inner loops of ViSQOL, giving bit for bit what package visqol's own loops give.

They do the same operations in the same order, arranged so that the compiler can work on several
bands, or several places, at once; nothing is reassociated (no ``fastmath``). Importing this
module imports numba.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

LANES = 8
"""Bands that are filtered together; a constant, so that the loop over them is unrolled."""
COEFFICIENTS = 10
_STATE = COEFFICIENTS * LANES
_ENERGY = _STATE + 8 * LANES

KERNEL = np.array(
    [
        [0.0113033910173052, 0.0838251475442633, 0.0113033910173052],
        [0.0838251475442633, 0.619485845753726, 0.0838251475442633],
        [0.0113033910173052, 0.0838251475442633, 0.0113033910173052],
    ]
)
"""The 3 x 3 window of NSIM."""
_C1 = 1e-4
_C3 = 0.03**2 / 2


def _compiled(function: Any) -> Any:
    # the error model of numpy: a check for division by zero would forbid vector instructions
    return njit(cache=True, error_model="numpy")(function)


@_compiled
def gammatone_rms(wave: Array, window: Array, groups: Array, hop: int) -> Array:
    """Return the RMS of each frame behind each gammatone filter, shape (bands, frames).

    Parameters
    ----------
    wave : array, shape (samples,)
        Not shorter than `window`.
    window : array, shape (size,)
        Each frame is windowed, and filtered from rest.
    groups : array, shape (groups, COEFFICIENTS * LANES)
        Of LANES bands each, in this order: b0 of the four second-order stages, b1 of the
        four, a1, a2; b2 is zero.
    hop : int
        In samples.
    """
    size = len(window)
    frames = 1 + (len(wave) - size) // hop
    out = np.empty((len(groups) * LANES, frames))
    s = np.empty(_ENERGY + LANES)
    frame = np.empty(size)
    for index in range(frames):
        for k in range(size):
            frame[k] = wave[index * hop + k] * window[k]
        for group in range(len(groups)):
            s[:_STATE] = groups[group]
            s[_STATE:] = 0.0
            _filter(frame, s)
            for band in range(LANES):
                out[group * LANES + band, index] = np.sqrt(s[_ENERGY + band] / size)
    return out


@_compiled
def _filter(frame: Array, s: Array) -> None:
    """Run four second-order stages over a frame; `s` is coefficients, states and energies."""
    for k in range(len(frame)):
        x = frame[k]
        for c in range(LANES):
            a1, a2 = s[8 * LANES + c], s[9 * LANES + c]
            y0 = s[c] * x + s[10 * LANES + c]
            s[10 * LANES + c] = s[4 * LANES + c] * x - a1 * y0 + s[11 * LANES + c]
            s[11 * LANES + c] = -a2 * y0
            y1 = s[LANES + c] * y0 + s[12 * LANES + c]
            s[12 * LANES + c] = s[5 * LANES + c] * y0 - a1 * y1 + s[13 * LANES + c]
            s[13 * LANES + c] = -a2 * y1
            y2 = s[2 * LANES + c] * y1 + s[14 * LANES + c]
            s[14 * LANES + c] = s[6 * LANES + c] * y1 - a1 * y2 + s[15 * LANES + c]
            s[15 * LANES + c] = -a2 * y2
            y3 = s[3 * LANES + c] * y2 + s[16 * LANES + c]
            s[16 * LANES + c] = s[7 * LANES + c] * y2 - a1 * y3 + s[17 * LANES + c]
            s[17 * LANES + c] = -a2 * y3
            s[_ENERGY + c] += y3 * y3


@_compiled
def match_patches(
    patches: Array, starts: Indices, decoded: Array, frames: int, reach: int
) -> tuple[Indices, npt.NDArray[np.bool_]]:
    """Find where each patch of the reference lies in the decoded spectrogram.

    Dynamic programming over all patches: later patches lie later, the sum of NSIM is largest.

    Parameters
    ----------
    patches : array, shape (patches, bands, width)
    starts : array of int, shape (patches,)
        Frame at which each begins in the reference, ascending.
    decoded : array, shape (bands, frames + width)
        Its last `width` columns are zero.
    frames : int
    reach : int
        How many frames from its start a patch is looked for.

    Returns
    -------
    offsets : array of int, shape (patches,)
        Frame at which each begins in the decoded spectrogram.
    lost : array of bool, shape (patches,)
        Patches that have no place there.
    """
    count = len(patches)
    means = np.empty((3, *decoded.shape))
    variances = np.empty((3, *decoded.shape))
    for side in range(3):
        _local_statistics(decoded, side, means[side], variances[side])
    back = np.full((count, min(frames, 2 * reach + 1)), -1, np.int64)
    score, before, nsim = np.zeros(frames), np.zeros(frames), np.empty(frames)
    for index in range(count):
        before, score = score, before
        score[:] = 0.0
        low, high = max(0, starts[index] - reach), min(frames - 1, starts[index] + reach)
        _nsim_everywhere(patches[index], decoded, means, variances, low, high, nsim)
        first = max(0, starts[index - 1] - reach) if index else 0
        _advance(nsim, before, index == 0, low, high, first, score, back[index])
    result: tuple[Indices, npt.NDArray[np.bool_]] = _trace_back(score, back, starts, frames, reach)
    return result


@_compiled
def _local_statistics(values: Array, side: int, mean: Array, variance: Array) -> None:
    """Fill mean and variance under the 3 x 3 window; values beyond an edge repeat it.

    `side` 1 takes each column for the leftmost, 2 for the rightmost: the edges of a patch.
    """
    rows, columns = values.shape
    for row in range(rows):
        for column in range(columns):
            left = column if side == 1 else max(column - 1, 0)
            right = column if side == 2 else min(column + 1, columns - 1)
            total, square = 0.0, 0.0
            for k in range(3):
                r = min(max(row + k - 1, 0), rows - 1)
                for j, c in enumerate((left, column, right)):
                    total += KERNEL[k, j] * values[r, c]
                    square += KERNEL[k, j] * (values[r, c] * values[r, c])
            mean[row, column] = total
            variance[row, column] = square - total * total


@_compiled
def _nsim_everywhere(
    patch: Array, decoded: Array, means: Array, variances: Array, low: int, high: int, out: Array
) -> None:
    """Fill ``out[low : high + 1]`` with the NSIM of a patch and what begins there."""
    rows, width = patch.shape
    count = high - low + 1
    mean, variance = np.empty_like(patch), np.empty_like(patch)
    _local_statistics(patch, 0, mean, variance)
    band, total = np.empty(count), np.zeros(count)
    for row in range(rows):
        above, below = max(row - 1, 0), min(row + 1, rows - 1)
        band[:] = 0.0
        for column in range(width):
            left, right = max(column - 1, 0), min(column + 1, width - 1)
            side = 1 if column == 0 else (2 if column == width - 1 else 0)
            places = left, column, right
            _add_cells(
                _cells(patch[above], places),
                _cells(patch[row], places),
                _cells(patch[below], places),
                _views(decoded[above, low:], places),
                _views(decoded[row, low:], places),
                _views(decoded[below, low:], places),
                (mean[row, column], variance[row, column]),
                means[side, row, low + column :],
                variances[side, row, low + column :],
                band,
            )
        for offset in range(count):
            total[offset] += band[offset] / width
    for offset in range(count):
        out[low + offset] = total[offset] / rows


@_compiled
def _cells(row: Array, places: tuple[int, int, int]) -> tuple[float, float, float]:
    return row[places[0]], row[places[1]], row[places[2]]


@_compiled
def _views(row: Array, places: tuple[int, int, int]) -> tuple[Array, Array, Array]:
    return row[places[0] :], row[places[1] :], row[places[2] :]


@_compiled
def _add_cells(
    x_above: Any, x_row: Any, x_below: Any, y_above: Any, y_row: Any, y_below: Any,
    x_statistics: Any, y_mean: Array, y_variance: Array, band: Array,
) -> None:  # fmt: skip
    """Add to each offset's `band` the similarity of one cell of the patch with its partner."""
    (x0, x1, x2), (x3, x4, x5), (x6, x7, x8) = x_above, x_row, x_below
    (y0, y1, y2), (y3, y4, y5), (y6, y7, y8) = y_above, y_row, y_below
    mean, variance = x_statistics
    corner, edge, centre = KERNEL[0, 0], KERNEL[0, 1], KERNEL[1, 1]
    mean_square = mean * mean
    for i in range(len(band)):
        cross = corner * (x0 * y0[i])
        cross += edge * (x1 * y1[i])
        cross += corner * (x2 * y2[i])
        cross += edge * (x3 * y3[i])
        cross += centre * (x4 * y4[i])
        cross += edge * (x5 * y5[i])
        cross += corner * (x6 * y6[i])
        cross += edge * (x7 * y7[i])
        cross += corner * (x8 * y8[i])
        product = mean * y_mean[i]
        intensity = (2.0 * product + _C1) / (mean_square + y_mean[i] * y_mean[i] + _C1)
        spread = variance * y_variance[i]
        deviation = np.sqrt(spread) if spread >= 0.0 else 0.0
        band[i] += intensity * ((cross - product + _C3) / (deviation + _C3))


@_compiled
def _advance(
    nsim: Array, before: Array, is_first: bool, low: int, high: int, first: int,
    score: Array, back: Indices,
) -> None:  # fmt: skip
    """Fill one row of scores, and of the offsets of the patch before; ties go to the later."""
    best, best_offset = -1e308, -1
    for offset in range(first, high + 1):
        if offset >= low:
            value, past = nsim[offset], -1
            if not is_first:
                value, past = value + best, best_offset
                if before[offset] > value:
                    value, past = before[offset], offset
            score[offset] = value
            back[offset - low] = past
        if before[offset] >= best:
            best, best_offset = before[offset], offset


@_compiled
def _trace_back(
    score: Array, back: Indices, starts: Indices, frames: int, reach: int
) -> tuple[Indices, npt.NDArray[np.bool_]]:
    count = len(starts)
    low, high = max(0, starts[-1] - reach), min(frames - 1, starts[-1] + reach)
    offset = low + int(np.argmax(score[low : high + 1]))
    offsets, lost = np.empty(count, np.int64), np.empty(count, np.bool_)
    for index in range(count - 1, -1, -1):
        position = offset - max(0, starts[index] - reach)
        past = back[index, position] if 0 <= position < back.shape[1] else -1
        offsets[index], lost[index] = offset, past == offset
        offset = past if past >= 0 else frames - 1  # the package's index -1: the last frame
    return offsets, lost
