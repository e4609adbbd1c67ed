"""A comparison as text: for terminals, Markdown, JUnit XML and JSON."""

from __future__ import annotations

from ...errors import UserError
from ..findings import Comparison

FORMATS = ("rich", "markdown", "junit", "json")


def render(comparison: Comparison, kind: str, width: int = 100, color: bool = False) -> str:
    """Write a comparison; the result ends with a line break.

    Parameters
    ----------
    comparison : Comparison
    kind : {"rich", "markdown", "junit", "json"}
    width : int
        Columns of the terminal (``rich`` alone).
    color : bool
        Whether the terminal understands styles (``rich`` alone).

    Raises
    ------
    UserError
        If the format is not known.
    """
    from . import as_json, junit, markdown, terminal

    if kind == "rich":
        return terminal.write(comparison, width=width, color=color)
    writers = {"markdown": markdown.write, "junit": junit.write, "json": as_json.write}
    if kind not in writers:
        raise UserError(f"unknown format '{kind}' (known: {', '.join(FORMATS)})")
    return writers[kind](comparison)
