r"""A table as a LaTeX ``tabular`` with booktabs rules, ready for ``\input``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ..layout import Block, Entry, blocks_of, marks_note, one_line
from ..table import Table

_ESCAPES = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "`": r"\textasciigrave{}",
    "±": r"$\pm$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "–": "--",
    "·": r"\textperiodcentered{}",
}
_MARKS = {"best": r"\textbf{%s}", "second": r"\underline{%s}", None: "%s"}
_SPECIAL = re.compile("[" + re.escape("".join(_ESCAPES)) + "]|-(?=-)")
_MINUS = re.compile(r"(?<![\w.])-(?=\d)")


def write(table: Table) -> str:
    """Write one ``tabular``, a part for each group, the notes below it in small type."""
    blocks = blocks_of(table)
    width = len(table.columns)
    lines = [
        r"% needs \usepackage{booktabs} and \usepackage[T1]{fontenc}",
        rf"\begin{{tabular}}{{l{'r' * width}}}",
        r"\toprule",
        *_heads(blocks[0]),
    ]
    for block in blocks:
        lines += [r"\midrule", *_block(block)]
    lines += [r"\bottomrule", r"\end{tabular}", "", r"\par\smallskip", r"{\footnotesize"]
    notes = [*marks_note(table, "bold", "underlined"), *table.notes]
    lines += [rf"{escape(note.rstrip('.'))}.\par" for note in notes]
    return "\n".join([*lines, "}"]) + "\n"


def escape(text: str) -> str:
    """Escape what LaTeX would read as a command, a comment or a ligature; one line."""
    return _escape_signs(one_line(text))


def _escape_signs(text: str) -> str:
    return _SPECIAL.sub(lambda found: _ESCAPES.get(found[0], "-{}"), text)


def _heads(block: Block) -> list[str]:
    titles = _line(["", *(escape(head.title) for head in block.headings)])
    if not any(head.unit for head in block.headings):
        return [titles]
    units = [f"({escape(head.unit)})" if head.unit else "" for head in block.headings]
    return [titles, _line(["codec", *units])]


def _block(block: Block) -> list[str]:
    lines = []
    if block.title:
        span = 1 + len(block.headings)
        lines.append(rf"\multicolumn{{{span}}}{{l}}{{\textit{{{escape(block.title)}}}}} \\")
    for label, entries in zip(block.labels, block.entries, strict=True):
        lines.append(_line([escape(label), *map(_entry, entries)]))
    counts = [_line(["$n$", *block.utterances]), _line(["speakers", *block.speakers])]
    return [*lines, r"\addlinespace", *counts]


def _entry(entry: Entry) -> str:
    return _MARKS[entry.mark] % _numbers(entry.value) + _numbers(entry.rest)


def _numbers(text: str) -> str:
    return _MINUS.sub("$-$", _escape_signs(text))


def _line(cells: Sequence[str] | Iterable[str]) -> str:
    # A bracket at the start of a row would be read as the argument of the line break before it.
    line = " & ".join(cells)
    return ("{}" if line.startswith(("[", "*")) else "") + line + r" \\"
