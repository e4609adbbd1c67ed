"""Rows of text as tables; the numbers of a run have `Table` instead."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..errors import UserError
from .formats.markdown import escape
from .layout import one_line


@dataclass(frozen=True)
class PlainTable:
    """A titled table of texts.

    Parameters
    ----------
    title : str
    heads : tuple of str
    rows : tuple of tuple of str
        As many texts a row as heads.
    texts : int
        How many columns, from the first, stand to the left; numbers stand to the right.
    """

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    texts: int = 1


def render_tables(
    tables: Sequence[PlainTable],
    notes: Sequence[str],
    kind: str = "rich",
    width: int = 100,
    color: bool = False,
) -> str:
    """Write tables and the notes below them; the result ends with a line break.

    Parameters
    ----------
    tables : sequence of PlainTable
    notes : sequence of str
    kind : {"rich", "markdown"}
    width : int
        Columns of the terminal (``rich`` alone).
    color : bool
        Whether the terminal understands styles (``rich`` alone).

    Raises
    ------
    UserError
        If the format is not known.
    """
    if kind == "rich":
        parts = [
            render_listing(one.heads, one.rows, one.title, width, color, one.texts)
            for one in tables
        ]
        return "\n".join([*parts, "".join(f"· {one_line(note)}\n" for note in notes)])
    if kind == "markdown":
        parts = [
            f"**{escape(one.title)}**\n\n{markdown_listing(one.heads, one.rows, one.texts)}"
            for one in tables
        ]
        return "\n\n".join([*parts, "\n".join(f"- {escape(note)}" for note in notes)]) + "\n"
    raise UserError(f"unknown format '{kind}' (known: rich, markdown)")


def render_listing(
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    title: str = "",
    width: int = 100,
    color: bool = False,
    texts: int | None = None,
) -> str:
    """Write rows of text as a table for the terminal; long texts are wrapped, none is cut.

    Columns from the `texts`-th on stand to the right.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=color,
                      color_system="standard" if color else None)  # fmt: skip
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, show_header=any(heads))
    if title:
        console.print(Text(one_line(title), style="bold"))
    for place, head in enumerate(heads):
        right = texts is not None and place >= texts
        table.add_column(Text(head), overflow="fold", justify="right" if right else "left")
    for row in rows:
        table.add_row(*(Text(one_line(cell)) for cell in row))
    console.print(table)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def markdown_listing(
    heads: Sequence[str], rows: Iterable[Sequence[str]], texts: int | None = None
) -> str:
    """Write rows of text as a Markdown table; columns from the `texts`-th on stand to the right."""
    numbers = len(heads) if texts is None else texts
    sides = ["---" if place < numbers else "---:" for place in range(len(heads))]
    lines = [map(escape, heads), sides, *(map(escape, row) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
