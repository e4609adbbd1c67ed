"""Text columns as integers, and rows of equal keys found by them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pyarrow as pa

Integers = npt.NDArray[np.int64]
_LARGEST = 2**62


class Codes:
    """Numbers the distinct texts of a column in the order in which they come."""

    def __init__(self) -> None:
        self._numbers: dict[str | None, int] = {None: -1}
        self.texts: list[str] = []

    def of(self, column: pa.ChunkedArray) -> npt.NDArray[np.int32]:
        """Return the number of each text of a column; -1 for null."""
        chunks = [self._of_chunk(chunk) for chunk in column.chunks]
        return np.concatenate(chunks) if chunks else np.empty(0, np.int32)

    def _of_chunk(self, chunk: Any) -> npt.NDArray[np.int32]:
        import pyarrow as pa

        if not pa.types.is_dictionary(chunk.type):
            chunk = chunk.dictionary_encode()
        # Null has index -1, which is the last.
        mapping = np.array([*map(self._number, chunk.dictionary.to_pylist()), -1], np.int32)
        indices = chunk.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        return np.asarray(mapping[indices])

    def _number(self, text: str | None) -> int:
        number = self._numbers.setdefault(text, len(self.texts))
        if number == len(self.texts) and text is not None:
            self.texts.append(text)
        return number

    def strings(self) -> npt.NDArray[np.object_]:
        """Return the texts by number, and None by -1."""
        return np.array([*self.texts, None], object)

    def ranks(self) -> Integers:
        """Return the place of each text among the sorted ones."""
        places = np.empty(len(self.texts), np.int64)
        places[sorted(range(len(self.texts)), key=self.texts.__getitem__)] = np.arange(len(places))
        return places


def joined_keys(columns: Sequence[tuple[npt.NDArray[Any], int]]) -> Integers:
    """Return one integer for each row, which sorts as the tuple of its columns does.

    Parameters
    ----------
    columns : sequence of (array of int, shape (rows,); int)
        Values and how many different ones there can be, the most significant column first.
    """
    keys = np.zeros(len(columns[0][0]), np.int64)
    size = 1
    for values, count in columns:
        if size * count > _LARGEST:
            distinct, keys = np.unique(keys, return_inverse=True)
            size = len(distinct)
        keys = keys * count + values
        size *= count
    return keys


def last_of_equal(keys: Integers) -> Integers:
    """Return the positions of the last of equal keys, sorted by key."""
    order = np.argsort(keys, kind="stable")
    ascending = keys[order]
    last = np.ones(len(keys), bool)
    last[:-1] = ascending[1:] != ascending[:-1]
    return order[last]
