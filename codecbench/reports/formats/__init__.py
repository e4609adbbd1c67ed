"""Tables as text: for terminals, Markdown, LaTeX, HTML, Typst, CSV and JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import UserError
from .wrapping import PLAIN, Wrapping

if TYPE_CHECKING:
    from ..table import Table

FORMATS = ("rich", "markdown", "csv", "latex", "html", "typst", "json")


def render(
    table: Table,
    kind: str,
    width: int = 100,
    color: bool = False,
    wrapping: Wrapping = PLAIN,
) -> str:
    """Write a table.

    Parameters
    ----------
    table : Table
    kind : {"rich", "markdown", "csv", "latex", "html", "typst", "json"}
    width : int
        Columns of the terminal (``rich`` alone).
    color : bool
        Whether the terminal understands styles (``rich`` alone).
    wrapping : Wrapping
        Caption, label, document; the formats that have them.

    Returns
    -------
    str
        Ends with a line break.

    Raises
    ------
    UserError
        If the format is not known, or has no caption, label or document of its own.
    """
    from . import html, latex, long_form, markdown, terminal, typst

    if kind not in FORMATS:
        raise UserError(f"unknown format '{kind}' (known: {', '.join(FORMATS)})")
    wrapping.require_possible(kind)
    if kind == "rich":
        return terminal.write(table, width=width, color=color, wrapping=wrapping)
    if kind in (records := {"csv": long_form.write_csv, "json": long_form.write_json}):
        return records[kind](table)
    writers = {
        "markdown": markdown.write,
        "latex": latex.write,
        "html": html.write,
        "typst": typst.write,
    }
    return writers[kind](table, wrapping)
