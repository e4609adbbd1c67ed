"""A comparison as GitHub-flavoured Markdown, for the summary of a workflow step."""

from __future__ import annotations

from collections.abc import Iterator

from ...reports.formats.markdown import escape
from ..findings import CodecComparison, ColumnComparison, Comparison
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


def write(comparison: Comparison) -> str:
    """Write the verdict, a table a codec, the worst utterances of what failed, and the notes."""
    sign = "✅" if comparison.passed else "❌"
    runs = escape(f"base {comparison.base}, candidate {comparison.candidate}")
    parts = [f"### {sign} {escape(headline(comparison))}", runs]
    parts += [_table(comparison, codec) for codec in comparison.codecs]
    parts += list(_worst(comparison))
    parts.append("\n".join(f"- {escape(note)}" for note in notes_of(comparison)))
    return "\n\n".join(parts) + "\n"


def _table(comparison: Comparison, codec: CodecComparison) -> str:
    lines = [f"**{escape(title_of(codec))}**\n", _line(HEADINGS)]
    lines.append(_line(["---", *["---:"] * (len(HEADINGS) - 2), "---"]))
    for column in codec.columns:
        *cells, verdict = map(escape, cells_of(comparison, column))
        bold = f"**{verdict}**" if verdict.startswith(FAILED) else verdict
        lines.append(_line([*cells, bold]))
    return "\n".join(lines)


def _worst(comparison: Comparison) -> Iterator[str]:
    for codec, column in comparison.broken():
        if column.worst:
            heading = escape(title_of_worst(codec, column))
            yield "\n".join([f"{heading}\n", *_items(column)])


def _items(column: ColumnComparison) -> Iterator[str]:
    for one in column.worst:
        yield f"- {escape(worst_line(column, one))}"
        for what, path in one.sounds.listed():
            yield f"  - {what}: {escape(str(path))}"


def _line(cells: Iterator[str] | list[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"
