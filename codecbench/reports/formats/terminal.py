"""A table for the terminal: codecs in rows, metrics in as many blocks of columns as fit."""

from __future__ import annotations

import io
from collections.abc import Iterator

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from ...results.schema import REFERENCE
from ..layout import Block, Entry, blocks_of, marks_note, one_line
from ..table import RATE_UNIT, Table

STYLES = {"best": "bold green", "second": "underline", None: ""}
SIGNS = {"best": " *", "second": " +", None: "  "}
_GAP = 3
_WIDEST_LABEL = 40
_COUNT_LABELS = ("n", "speakers")


def write(table: Table, width: int = 100, color: bool = False) -> str:
    """Write a table for a terminal of `width` columns.

    Columns that do not fit beside each other follow in further blocks, each of which repeats
    the codecs and their rate.
    """
    blocks = blocks_of(table)
    out = io.StringIO()
    console = Console(
        file=out,
        # Too narrow a terminal wraps lines; a number is never cut.
        width=max(width, *(_least_width(block) for block in blocks)),
        force_terminal=color,
        color_system="standard" if color else None,
        highlight=False,
        markup=False,
        emoji=False,
    )
    for place, block in enumerate(blocks):
        if place:
            console.print()
        if block.title:
            console.print(Text(block.title, style="bold"))
        for columns in _fitting(block, _rate_column(table), width):
            console.print(_rich_table(block, columns, color))
    for note in [*marks_note(table, *_mark_words(color)), *table.notes]:
        console.print(Text(f"· {one_line(note)}", style="dim"))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def _mark_words(color: bool) -> tuple[str, str]:
    return ("bold", "underlined") if color else ("*", "+")


def _rate_column(table: Table) -> int | None:
    for place, column in enumerate(table.columns.values()):
        if column.unit == RATE_UNIT:
            return place
    return None


def _fitting(block: Block, rate: int | None, width: int) -> Iterator[list[int]]:
    """Yield the columns of each block; one at least, however narrow the terminal."""
    widths = [_width(block, column) for column in range(len(block.headings))]
    room = width - _label_width(block)
    columns: list[int] = []
    for column in range(len(widths)):
        if columns and sum(widths[place] for place in [*columns, column]) > room:
            yield columns
            columns = [] if rate is None else [rate]
        columns.append(column)
    yield columns


def _label_width(block: Block) -> int:
    return min(_WIDEST_LABEL, max(map(cell_len, [*block.labels, *_COUNT_LABELS])))


def _least_width(block: Block) -> int:
    widest = max(_width(block, column) for column in range(len(block.headings)))
    return _label_width(block) + widest


def _width(block: Block, column: int) -> int:
    heading = block.headings[column]
    texts = [heading.title, heading.unit, block.utterances[column]]
    texts += [row[column].text + SIGNS[row[column].mark] for row in block.entries]
    return max(map(cell_len, texts)) + _GAP


def _rich_table(block: Block, columns: list[int], color: bool) -> RichTable:
    table = RichTable(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False, show_edge=False)
    table.add_column(Text(""), max_width=_WIDEST_LABEL, overflow="fold")
    for column in columns:
        heading = block.headings[column]
        table.add_column(Text(f"{heading.title}\n{heading.unit}"), justify="right", no_wrap=True)
    marked = {column for column in columns if any(row[column].mark for row in block.entries)}
    for label, entries in zip(block.labels, block.entries, strict=True):
        shown = [entries[column] for column in columns]
        if label == REFERENCE and all(entry.is_empty for entry in shown):
            continue
        cells = [
            _cell(entry, column in marked, color)
            for entry, column in zip(shown, columns, strict=True)
        ]
        table.add_row(Text(label), *cells)
    table.add_section()
    for name, counts in zip(_COUNT_LABELS, (block.utterances, block.speakers), strict=True):
        table.add_row(Text(name), *(Text(counts[column]) for column in columns), style="dim")
    return table


def _cell(entry: Entry, in_marked_column: bool, color: bool) -> Text:
    """Show a mark as a style, or as a sign where there are no styles."""
    if color:
        return Text.assemble((entry.value, STYLES[entry.mark]), entry.rest)
    return Text(entry.text + (SIGNS[entry.mark] if in_marked_column else ""))
