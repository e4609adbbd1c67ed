"""A tidy table as CSV."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


def write_csv(table: pa.Table) -> str:
    """Return a tidy table as CSV (RFC 4180 quoting, line feeds), every number in full.

    An empty field is no number or no text.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.column_names)
    for batch in table.to_batches():
        writer.writerows(zip(*(column.to_pylist() for column in batch.columns), strict=True))
    return out.getvalue()
