"""The columns of a run's data set and how rows become Parquet."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..files import atomic_path

if TYPE_CHECKING:
    import pyarrow as pa

REFERENCE = "reference"
"""Name under which the reference's own scores stand beside the codecs."""

FRAME_COLUMNS = (
    "codec",
    "corpus",
    "split",
    "speaker",
    "utterance",
    "rate",
    "metric",
    "value",
    "numerator",
    "denominator",
    "unit",
    "error",
)
"""Columns of `Run.frame`."""

TEXT_COLUMNS = ("reference_text", "decoded_text")
"""Texts that were compared; parts written before they were kept do not have these columns."""

ROW_KEY = ("codec", "corpus", "split", "utterance", "metric_spec", "metric")
"""What makes two rows the same; the later one counts. Frames are sorted by it."""

BITSTREAM_KEY = ("codec", "corpus", "split", "utterance")
"""What makes two bitstreams the same; the later one counts."""

ROW_GROUP_BYTES = 2_000_000
"""Parts are read in row groups of about this size, before compression."""


@dataclass(frozen=True, slots=True)
class Row:
    """One number of one utterance through one codec, or the reason why there is none."""

    codec: str
    corpus: str
    split: str
    speaker: str
    utterance: str
    rate: int | None
    metric: str
    metric_spec: str
    value: float
    numerator: float | None
    denominator: float | None
    unit: str
    error: str | None
    reference_text: str | None = None
    decoded_text: str | None = None


@dataclass(frozen=True, slots=True)
class StoredBitstream:
    """The container file of one utterance through one codec."""

    codec: str
    corpus: str
    split: str
    utterance: str
    seconds: float
    data: bytes


def rows_schema() -> pa.Schema:
    """Return the Arrow schema of the rows."""
    import pyarrow as pa

    text = pa.dictionary(pa.int32(), pa.string())
    kinds: dict[str, Any] = {
        "codec": text,
        "corpus": text,
        "split": text,
        "speaker": text,
        "utterance": pa.string(),
        "rate": pa.int32(),
        "metric": text,
        "metric_spec": text,
        "value": pa.float64(),
        "numerator": pa.float64(),
        "denominator": pa.float64(),
        "unit": text,
        "error": pa.string(),
        "reference_text": pa.string(),
        "decoded_text": pa.string(),
    }
    return pa.schema([(field.name, kinds[field.name]) for field in fields(Row)])


def bitstreams_schema() -> pa.Schema:
    """Return the Arrow schema of the bitstreams."""
    import pyarrow as pa

    text = pa.dictionary(pa.int32(), pa.string())
    return pa.schema(
        [
            ("codec", text),
            ("corpus", text),
            ("split", text),
            ("utterance", pa.string()),
            ("seconds", pa.float64()),
            ("data", pa.binary()),
        ]
    )


def write_part(folder: Path, records: Sequence[Row | StoredBitstream], schema: pa.Schema) -> Path:
    """Write records as a new part of a data set, whole or not at all; later parts win.

    Only while holding the run's lock: parts are numbered, and the clock has no say in which of
    two is the later one.
    """
    import pyarrow as pa

    columns = {name: [getattr(record, name) for record in records] for name in schema.names}
    path = part_path(folder, 1 + max(map(part_number, parts(folder)), default=0))
    write_table_part(path, [pa.table(columns, schema=schema)], schema)
    return path


def write_table_part(path: Path, tables: Iterable[pa.Table], schema: pa.Schema) -> None:
    """Write Arrow tables, one after another, as one part of about equal row groups."""
    import pyarrow.parquet as pq

    with (
        atomic_path(path) as temporary,
        # Checksums, because a flipped bit in a stored number could not be noticed otherwise.
        pq.ParquetWriter(temporary, schema, compression="zstd", write_page_checksum=True) as writer,
    ):
        for group in _row_groups(tables):
            writer.write_table(group.cast(schema), row_group_size=max(1, len(group)))


def _row_groups(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Split and join tables, so that each has about `ROW_GROUP_BYTES`."""
    pending: list[pa.Table] = []
    size = 0
    for table in tables:
        rows = max(1, len(table) * ROW_GROUP_BYTES // max(1, table.nbytes))
        for start in range(0, len(table), rows):
            piece = table.slice(start, rows)
            if pending and size + piece.nbytes > ROW_GROUP_BYTES:
                yield _joined(pending)
                pending, size = [], 0
            pending.append(piece)
            size += piece.nbytes
    if pending:
        yield _joined(pending)


def _joined(tables: list[pa.Table]) -> pa.Table:
    import pyarrow as pa

    return pa.concat_tables(tables).unify_dictionaries().combine_chunks()


def part_path(folder: Path, number: int) -> Path:
    """Name a part; the name is new even if there is one of that number."""
    return folder / f"part-{number:020d}-{uuid.uuid4().hex[:8]}.parquet"


def part_number(path: Path) -> int:
    """Return the place of a part among the others.

    Parts that were named by the time of their writing have numbers too: large ones, which those
    written after them exceed.
    """
    found = re.match(r"part-(\d+)-", path.name)
    return int(found[1]) if found else 0


def parts(folder: Path) -> list[Path]:
    """List the parts of a data set, oldest first."""
    return sorted(folder.glob("part-*.parquet"), key=lambda path: (part_number(path), path.name))


def sweep_temporaries(folders: Iterable[Path]) -> None:
    """Remove what a killed process left half-written; only while holding the run's lock."""
    for folder in folders:
        for leftover in folder.glob(".tmp-*"):
            leftover.unlink(missing_ok=True)
