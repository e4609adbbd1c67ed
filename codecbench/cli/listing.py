"""What commands share that print plain tables or records in full."""

from __future__ import annotations

import csv
import enum
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .screen import DEFAULT_WIDTH, screen, write_result

if TYPE_CHECKING:
    from ..reports.plain_table import PlainTable


class ListingFormat(enum.StrEnum):
    """Formats of rankings and deltas."""

    rich = "rich"
    markdown = "markdown"
    csv = "csv"
    json = "json"


def write_listing(
    tables: Sequence[PlainTable],
    notes: Sequence[str],
    records: list[dict[str, Any]],
    format: ListingFormat,  # noqa: A002 - the option's name
    output: Path | None,
) -> None:
    """Print tables with notes, or records in full."""
    from ..reports.plain_table import render_tables

    if format == ListingFormat.json:
        text = json.dumps(records, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    elif format == ListingFormat.csv:
        text = _csv(records)
    else:
        options = screen() if output is None else {"width": DEFAULT_WIDTH, "color": False}
        text = render_tables(tables, notes, format.value, **options)
    write_result(text, output)


def _csv(records: list[dict[str, Any]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(records[0]), lineterminator="\n")
    writer.writeheader()
    for record in records:
        joined = {k: " ".join(v) if isinstance(v, list) else v for k, v in record.items()}
        writer.writerow(joined)
    return out.getvalue()
