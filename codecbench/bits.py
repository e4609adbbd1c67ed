"""Packing whole numbers into bits, exactly: a 10-bit code costs 10 bits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .errors import BitstreamError


def bits_for(size: int) -> int:
    """Return how many bits an index into `size` entries costs (0 for one entry)."""
    if size < 1:
        raise ValueError(f"size must be at least 1; got {size}")
    return (size - 1).bit_length()


def pack(values: npt.ArrayLike, widths: Sequence[int]) -> bytes:
    """Pack one value a width, most significant bit first, zero bits to the end of the last byte.

    Parameters
    ----------
    values : array-like of int, shape (n,)
        Each in [0, 2**width).
    widths : sequence of int, length n
        Bits a value, 0 to 63.

    Raises
    ------
    BitstreamError
        If a value does not fit its width.
    """
    numbers = np.asarray(values, dtype=np.int64)
    width = np.asarray(widths, dtype=np.int64)
    if numbers.shape != width.shape:
        raise BitstreamError(f"{numbers.size} values for {width.size} widths")
    if ((numbers < 0) | (numbers >> width != 0)).any():
        raise BitstreamError("a value does not fit into the bits of its code")
    position = np.arange(int(width.max(initial=0)))[::-1]
    grid = (numbers[:, None] >> position) & 1
    return np.packbits(grid[position < width[:, None]].astype(np.uint8)).tobytes()


def unpack(data: bytes, widths: Sequence[int]) -> npt.NDArray[np.int64]:
    """Undo `pack`.

    Returns
    -------
    array of int64, shape (len(widths),)

    Raises
    ------
    BitstreamError
        If `data` is shorter than the widths ask for.
    """
    width = np.asarray(widths, dtype=np.int64)
    if 8 * len(data) < width.sum():
        raise BitstreamError(f"{8 * len(data)} bits where {int(width.sum())} are needed")
    bits = np.unpackbits(np.frombuffer(data, np.uint8), count=int(width.sum()))
    position = np.arange(int(width.max(initial=0)))[::-1]
    grid = np.zeros((len(width), len(position)), np.int64)
    grid[position < width[:, None]] = bits
    result: npt.NDArray[np.int64] = (grid << position).sum(axis=1)
    return result
