"""A table as CSV or JSON: one record a cell, every number in full precision."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator
from typing import Any

from ...metric import Column
from ...statistics.bootstrap import RESAMPLES
from ...statistics.clusters import LEVEL
from ..table import Table


def records_of(table: Table) -> Iterator[dict[str, Any]]:
    """Yield one record for each codec, group and metric; None where there is no number.

    `definition` is the metric's canonical spec, whose card is in the run's manifest.
    """
    for row in table.rows:
        for name, column in table.columns.items():
            cell = row.cells[name]
            yield {
                "codec": row.codec,
                **dict(zip(table.keys, row.group, strict=True)),
                "metric": name,
                "title": column.title,
                "definition": table.specs.get(name),
                "unit": column.unit,
                "better": column.better,
                "value": _finite(cell.value),
                "low": _finite(cell.low),
                "high": _finite(cell.high),
                "n": cell.n,
                "speakers": cell.speakers,
                "scored": cell.scored,
                "failures": cell.failures,
                "reason": cell.reason,
                "interval": cell.method,
                "mark": cell.mark,
                "published": row.source or None,
            }


def write_csv(table: Table) -> str:
    """Write the records as CSV (RFC 4180 quoting, line feeds); an empty field is no number."""
    records = list(records_of(table))
    out = io.StringIO()
    writer = csv.DictWriter(out, list(records[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return out.getvalue()


def write_json(table: Table) -> str:
    """Write columns, records and notes as JSON without NaN or infinity."""
    document = {
        "level": LEVEL,
        "resamples": RESAMPLES,
        "keys": list(table.keys),
        "labels": table.labels,
        "columns": {
            name: column_facts(column) | {"definition": table.specs.get(name)}
            for name, column in table.columns.items()
        },
        "cells": list(records_of(table)),
        "notes": list(table.notes),
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def column_facts(column: Column) -> dict[str, Any]:
    """Return what a reader must know of a column, ready for JSON."""
    return {
        "column": column.name,
        "title": column.title,
        "unit": column.unit,
        "better": column.better,
        "bounds": [_finite(bound) for bound in column.bounds],
        "pooled": column.pooled,
        "ranked": column.ranked,
        "digits": column.digits,
    }


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else value
