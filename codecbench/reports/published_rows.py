"""Puts published numbers into a table: a row a system and rate, a mark and a note a source."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from string import ascii_lowercase

from ..errors import UserError
from ..results.results import RATE
from .bands import BAND, all_bands, band_of
from .cells import Cell
from .published import PublishedNumber
from .table import Row, Table

DAGGER = "†"
CORPUS = "corpus"


@dataclass(frozen=True)
class _Source:
    """What shares a mark: one paper on one dataset."""

    paper: str
    dataset: str


@dataclass(frozen=True)
class _Key:
    """What shares a row: one system at one rate in one source."""

    source: _Source
    system: str
    variant: str
    kbps: float | None


def with_published(
    table: Table,
    numbers: Sequence[PublishedNumber],
    bands: Sequence[float] = (),
    corpora: Sequence[str] = (),
) -> Table:
    """Add the published numbers of the table's corpora and columns, behind the measured rows.

    Parameters
    ----------
    table : Table
        Grouped by corpus, or by corpus and band.
    numbers : sequence of PublishedNumber
    bands : sequence of float
        Edges of the table's bands in kbit/s; a published row stands in the band of the rate that
        its source claims.
    corpora : sequence of str
        Corpora that were not measured here, such as ``librispeech``, whose published numbers are
        shown, too: as groups of their own, behind the others.

    Raises
    ------
    UserError
        If the table is grouped otherwise, a value lies outside its column's bounds, or none of
        the numbers is of its corpora and columns.
    """
    if table.keys != ((CORPUS, BAND) if bands else (CORPUS,)):
        raise UserError("published numbers are of a corpus: group the table by corpus alone")
    shown = list(dict.fromkeys([*(row.group[0] for row in table.rows), *corpora]))
    chosen = [
        (number, column)
        for number in numbers
        if number.corpus in shown and (column := number.column(table.columns))
    ]
    found = {number.corpus for number, _ in chosen}
    lacking = [corpus for corpus in corpora if corpus not in found] if found else shown
    if lacking:
        raise UserError(
            f"none of the published numbers is of {', '.join(lacking)} and"
            f" {', '.join(table.columns)}; see how the file names datasets and metrics"
        )
    letters = _letters(number for number, _ in chosen)
    rows, labels = _rows(table, chosen, letters, bands)
    return replace(
        table,
        rows=_placed(table, rows, shown, bands),
        labels={**table.labels, **labels},
        notes=(*table.notes, *_notes(chosen, letters)),
    )


def _source(number: PublishedNumber) -> _Source:
    return _Source(number.paper, number.dataset)


def _letters(numbers: Iterable[PublishedNumber]) -> dict[_Source, str]:
    """Give each source a letter: a to z, then aa, ab …"""
    sources = dict.fromkeys(map(_source, numbers))
    return {source: _letter(place) for place, source in enumerate(sources)}


def _letter(place: int) -> str:
    rounds, rest = divmod(place, len(ascii_lowercase))
    return (_letter(rounds - 1) if rounds else "") + ascii_lowercase[rest]


def _rows(
    table: Table,
    chosen: Sequence[tuple[PublishedNumber, str]],
    letters: dict[_Source, str],
    bands: Sequence[float],
) -> tuple[list[Row], dict[str, str]]:
    found: dict[_Key, list[tuple[PublishedNumber, str]]] = {}
    for number, column in chosen:
        key = _Key(_source(number), number.system, number.variant, number.kbps)
        found.setdefault(key, []).append((number, column))
    rows, labels = [], {}
    for key, members in found.items():
        letter = letters[key.source]
        alike = [other for other in found if replace(other, variant=key.variant) == key]
        label = _label(key if len(alike) > 1 else replace(key, variant=""))
        name = f"published {letter}: {key.system}, {key.variant}, {key.kbps}"
        labels[name] = f"{label} {DAGGER}{letter}"
        corpus = members[0][0].corpus
        group = (corpus, band_of(key.kbps, bands)) if bands else (corpus,)
        rows.append(Row(name, group, _cells(table, key, members), source=key.source.paper))
    return rows, labels


def _cells(
    table: Table, key: _Key, members: Sequence[tuple[PublishedNumber, str]]
) -> dict[str, Cell]:
    cells = {column: Cell() for column in table.columns}
    for number, column in members:
        if cells[column].value is not None:
            raise UserError(
                f"{key.source.paper} has two published numbers of {number.metric} for"
                f" {_label(key)}: tell them apart by their variant"
            )
        cells[column] = _cell(table, number, column)
    if key.kbps is not None and RATE in cells:
        cells[RATE] = Cell(key.kbps, digits=len(f"{key.kbps:g}".partition(".")[2]))
    return cells


def _label(key: _Key) -> str:
    shown = key.variant and key.variant != key.system
    named = f"{key.system} ({key.variant})" if shown else key.system
    return named if key.kbps is None else f"{named}, {key.kbps:g} kbit/s"


def _cell(table: Table, number: PublishedNumber, column: str) -> Cell:
    low, high = table.columns[column].bounds
    if not low <= number.value <= high:
        raise UserError(
            f"the published {number.metric} {number.value:g} of {number.system} lies outside"
            f" {low:g} to {high:g}: it is another scale than {column}"
        )
    return Cell(number.value, digits=number.digits)


def _placed(
    table: Table, rows: Sequence[Row], corpora: Sequence[str], bands: Sequence[float]
) -> tuple[Row, ...]:
    """Put each row behind the others of its group, and new bands where they belong."""
    order = all_bands(bands) if bands else []

    def place(row: Row) -> tuple[int, int]:
        return corpora.index(row.group[0]), order.index(row.group[1]) if bands else 0

    return tuple(sorted([*table.rows, *rows], key=place))


def _notes(chosen: Sequence[tuple[PublishedNumber, str]], letters: dict[_Source, str]) -> list[str]:
    lines = [
        f"{DAGGER}: published numbers, not measured here: other utterances, other implementations"
        " and rates as their source claims them; never ranked"
    ]
    for source, letter in letters.items():
        members = [number for number, _ in chosen if _source(number) == source]
        tables = ", ".join(dict.fromkeys(_table(n.table) for n in members if n.table))
        read = "; ".join(dict.fromkeys(number.source for number in members))
        where = f"{source.paper}, {tables}" if tables else source.paper
        lines.append(f"{DAGGER}{letter}: {where}; {source.dataset}{_read(read, where)}")
    return lines


def _table(name: str) -> str:
    """Call a table that is a mere number a table."""
    return f"Table {name}" if re.fullmatch(r"\d+|[IVXLC]+", name) else name


def _read(source: str, where: str) -> str:
    """Say where a number was read if that is not the paper itself."""
    return "" if not source or source == where else f"; {source}"
