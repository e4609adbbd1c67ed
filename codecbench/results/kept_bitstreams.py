"""Bitstreams of earlier commands, found without reading them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .codes import Codes
from .reading import opened, row_groups
from .schema import BITSTREAM_KEY, StoredBitstream, parts

if TYPE_CHECKING:
    import pyarrow as pa

Key = tuple[str, str, str, str]
"""Codec, corpus, split and id of the utterance."""

_CACHE_BYTES = 32_000_000
_COLUMNS = ("seconds", "data")


class KeptBitstreams:
    """The bitstreams that a run folder holds when this is made; later ones are not seen.

    Only while holding the run's lock: the parts must not be merged meanwhile. Keeps an index of
    what is wanted and, besides, up to 32 MB of row groups.

    Parameters
    ----------
    folder : Path
    wanted : collection of (codec, corpus, split, utterance)

    Raises
    ------
    UserError
        If a part is damaged.
    """

    def __init__(self, folder: Path, wanted: Collection[Key]) -> None:
        self._places: dict[Key, tuple[Path, int, int]] = {}
        self._cache: OrderedDict[tuple[Path, int], pa.Table] = OrderedDict()
        found = parts(folder) if wanted else []
        for path, group, table in row_groups(found, BITSTREAM_KEY, BITSTREAM_KEY):
            # Later parts come later and replace what stands there.
            columns = [_texts(table[name]) for name in BITSTREAM_KEY]
            for row, key in enumerate(zip(*columns, strict=True)):
                if key in wanted:
                    self._places[key] = (path, group, row)

    def of(self, keys: Sequence[Key]) -> dict[Key, StoredBitstream]:
        """Return the bitstreams of these keys, of those that are there."""
        places = sorted((self._places[key], key) for key in keys if key in self._places)
        found = {}
        for (path, group, row), key in places:
            table = self._row_group(path, group)
            seconds, data = (table[name][row].as_py() for name in _COLUMNS)
            found[key] = StoredBitstream(*key, seconds, data)
        return found

    def _row_group(self, path: Path, number: int) -> pa.Table:
        place = path, number
        if place not in self._cache:
            with opened(path, _COLUMNS) as file:
                self._cache[place] = file.read_row_group(number, columns=list(_COLUMNS))
            while len(self._cache) > 1 and self._cached_bytes() > _CACHE_BYTES:
                self._cache.popitem(last=False)
        self._cache.move_to_end(place)
        return self._cache[place]

    def _cached_bytes(self) -> int:
        return sum(table.nbytes for table in self._cache.values())


def _texts(column: pa.ChunkedArray) -> list[str]:
    codes = Codes()
    numbers = codes.of(column)
    return list(codes.strings()[np.asarray(numbers)])
