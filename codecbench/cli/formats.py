"""Output formats that several commands share; stdout gets results and nothing else."""

from __future__ import annotations

import enum
import json
import sys


class OutputFormat(enum.StrEnum):
    """Formats of a table."""

    rich = "rich"
    markdown = "markdown"
    csv = "csv"
    latex = "latex"
    html = "html"
    typst = "typst"
    json = "json"


class PlainFormat(enum.StrEnum):
    """Formats of everything else."""

    rich = "rich"
    json = "json"


def write_json(value: object) -> None:
    """Print JSON; NaN and infinities must already be null."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def write_record(record: dict[str, object], format: PlainFormat) -> None:  # noqa: A002
    """Print a record as JSON or as lines of name and value."""
    if format == PlainFormat.json:
        write_json(record)
        return
    width = max(len(name) for name in record)
    for name, value in record.items():
        sys.stdout.write(f"{name:<{width}}  {value}\n")
