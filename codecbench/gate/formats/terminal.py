"""A comparison for the terminal."""

from __future__ import annotations

import io

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ...reports.layout import one_line
from ..findings import CodecComparison, Comparison
from ..layout import (
    FAILED,
    HEADINGS,
    cells_of,
    headline,
    notes_of,
    title_of,
    title_of_worst,
    worst_line,
)


def write(comparison: Comparison, width: int = 100, color: bool = False) -> str:
    """Write a table a codec, the worst utterances of what failed, the notes and the verdict."""
    out = io.StringIO()
    console = Console(
        file=out,
        width=width,
        force_terminal=color,
        color_system="standard" if color else None,
        highlight=False,
        markup=False,
        emoji=False,
    )
    console.print(Text(f"base {comparison.base}, candidate {comparison.candidate}\n"))
    for codec in comparison.codecs:
        console.print(Text(title_of(codec), style="bold"))
        console.print(_table(comparison, codec))
    _print_worst(console, comparison)
    for note in notes_of(comparison):
        console.print(Text(f"· {note}", style="dim"))
    style = "bold green" if comparison.passed else "bold red"
    console.print(Text(f"\n{headline(comparison)}", style=style))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def _table(comparison: Comparison, codec: CodecComparison) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False, show_edge=False)
    first, *numbers, last = HEADINGS
    table.add_column(first, overflow="fold")
    for name in numbers:
        table.add_column(name, justify="right", overflow="fold")
    table.add_column(last, overflow="fold")
    for column in codec.columns:
        *cells, verdict = cells_of(comparison, column)
        style = "bold red" if verdict.startswith(FAILED) else ""
        table.add_row(*map(Text, cells), Text(verdict, style=style))
    return table


def _print_worst(console: Console, comparison: Comparison) -> None:
    for codec, column in comparison.broken():
        if not column.worst:
            continue
        console.print(Text(f"\n{title_of_worst(codec, column)}"))
        for one in column.worst:
            console.print(Text(f"  {worst_line(column, one)}"))
            for what, path in one.sounds.listed():
                # Paths are copied: they are not broken into lines.
                console.print(
                    Text(f"    {what}  {one_line(str(path))}", style="dim"), soft_wrap=True
                )
    console.print()
