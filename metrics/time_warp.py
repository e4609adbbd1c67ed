"""Dynamic time warping in memory proportional to the length."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Frames = npt.NDArray[np.float64]
Costs = npt.NDArray[np.float64]


def warped_mean_distance(x: Frames, y: Frames) -> float:
    """Return the mean Euclidean distance along the path of the smallest summed distance.

    Steps (1, 0), (0, 1) and (1, 1), all of weight one, no band; among equal sums the path through
    the diagonal, then through the frame before in `x`, is taken. The grid is filled along its
    anti-diagonals, of which three are held.

    Parameters
    ----------
    x, y : array of float64, shape (frames, dimensions)
        At least one frame each.
    """
    total = len(x) + len(y) - 1
    # Index i + 1 holds the cell (i, diagonal - i): two earlier diagonals of sums and of lengths.
    sums = [np.full(len(x) + 1, np.inf) for _ in range(2)]
    steps = [np.zeros(len(x) + 1) for _ in range(2)]
    for diagonal in range(total):
        rows = np.arange(max(0, diagonal - len(y) + 1), min(diagonal, len(x) - 1) + 1)
        local = np.sqrt(((x[rows] - y[diagonal - rows]) ** 2).sum(axis=1))
        best, length = _best_before(sums, steps, rows) if diagonal else (np.zeros(1), np.zeros(1))
        new_sums, new_steps = np.full(len(x) + 1, np.inf), np.zeros(len(x) + 1)
        new_sums[rows + 1], new_steps[rows + 1] = best + local, length + 1
        sums, steps = [sums[1], new_sums], [steps[1], new_steps]
    return float(sums[1][len(x)] / steps[1][len(x)])


def _best_before(
    sums: list[Costs], steps: list[Costs], rows: npt.NDArray[np.int64]
) -> tuple[Costs, Costs]:
    """Choose the cheapest of the cells (i-1, j-1), (i-1, j), (i, j-1) for cells of a diagonal."""
    costs = np.stack([sums[0][rows], sums[1][rows], sums[1][rows + 1]])
    lengths = np.stack([steps[0][rows], steps[1][rows], steps[1][rows + 1]])
    choice = costs.argmin(axis=0)[None]
    return np.take_along_axis(costs, choice, 0)[0], np.take_along_axis(lengths, choice, 0)[0]
