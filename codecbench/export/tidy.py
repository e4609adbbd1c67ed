"""Tidy tables of a run, as Arrow: one row a number, with columns that stay."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..reports.formats.long_form import records_of
from ..reports.table import GROUP_KEYS, Row
from .selection import Selection

if TYPE_CHECKING:
    import pyarrow as pa

ROWS = {
    "codec": "string",
    "identity": "string",
    "corpus": "string",
    "split": "string",
    "speaker": "string",
    "utterance": "string",
    "rate": "int32",
    "metric": "string",
    "definition": "string",
    "unit": "string",
    "better": "string",
    "value": "double",
    "numerator": "double",
    "denominator": "double",
    "error": "string",
    "seen_in_training": "bool",
}
"""Columns of level ``rows`` (one utterance, codec and metric a row) and their Arrow types."""

SUMMARY = {
    "codec": "string",
    "identity": "string",
    "corpus": "string",
    "split": "string",
    "speaker": "string",
    "rate": "int32",
    "metric": "string",
    "title": "string",
    "definition": "string",
    "unit": "string",
    "better": "string",
    "value": "double",
    "low": "double",
    "high": "double",
    "n": "int64",
    "speakers": "int64",
    "scored": "int64",
    "failures": "int64",
    "reason": "string",
    "interval": "string",
    "mark": "string",
}
"""Columns of level ``summary`` (one group, codec and metric a row) and their Arrow types."""

LEVELS = ("rows", "summary")


def tidy_table(selection: Selection, level: str) -> pa.Table:
    """Return a selection as a tidy table.

    Parameters
    ----------
    selection : Selection
    level : {"rows", "summary"}

    Returns
    -------
    pyarrow.Table
        With the columns `ROWS` or `SUMMARY`; null where there is no number. `notes` and the
        version of codecbench are in the schema's metadata.

    Raises
    ------
    UserError
        If nothing is left to export.
    """
    table = _rows(selection) if level == "rows" else _summary(selection)
    facts = {"codecbench": __version__, "level": level, "notes": notes_of(selection, level)}
    texts = {f"codecbench.{key}": json.dumps(fact) for key, fact in facts.items()}
    return table.replace_schema_metadata(texts)


def notes_of(selection: Selection, level: str) -> list[str]:
    """Return the sentences without which the numbers must not be shown."""
    if level == "summary":
        return list(selection.table.notes)
    return [*selection.run.conditions, *selection.left_out]


def _rows(selection: Selection) -> pa.Table:
    import pyarrow as pa

    frame = selection.frame
    better = {name: column.better for name, column in selection.run.columns.items()}
    frame = frame.assign(
        identity=frame["codec"].map(selection.identity),
        better=frame["metric"].map(better),
        value=frame["value"].where(frame["value"].abs() < math.inf),
        definition=frame["metric_spec"],
        seen_in_training=frame["speaker_seen_in_training"],
    )
    return pa.Table.from_pandas(frame[list(ROWS)], _schema(ROWS), preserve_index=False)


def _summary(selection: Selection) -> pa.Table:
    import pyarrow as pa

    return pa.Table.from_pylist(list(_summary_records(selection)), _schema(SUMMARY))


def _summary_records(selection: Selection) -> Iterator[dict[str, Any]]:
    """Yield the records of ``codecbench report``; what is no key of the groups is None."""
    keys: dict[str, Any] = dict.fromkeys(GROUP_KEYS)
    for record in records_of(selection.table):
        found = keys | record | {"identity": selection.identity(record["codec"])}
        yield found | {"rate": _rate(found["rate"])}


def _rate(text: str | None) -> int | None:
    """Read a group's rate back; that of audio that cannot be read is not known."""
    return int(text) if text and text.isdigit() else None


def _schema(columns: Mapping[str, str]) -> pa.Schema:
    import pyarrow as pa

    return pa.schema([(name, pa.type_for_alias(kind)) for name, kind in columns.items()])


def group_name(row: Row) -> str:
    """Return the name of a row's group within keys of metrics: ``librispeech``, or ``all``."""
    return "/".join(row.group) or "all"
