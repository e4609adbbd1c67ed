"""A tidy table as a Parquet file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..files import atomic_path

if TYPE_CHECKING:
    import pyarrow as pa


def write_parquet(table: pa.Table, path: Path) -> None:
    """Write a tidy table as Parquet, whole or not at all."""
    import pyarrow.parquet as pq

    with atomic_path(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")
