"""A table as GitHub-flavoured Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..layout import NOTHING, Block, Entry, blocks_of, counts, marks_note, one_line
from ..table import Table
from .wrapping import PLAIN, Wrapping

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$])")
_WRAPS = {"best": "**", "second": "*", None: ""}


def write(table: Table, wrapping: Wrapping = PLAIN) -> str:
    """Write a Markdown table for each group, and the notes as a list."""
    parts = [escape(wrapping.caption)] if wrapping.caption else []
    parts += [_block(block) for block in blocks_of(table)]
    notes = [*marks_note(table, "**bold**", "*italic*"), *map(escape, table.notes)]
    parts.append("\n".join(f"- {note}" for note in notes))
    return "\n\n".join(parts) + "\n"


def escape(text: str) -> str:
    """Escape what Markdown and HTML would read as markup; the result is one line."""
    return _escape_signs(one_line(text))


def _escape_signs(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text.replace("&", "&amp;"))


def _block(block: Block) -> str:
    heads = [
        escape(f"{head.title} ({head.unit})" if head.unit else head.title)
        for head in block.headings
    ]
    lines = [f"**{escape(block.title)}**\n"] if block.title else []
    lines += [_line(["codec", *heads]), _line(["---", *["---:"] * len(heads)])]
    for label, entries in zip(block.labels, block.entries, strict=True):
        lines.append(_line([escape(label), *map(_entry, entries)]))
    for name, texts in counts(block):
        lines.append(_line([f"*{name}*", *map(_count, texts)]))
    return "\n".join(lines)


def _entry(entry: Entry) -> str:
    wrap = _WRAPS[entry.mark]
    return f"{wrap}{entry.value}{wrap}{_escape_signs(entry.rest)}"


def _count(text: str) -> str:
    """Write a count; a column that no utterance stands behind has none."""
    return NOTHING if text == "0" else text


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
