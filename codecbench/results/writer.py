"""Writes results of a run into its folder, in parts, whole or not at all."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from .merging import merge_parts
from .run_folder import BITSTREAMS, ROWS
from .schema import (
    BITSTREAM_KEY,
    ROW_KEY,
    Row,
    StoredBitstream,
    bitstreams_schema,
    rows_schema,
    write_part,
)

FLUSH_SECONDS = 10.0
"""At most this much work is lost when the process is killed."""

FLUSH_BYTES = 32_000_000


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
    """Merge many small parts into few larger ones; only while holding the run's lock.

    Takes memory for the keys of what is merged and for a few row groups. Killed at any moment,
    nothing is lost: a merged part is there whole before those it replaces are removed.
    """
    merge_parts(path / ROWS, ROW_KEY, rows_schema())
    merge_parts(path / BITSTREAMS, BITSTREAM_KEY, bitstreams_schema())
