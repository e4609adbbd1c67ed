"""Merges the many small parts that a run leaves into few larger ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from .codes import Codes, joined_keys, last_of_equal
from .reading import row_groups
from .schema import TEXT_COLUMNS, part_number, part_path, parts, write_table_part

if TYPE_CHECKING:
    import pyarrow as pa

MERGE_ABOVE_PARTS = 16
"""Merging waits until it makes the data set this many parts fewer."""

PART_BYTES = 64_000_000
"""Up to which size parts are merged."""


def merge_parts(
    folder: Path, key: Sequence[str], schema: pa.Schema, above: int | None = None
) -> None:
    """Merge neighbouring parts of a data set; only while holding the run's lock.

    A merged part takes the number of the latest that it replaces, and so its place among the
    others. Killed between writing it and removing those, rows are there twice, and the latest of
    equal rows counts.

    Parameters
    ----------
    folder : Path
    key : sequence of str
        The columns that make two rows the same; of those, the latest is kept.
    schema : pyarrow.Schema
    above : int, optional
        Merge only if it makes the data set at least this many parts fewer; `MERGE_ABOVE_PARTS` if
        None.

    Raises
    ------
    UserError
        If a part is damaged; nothing is removed then.
    """
    groups = [group for group in _neighbours(parts(folder)) if len(group) > 1]
    fewer = sum(len(group) - 1 for group in groups)
    if fewer < (MERGE_ABOVE_PARTS if above is None else above):
        return
    for group in groups:
        kept = _latest(group, key)
        merged = part_path(folder, part_number(group[-1]))
        write_table_part(merged, _kept_rows(group, kept, schema), schema)
        for part in group:
            part.unlink()


def _neighbours(listed: Sequence[Path]) -> Iterator[list[Path]]:
    """Split parts into runs that together have at most `PART_BYTES`, or are one part."""
    group: list[Path] = []
    size = 0
    for part in listed:
        own = part.stat().st_size
        if group and size + own > PART_BYTES:
            yield group
            group, size = [], 0
        group.append(part)
        size += own
    if group:
        yield group


def _latest(group: Sequence[Path], key: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Return which rows of the parts are the latest of their key, in the order of the parts."""
    codes = {name: Codes() for name in key}
    found: dict[str, list[npt.NDArray[np.int32]]] = {name: [] for name in key}
    for _, _, table in row_groups(group, key, key):
        for name in key:
            found[name].append(codes[name].of(table[name]))
    columns = []
    for name in key:
        ranks = codes[name].ranks()
        numbers = np.concatenate(found.pop(name) or [np.empty(0, np.int32)])
        columns.append((ranks[numbers], len(ranks)))
    keys = joined_keys(columns)
    kept = np.zeros(len(keys), bool)
    kept[last_of_equal(keys)] = True
    return kept


def _kept_rows(
    group: Sequence[Path], kept: npt.NDArray[np.bool_], schema: pa.Schema
) -> Iterator[pa.Table]:
    import pyarrow as pa

    start = 0
    for _, _, table in row_groups(group, schema.names, optional=TEXT_COLUMNS):
        mask = kept[start : start + len(table)]
        start += len(table)
        yield table if mask.all() else table.filter(pa.array(mask))
