"""Cards of codecs, metrics and corpora as text for terminals, Markdown and JSON."""

from __future__ import annotations

import json
import math

from ..errors import UserError
from ..metric import Column
from .formats.markdown import escape
from .layout import ARROWS, one_line
from .plain_table import markdown_listing, render_listing
from .sheets import Sheet

CARD_FORMATS = ("rich", "markdown", "json")

_KEY_HEADS = ("key", "values", "default", "meaning")
_COLUMN_HEADS = ("column", "title", "unit", "better", "range", "over a corpus", "default set")


def render_card(sheet: Sheet, kind: str = "rich", width: int = 100, color: bool = False) -> str:
    """Write a sheet.

    Parameters
    ----------
    sheet : Sheet
    kind : {"rich", "markdown", "json"}
    width : int
        Columns of the terminal (``rich`` alone).
    color : bool
        Whether the terminal understands styles (``rich`` alone).

    Raises
    ------
    UserError
        If the format is not known.
    """
    if kind == "json":
        return json.dumps(sheet.as_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    if kind == "markdown":
        return _markdown(sheet)
    if kind == "rich":
        return _terminal(sheet, width, color)
    raise UserError(f"unknown format '{kind}' (known: {', '.join(CARD_FORMATS)})")


def _terminal(sheet: Sheet, width: int, color: bool) -> str:
    title = f"{sheet.kind} {one_line(sheet.spec)}"
    parts = [render_listing(("", ""), _facts(sheet), title, width, color)]
    if sheet.columns:
        parts.append(render_listing(_COLUMN_HEADS, map(_column, sheet.columns), "", width, color))
    if sheet.keys:
        parts.append(render_listing(_KEY_HEADS, _keys(sheet), "", width, color))
    if sheet.example:
        # Outside the tables, which would break the line that is to be pasted.
        parts.append(f"Example:\n\n    {one_line(sheet.example)}\n")
    return "\n".join(parts)


def _markdown(sheet: Sheet) -> str:
    heading = f"# {sheet.kind.capitalize()} `{one_line(sheet.spec).replace('`', '')}`"
    return f"{heading}\n\n{markdown_body(sheet)}"


def markdown_body(sheet: Sheet, with_state: bool = True) -> str:
    """Write what stands below a sheet's heading as Markdown.

    Parameters
    ----------
    sheet : Sheet
    with_state : bool
        Say whether it can run here; not wanted where it is read on other machines.
    """
    facts = _facts(sheet) if with_state else sheet.facts
    parts = ["\n".join(f"- **{escape(name)}**: {escape(text)}" for name, text in facts)]
    if sheet.columns:
        parts.append(markdown_listing(_COLUMN_HEADS, map(_column, sheet.columns)))
    if sheet.keys:
        parts.append(markdown_listing(_KEY_HEADS, _keys(sheet)))
    if sheet.example:
        parts.append(f"Example:\n\n    {one_line(sheet.example)}")
    return "\n\n".join(parts) + "\n"


def _facts(sheet: Sheet) -> list[tuple[str, str]]:
    state = sheet.state
    ready = f"yes, {state.note}" if state.note else "yes"
    return [*sheet.facts, ("runs here", state.unavailable or ready)]


def _keys(sheet: Sheet) -> list[list[str]]:
    return [
        [
            str(key["name"]),
            str(key["values"]),
            "required" if key["required"] else str(key["default"] or "–"),
            str(key["meaning"]),
        ]
        for key in sheet.keys
    ]


def _column(column: Column) -> list[str]:
    better = f"{column.better} {ARROWS[column.better]}" if column.better else "neither"
    above = f" above {column.default_above_hz} Hz" if column.default_above_hz else ""
    return [
        column.name,
        column.title,
        column.unit or "–",
        better,
        _range(column.bounds),
        "pooled" if column.pooled else "mean",
        f"yes{above}" if column.default else "on request",
    ]


def _range(bounds: tuple[float, float]) -> str:
    low, high = (f"{bound:g}" if math.isfinite(bound) else "" for bound in bounds)
    return f"{low} … {high}".strip() if low or high else "any"
