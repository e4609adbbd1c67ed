"""Tables as text: for terminals, Markdown, LaTeX, CSV and JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import UserError

if TYPE_CHECKING:
    from ..table import Table

FORMATS = ("rich", "markdown", "csv", "latex", "json")


def render(table: Table, kind: str, width: int = 100, color: bool = False) -> str:
    """Write a table.

    Parameters
    ----------
    table : Table
    kind : {"rich", "markdown", "csv", "latex", "json"}
    width : int
        Columns of the terminal (``rich`` alone).
    color : bool
        Whether the terminal understands styles (``rich`` alone).

    Returns
    -------
    str
        Ends with a line break.

    Raises
    ------
    UserError
        If the format is not known.
    """
    from . import latex, long_form, markdown, terminal

    if kind == "rich":
        return terminal.write(table, width=width, color=color)
    writers = {
        "markdown": markdown.write,
        "latex": latex.write,
        "csv": long_form.write_csv,
        "json": long_form.write_json,
    }
    if kind not in writers:
        raise UserError(f"unknown format '{kind}' (known: {', '.join(FORMATS)})")
    return writers[kind](table)
