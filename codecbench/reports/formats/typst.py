"""A table as Typst code: compiles alone, and can be included.

All texts are string literals, in which nothing is markup.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..layout import (
    Block,
    Entry,
    blocks_of,
    common_counts,
    differing_counts,
    marks_note,
    one_line,
)
from ..table import Table
from .wrapping import PLAIN, Wrapping

_MARKS = {"best": "strong({})", "second": "underline({})", None: "{}"}
_INDENT = "    "


def write(table: Table, wrapping: Wrapping = PLAIN) -> str:
    """Write one ``figure`` with a ``table``, a part for each group, and the notes below it."""
    blocks = blocks_of(table)
    width = len(table.columns)
    lines = ["#[", "#show figure: set block(breakable: true)", "#figure("]
    if wrapping.caption:
        lines.append(f"  caption: figure.caption(position: top, {literal(wrapping.caption)}),")
    lines += [
        "  kind: table,",
        "  table(",
        f"    columns: {1 + width},",
        f"    align: (left{', right' * width}),",
        "    stroke: none,",
        "    table.hline(),",
        *_heads(blocks[0]),
    ]
    for block in blocks:
        lines += ["    table.hline(stroke: 0.5pt),", *_body(block)]
    lines += ["    table.hline(),", "  ),", f"){_label(wrapping)}", ""]
    notes = [*marks_note(table, "bold", "underlined"), *table.notes]
    listed = ", ".join(map(literal, notes))
    return "\n".join([*lines, f"#text(size: 0.8em, list({listed}))", "]"]) + "\n"


def literal(text: str) -> str:
    """Write a Typst string; one line."""
    return _quoted(one_line(text))


def _quoted(text: str) -> str:
    escaped = text.replace("\\", r"\\").replace('"', r"\"")
    return f'"{escaped}"'


def _label(wrapping: Wrapping) -> str:
    return f" <{wrapping.label}>" if wrapping.label else ""


def _heads(block: Block) -> Iterator[str]:
    cells = [literal(""), *(literal(head.title) for head in block.headings)]
    if any(head.unit for head in block.headings):
        units = (f"({head.unit})" if head.unit else "" for head in block.headings)
        cells += [literal("codec"), *map(literal, units)]
    yield f"{_INDENT}table.header({', '.join(cells)}),"


def _body(block: Block) -> Iterator[str]:
    title = ", ".join(filter(None, [block.title, common_counts(block)]))
    if title:
        span = 1 + len(block.headings)
        yield f"{_INDENT}table.cell(colspan: {span}, align: left, emph({literal(title)})),"
    for label, entries in zip(block.labels, block.entries, strict=True):
        yield _line([literal(label), *map(_entry, entries)])
    for name, counts in differing_counts(block):
        yield _line(map(literal, [name, *counts]))


def _entry(entry: Entry) -> str:
    value = _MARKS[entry.mark].format(literal(entry.value))
    return f"{value} + {_quoted(entry.rest)}" if entry.rest else value


def _line(cells: Sequence[str] | Iterator[str]) -> str:
    return f"{_INDENT}{', '.join(cells)},"
