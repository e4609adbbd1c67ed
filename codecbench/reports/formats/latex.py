r"""A table as a LaTeX ``tabular`` with booktabs rules, ready for ``\input``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

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

NEEDS = r"% needs \usepackage{booktabs} and \usepackage[T1]{fontenc}"

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
    "≤": r"$\le$",
    "≥": r"$\ge$",
    "→": r"$\rightarrow$",
    "−": r"$-$",
    "×": r"$\times$",
    "µ": r"$\mu$",
    "μ": r"$\mu$",
    "†": r"\textdagger{}",
    "·": r"\textperiodcentered{}",
}
_PREAMBLE = (
    r"\documentclass{article}",
    r"\usepackage[T1]{fontenc}",
    r"\IfFileExists{lmodern.sty}{\usepackage{lmodern}}{}",
    r"\usepackage{booktabs}",
    r"\newsavebox{\tablebox}",
    r"\newsavebox{\pagebox}",
    r"\newlength{\notewidth}",
    r"\begin{document}",
)
_MEASURE = (
    r"\setlength{\notewidth}{\wd\tablebox}",
    r"\ifdim\notewidth<12cm \setlength{\notewidth}{12cm}\fi",
    r"\begin{lrbox}{\pagebox}%",
    r"\begin{minipage}{\notewidth}\setlength{\parindent}{0pt}%",
)
_SHIP = (
    r"\end{minipage}%",
    r"\end{lrbox}",
    r"% The page is as large as the table; pdfTeX sets its size and its origin.",
    r"\pdfhorigin=1cm \pdfvorigin=1cm",
    r"\pdfpagewidth=\dimexpr\wd\pagebox+2cm\relax",
    r"\pdfpageheight=\dimexpr\ht\pagebox+\dp\pagebox+2cm\relax",
    r"\shipout\hbox{\usebox{\pagebox}}",
    r"\end{document}",
)
_MARKS = {"best": r"\textbf{%s}", "second": r"\underline{%s}", None: "%s"}
_SPECIAL = re.compile("[" + re.escape("".join(_ESCAPES)) + "]|-(?=-)")
_UNKNOWN = re.compile("[^\x20-\x7e¡-ĥĨ-ķĹ-ľŁ-ňŊ-ťŨ-ž‘’“”…—]")
_MINUS = re.compile(r"(?<![\w.])-(?=\d)")


def write(table: Table, wrapping: Wrapping = PLAIN) -> str:
    """Write one ``tabular``, a part for each group, the notes below it in small type.

    With a caption or label it stands in a ``table``; a document of its own has one page of the
    table's size.
    """
    tabular, notes = _tabular(table), _notes(table)
    if wrapping.standalone:
        return _document(tabular, notes, wrapping)
    lines = [NEEDS, *tabular, "", r"\par\smallskip", *notes]
    if wrapping.caption or wrapping.label:
        head = [rf"\caption{{{escape(wrapping.caption)}}}"] if wrapping.caption else []
        head += [rf"\label{{{wrapping.label}}}"] if wrapping.label else []
        centred = [r"\begin{table}", r"\centering", *head, *tabular, "", r"\par\smallskip"]
        lines = [NEEDS, *centred, r"\raggedright", *notes, r"\end{table}"]
    return "\n".join(lines) + "\n"


def escape(text: str) -> str:
    """Escape what LaTeX would read as a command, a comment or a ligature; one line.

    A sign that pdfLaTeX has no letter for is written as its number, such as U+8A9E.
    """
    return _escape_signs(one_line(text))


def _escape_signs(text: str) -> str:
    escaped = _SPECIAL.sub(lambda found: _ESCAPES.get(found[0], "-{}"), text)
    return _UNKNOWN.sub(lambda found: f"U+{ord(found[0]):04X}", escaped)


def _tabular(table: Table) -> list[str]:
    blocks = blocks_of(table)
    lines = [
        rf"\begin{{tabular}}{{l{'r' * len(table.columns)}}}",
        r"\toprule",
        *_heads(blocks[0]),
    ]
    for block in blocks:
        lines += [r"\midrule", *_block(block)]
    return [*lines, r"\bottomrule", r"\end{tabular}"]


def _notes(table: Table) -> list[str]:
    notes = [*marks_note(table, "bold", "underlined"), *table.notes]
    return [r"{\footnotesize", *(rf"{escape(note.rstrip('.'))}.\par" for note in notes), "}"]


def _document(tabular: list[str], notes: list[str], wrapping: Wrapping) -> str:
    """Measure the table and make the page as large as it needs, so that nothing is cut."""
    caption = [rf"{escape(wrapping.caption)}\par\medskip"] if wrapping.caption else []
    lines = [
        *_PREAMBLE,
        r"\begin{lrbox}{\tablebox}%",
        *tabular[:-1],
        tabular[-1] + "%",
        r"\end{lrbox}",
        *_MEASURE,
        *caption,
        r"\usebox{\tablebox}\par\medskip",
        r"\raggedright",
        *notes,
        *_SHIP,
    ]
    return "\n".join(lines) + "\n"


def _heads(block: Block) -> list[str]:
    titles = _line(["", *(escape(head.title) for head in block.headings)])
    if not any(head.unit for head in block.headings):
        return [titles]
    units = [f"({escape(head.unit)})" if head.unit else "" for head in block.headings]
    return [titles, _line(["codec", *units])]


def _block(block: Block) -> list[str]:
    lines = []
    title = rf"\textit{{{escape(block.title)}}}" if block.title else ""
    if text := ", ".join(filter(None, [title, escape(common_counts(block))])):
        lines.append(rf"\multicolumn{{{1 + len(block.headings)}}}{{l}}{{{text}}} \\")
    for label, entries in zip(block.labels, block.entries, strict=True):
        lines.append(_line([escape(label), *map(_entry, entries)]))
    differing = [_line([name, *texts]) for name, texts in differing_counts(block)]
    return [*lines, *([r"\addlinespace"] if differing else []), *differing]


def _entry(entry: Entry) -> str:
    return _MARKS[entry.mark] % _numbers(entry.value) + _numbers(entry.rest)


def _numbers(text: str) -> str:
    return _MINUS.sub("$-$", _escape_signs(text))


def _line(cells: Sequence[str] | Iterable[str]) -> str:
    # A bracket at the start of a row would be read as the argument of the line break before it.
    line = " & ".join(cells)
    return ("{}" if line.startswith(("[", "*")) else "") + line + r" \\"
