"""A table for the terminal.

Few codecs stand in columns, with the metrics in rows; many stand in rows, with the metrics in as
many blocks of columns as fit.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from ...results.schema import REFERENCE
from ..layout import (
    COUNT_LABELS,
    Block,
    Entry,
    blocks_of,
    common_counts,
    counts,
    differing_counts,
    marks_note,
    one_line,
)
from ..table import RATE_UNIT, Table
from .wrapping import PLAIN, Wrapping

STYLES = {"best": "bold green", "second": "underline", None: ""}
SIGNS = {"best": " *", "second": " +", None: "  "}
_GAP = 3
_WIDEST_LABEL = 40
_MOST_CODEC_COLUMNS = 5
"""With more codecs (the reference included) a reader compares down a column, not along a row."""


def write(table: Table, width: int = 100, color: bool = False, wrapping: Wrapping = PLAIN) -> str:
    """Write a table for a terminal of `width` columns.

    In each group, metrics stand in rows and codecs in columns if there are at most five columns
    (the reference included) and they fit. Otherwise codecs stand in rows; metrics that do not fit
    beside each other follow in further blocks, each of which repeats the codecs and their rate.
    """
    blocks = blocks_of(table)
    upright = [_stands_upright(block, width) for block in blocks]
    flat = [block for block, stands in zip(blocks, upright, strict=True) if not stands]
    out = io.StringIO()
    console = Console(
        file=out,
        # Too narrow a terminal wraps lines; a number is never cut.
        width=max([width, *(_least_width(block) for block in flat)]),
        force_terminal=color,
        color_system="standard" if color else None,
        highlight=False,
        markup=False,
        emoji=False,
    )
    if wrapping.caption:
        console.print(Text(one_line(wrapping.caption), style="bold"))
        console.print()
    for place, (block, stands) in enumerate(zip(blocks, upright, strict=True)):
        if place:
            console.print()
        if block.title:
            console.print(Text(block.title, style="bold"))
        if stands:
            console.print(_upright_table(block, color))
            if line := common_counts(block):
                console.print(Text(f"\n{line}", style="dim"))
            continue
        for columns in _fitting(block, _rate_column(table), width):
            console.print(_rich_table(block, columns, color))
    lines = dict.fromkeys("row" if stands else "column" for stands in upright)
    for note in [*marks_note(table, *_mark_words(color), " or ".join(lines)), *table.notes]:
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
    return min(_WIDEST_LABEL, max(map(cell_len, [*block.labels, *COUNT_LABELS])))


def _least_width(block: Block) -> int:
    widest = max(_width(block, column) for column in range(len(block.headings)))
    return _label_width(block) + widest


def _width(block: Block, column: int) -> int:
    heading = block.headings[column]
    texts = [heading.title, heading.unit, block.utterances[column]]
    texts += [row[column].text + SIGNS[row[column].mark] for row in block.entries]
    return max(map(cell_len, texts)) + _GAP


def _rich_table(block: Block, columns: list[int], color: bool) -> RichTable:
    table = _empty_table()
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
    for name, texts in counts(block):
        table.add_row(Text(name), *(Text(texts[column]) for column in columns), style="dim")
    return table


def _empty_table() -> RichTable:
    return RichTable(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False, show_edge=False)


def _cell(entry: Entry, with_sign: bool, color: bool) -> Text:
    """Show a mark as a style, or as a sign (blank for no mark) where there are no styles."""
    if color:
        return Text.assemble((entry.value, STYLES[entry.mark]), entry.rest)
    return Text(entry.text + (SIGNS[entry.mark] if with_sign else ""))


def _stands_upright(block: Block, width: int) -> bool:
    """Return whether the codecs fit beside each other, one column each."""
    if len(block.labels) > _MOST_CODEC_COLUMNS:
        return False
    titles = [heading.title for heading in block.headings]
    units = [heading.unit for heading in block.headings]
    columns = [max(map(cell_len, texts)) for texts in (titles, units)]
    columns += [_codec_width(block, codec) for codec in range(len(block.labels))]
    columns += [max(map(cell_len, [name, *texts])) for name, texts in differing_counts(block)]
    return sum(columns) + _GAP * (len(columns) - 1) <= width


def _upright_table(block: Block, color: bool) -> RichTable:
    """Put metrics in rows and codecs in columns."""
    table = _empty_table()
    table.add_column(Text(""), no_wrap=True)
    table.add_column(Text(""), no_wrap=True)
    codecs = range(len(block.labels))
    for codec in codecs:
        label = Text("\n".join(_label_lines(block, codec)))
        table.add_column(
            label, width=_codec_width(block, codec), overflow="fold", vertical="bottom"
        )
    differing = differing_counts(block)
    for name, _ in differing:
        table.add_column(Text(name), justify="right", no_wrap=True, style="dim", vertical="bottom")
    widths = [_value_width(block, codec) for codec in codecs]
    for metric, heading in enumerate(block.headings):
        table.add_row(
            Text(heading.title),
            Text(heading.unit),
            *(_aligned(block.entries[codec][metric], widths[codec], color) for codec in codecs),
            *(Text(texts[metric]) for _, texts in differing),
        )
    return table


def _aligned(entry: Entry, width: int, color: bool) -> Text:
    """Right-justify the value alone, so that the intervals of a codec begin below each other."""
    room = Text(" " * (width - cell_len(entry.value)))
    return room.append_text(_cell(entry, entry.mark is not None, color))


def _value_width(block: Block, codec: int) -> int:
    return max(cell_len(entry.value) for entry in block.entries[codec])


def _entry_width(block: Block, codec: int) -> int:
    # Signs count with colour too, so that the form does not depend on it.
    signs = (SIGNS[entry.mark] if entry.mark else "" for entry in block.entries[codec])
    rests = (entry.rest for entry in block.entries[codec])
    return _value_width(block, codec) + max(
        cell_len(rest + sign) for rest, sign in zip(rests, signs, strict=True)
    )


def _codec_width(block: Block, codec: int) -> int:
    label = max(map(cell_len, _label_lines(block, codec)))
    return max(_entry_width(block, codec), min(_WIDEST_LABEL, label))


def _label_lines(block: Block, codec: int) -> list[str]:
    """Break a label after its commas where it is wider than the numbers below it."""
    first, *others = re.split("(?<=,)", block.labels[codec])
    lines = [first]
    for part in others:
        if cell_len(lines[-1] + part) <= _entry_width(block, codec):
            lines[-1] += part
        else:
            lines.append(part)
    return lines
