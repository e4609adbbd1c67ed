"""What the formats that people read have in common: headings, rounded numbers, group titles."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from ..metric import Column
from .bands import BAND
from .cells import Cell
from .marks import Mark
from .table import Row, Table

ARROWS = {"higher": "↑", "lower": "↓", None: ""}
NOTHING = "–"
LEVEL_WORDS = "5 %, adjusted for all of them"
_SYMMETRIC = 0.2
"""Up to this relative difference of its two sides an interval is written ± its larger side."""
_CONSTANT = 1e-9


@dataclass(frozen=True)
class Heading:
    """Head of a column: title with arrow, and unit."""

    name: str
    title: str
    unit: str


@dataclass(frozen=True)
class Entry:
    """A written cell; `mark` belongs to the value alone."""

    value: str
    rest: str = ""
    mark: Mark | None = None

    @property
    def text(self) -> str:
        """Value and rest, unmarked."""
        return self.value + self.rest

    @property
    def is_empty(self) -> bool:
        """Whether there is neither a number nor a failure."""
        return self == Entry(NOTHING)


@dataclass(frozen=True)
class Block:
    """One group of a table, written out.

    Parameters
    ----------
    title : str
        Such as ``corpus librispeech, split test-clean``; empty if the table is not grouped.
    codecs : list of str
        Canonical specs of the rows.
    labels : list of str
        Of the rows.
    headings : list of Heading
        Of the columns.
    entries : list of list of Entry
        By row, then column.
    utterances, speakers : list of str
        How many the comparison in each column rests on.
    """

    title: str
    codecs: list[str]
    labels: list[str]
    headings: list[Heading]
    entries: list[list[Entry]]
    utterances: list[str]
    speakers: list[str]


def blocks_of(table: Table) -> list[Block]:
    """Write out each group of a table."""
    return [_block(table, group, rows) for group, rows in table.groups().items()]


def _block(table: Table, group: tuple[str, ...], rows: list[Row]) -> Block:
    counts = [_counts(rows, name) for name in table.columns]
    # The ceiling is shown where one of the columns has one.
    rows = [row for row in rows if not row.is_reference or set(row.cells.values()) != {Cell()}]
    return Block(
        title=one_line(_title(table, group)),
        codecs=[row.codec for row in rows],
        labels=[one_line(table.labels[row.codec]) for row in rows],
        headings=[heading_of(name, column) for name, column in table.columns.items()],
        entries=[
            [entry_of(row.cells[name], column) for name, column in table.columns.items()]
            for row in rows
        ],
        utterances=[utterances for utterances, _ in counts],
        speakers=[speakers for _, speakers in counts],
    )


def heading_of(name: str, column: Column) -> Heading:
    """Write the head of a column; a definition that is part of its name stays in the title."""
    title = column.title + name.removeprefix(column.name)
    return Heading(name, one_line(f"{title} {ARROWS[column.better]}"), one_line(column.unit))


def entry_of(cell: Cell, column: Column) -> Entry:
    """Write one cell: value, interval and failures."""
    failed = f" ({cell.failures} failed)" if cell.failures else ""
    if cell.value is None:
        return Entry(NOTHING, failed)
    digits = column.digits if cell.digits is None else min(cell.digits, column.digits)
    return Entry(number(cell.value, digits), _interval(cell, digits) + failed, cell.mark)


def number(value: float, digits: int) -> str:
    """Round to a number of decimals; a zero never carries a minus sign."""
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def _interval(cell: Cell, digits: int) -> str:
    if cell.value is None or cell.low is None or cell.high is None:
        return ""
    below, above = cell.value - cell.low, cell.high - cell.value
    if max(below, above) <= _CONSTANT * abs(cell.value):
        return ""
    if abs(above - below) <= max(_SYMMETRIC * max(above, below), 10.0**-digits):
        return f" ± {number(max(below, above), digits)}"
    return f" [{number(cell.low, digits)}, {number(cell.high, digits)}]"


def _title(table: Table, group: tuple[str, ...]) -> str:
    """Name a group; a band says itself what it is."""
    pairs = zip(table.keys, group, strict=True)
    return ", ".join(value if key == BAND else f"{key} {value}" for key, value in pairs)


def _counts(rows: list[Row], name: str) -> tuple[str, str]:
    """Return utterances and speakers of a comparison; the reference's where nothing else is."""
    cells = [row.cells[name] for row in rows if not row.is_reference and row.cells[name].n]
    n, speakers = max(
        (cell.n, cell.speakers) for cell in cells or [row.cells[name] for row in rows]
    )
    return str(n), str(speakers)


COUNT_LABELS = ("n", "speakers")


def counts(block: Block) -> list[tuple[str, list[str]]]:
    """Return how many utterances and speakers each column rests on, with their names."""
    return list(zip(COUNT_LABELS, (block.utterances, block.speakers), strict=True))


def differing_counts(block: Block) -> list[tuple[str, list[str]]]:
    """Return the counts that need a line of their own, as metrics differ in them."""
    return [(name, texts) for name, texts in counts(block) if len(_measured(texts)) > 1]


def common_counts(block: Block) -> str:
    """Write the counts that all metrics share; nothing where nothing was measured."""
    shared = [(name, _measured(texts)) for name, texts in counts(block)]
    return ", ".join(f"{name} = {texts[0]}" for name, texts in shared if len(texts) == 1)


def _measured(texts: list[str]) -> list[str]:
    """Return the different counts; a column without a number needs none."""
    return [text for text in dict.fromkeys(texts) if text != "0"]


def one_line(text: str) -> str:
    """Return text without line breaks and signs that are not text.

    Control characters could drive a terminal, and no XML may hold noncharacters.
    """
    return "".join("�" if _is_no_text(sign) else sign for sign in " ".join(text.split()))


_CONTROLS = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def _is_no_text(sign: str) -> bool:
    """Whether a sign is a control character or one of Unicode's 66 noncharacters."""
    code = ord(sign)
    is_noncharacter = 0xFDD0 <= code <= 0xFDEF or code & 0xFFFE == 0xFFFE
    return is_noncharacter or unicodedata.category(sign) in _CONTROLS


def marks_note(table: Table, best: str, second: str, line: str = "column") -> list[str]:
    """Explain the marks in a format's own terms; nothing where no cell is marked.

    `line` says where a metric stands: in a column or a row.
    """
    if not any(cell.mark for row in table.rows for cell in row.cells.values()):
        return []
    return [
        f"{best}: best, {second}: second best of a {line} within its group; marked only where the"
        f" paired differences to every codec behind it exclude zero ({LEVEL_WORDS})"
    ]
