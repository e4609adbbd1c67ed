"""A table as HTML: one ``table`` with a body for each group, the notes as a list below it."""

from __future__ import annotations

import html
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

_MARKS = {"best": "<strong>%s</strong>", "second": "<u>%s</u>", None: "%s"}
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ font-family: system-ui, sans-serif; margin: 2em; }}
table {{ border-collapse: collapse; border-block: 2px solid; }}
caption {{ text-align: left; padding-block: 0.5em; }}
th, td {{ padding: 0.2em 0.7em; text-align: right; white-space: nowrap; }}
td {{ font-variant-numeric: tabular-nums; }}
th:first-child {{ text-align: left; font-weight: normal; }}
tbody {{ border-top: 1px solid; }}
tbody th[colspan] {{ font-style: italic; }}
.counts {{ color: #555; }}
ul {{ font-size: smaller; max-width: 60em; padding-left: 1.2em; }}
</style>
</head>
<body>
{body}</body>
</html>
"""


def write(table: Table, wrapping: Wrapping = PLAIN) -> str:
    """Write a fragment, or a page of its own."""
    blocks = blocks_of(table)
    lines = [f'<div class="codecbench"{_id(wrapping)}>', "<table>"]
    if wrapping.caption:
        lines.append(f"<caption>{escape(wrapping.caption)}</caption>")
    lines += ["<thead>", *_heads(blocks[0]), "</thead>"]
    for block in blocks:
        lines += ["<tbody>", *_body(block), "</tbody>"]
    notes = [*marks_note(table, "bold", "underlined"), *table.notes]
    lines += ["</table>", "<ul>", *(f"<li>{escape(note)}</li>" for note in notes), "</ul>"]
    body = "\n".join([*lines, "</div>"]) + "\n"
    if not wrapping.standalone:
        return body
    return _PAGE.format(title=escape(wrapping.caption or "codecbench"), body=body)


def escape(text: str) -> str:
    """Escape what HTML would read as markup, in text and in attributes; one line."""
    return html.escape(one_line(text), quote=True)


def _id(wrapping: Wrapping) -> str:
    return f' id="{escape(wrapping.label)}"' if wrapping.label else ""


def _heads(block: Block) -> Iterator[str]:
    yield _line("th", ["", *(escape(head.title) for head in block.headings)], scope="col")
    if any(head.unit for head in block.headings):
        units = [escape(head.unit) for head in block.headings]
        yield _line("td", ["codec", *units], scope="col")


def _body(block: Block) -> Iterator[str]:
    title = ", ".join(filter(None, [block.title, common_counts(block)]))
    if title:
        span = 1 + len(block.headings)
        yield f'<tr><th colspan="{span}" scope="rowgroup">{escape(title)}</th></tr>'
    for label, entries in zip(block.labels, block.entries, strict=True):
        yield _line("td", [escape(label), *map(_entry, entries)])
    for name, counts in differing_counts(block):
        yield _line("td", [name, *counts], attributes=' class="counts"')


def _entry(entry: Entry) -> str:
    return _MARKS[entry.mark] % escape(entry.value) + html.escape(entry.rest)


def _line(kind: str, cells: Sequence[str], scope: str = "row", attributes: str = "") -> str:
    first, *others = cells
    shown = "".join(f"<{kind}>{cell}</{kind}>" for cell in others)
    return f'<tr{attributes}><th scope="{scope}">{first}</th>{shown}</tr>'
