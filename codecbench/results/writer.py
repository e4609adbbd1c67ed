"""Writes results of a run into its folder, in parts, whole or not at all."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from .run_folder import BITSTREAMS, ROWS, Run
from .schema import (
    Row,
    StoredBitstream,
    bitstreams_schema,
    parts,
    rows_schema,
    write_part,
    write_table_part,
)

if TYPE_CHECKING:
    import pyarrow as pa

FLUSH_SECONDS = 10.0
"""At most this much work is lost when the process is killed."""

FLUSH_BYTES = 32_000_000
COMPACT_ABOVE_PARTS = 16


class Writer:
    """Collects rows and bitstreams and writes them as Parquet parts.

    Bitstreams are written before the rows that depend on them. Used as a context manager;
    what is pending is written on the way out, also when an exception passes.

    Parameters
    ----------
    path : Path
        The run folder.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: list[Row] = []
        self._bitstreams: list[StoredBitstream] = []
        self._bytes = 0
        self._last_flush = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.flush()

    def add(self, rows: Sequence[Row], bitstream: StoredBitstream | None) -> None:
        """Add results; written at the latest with the first results after `FLUSH_SECONDS`."""
        self._rows += rows
        if bitstream is not None:
            self._bitstreams.append(bitstream)
            self._bytes += len(bitstream.data)
        overdue = time.monotonic() - self._last_flush > FLUSH_SECONDS
        if overdue or self._bytes > FLUSH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what is pending."""
        if self._bitstreams:
            write_part(self._path / BITSTREAMS, self._bitstreams, bitstreams_schema())
        if self._rows:
            write_part(self._path / ROWS, self._rows, rows_schema())
        self._rows, self._bitstreams, self._bytes = [], [], 0
        self._last_flush = time.monotonic()


def compact(path: Path) -> None:
    """Merge many small row parts into one; only while holding the run's lock.

    Killed between writing the merged part and removing the old ones, rows are there twice,
    and the latest of equal rows counts.
    """
    old = parts(path / ROWS)
    if len(old) <= COMPACT_ABOVE_PARTS:
        return
    with Run(path).connection() as database:
        table: pa.Table = database.sql(
            "SELECT * FROM rows ORDER BY codec, corpus, split, utterance, metric_spec, metric"
        ).to_arrow_table()
    write_table_part(path / ROWS, table.cast(rows_schema()))
    for part in old:
        part.unlink()
