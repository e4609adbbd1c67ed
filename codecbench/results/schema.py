"""The columns of a run's data set and how rows become Parquet."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Sequence
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
    """Write records as a new part of a data set, whole or not at all; later parts win."""
    import pyarrow as pa

    columns = {name: [getattr(record, name) for record in records] for name in schema.names}
    return write_table_part(folder, pa.table(columns, schema=schema))


def write_table_part(folder: Path, table: pa.Table) -> Path:
    """Write an Arrow table as a new part of a data set."""
    import pyarrow.parquet as pq

    path = folder / f"part-{time.time_ns():020d}-{uuid.uuid4().hex[:8]}.parquet"
    with atomic_path(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")
    return path


def parts(folder: Path) -> list[Path]:
    """List the parts of a data set, oldest first."""
    return sorted(folder.glob("part-*.parquet"))


def sweep_temporaries(folders: Iterable[Path]) -> None:
    """Remove what a killed process left half-written; only while holding the run's lock."""
    for folder in folders:
        for leftover in folder.glob(".tmp-*"):
            leftover.unlink(missing_ok=True)
