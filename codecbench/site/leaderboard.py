"""The leaderboards of a site: a run's tables as pages show them, and as numbers for scripts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..metric import Column
from ..reports.cells import Cell
from ..reports.families import families_of
from ..reports.layout import Block, Entry, Heading, blocks_of, marks_note, one_line
from ..reports.table import Row, Table
from ..results.results import RATE
from ..results.run_folder import Run
from ..results.schema import REFERENCE

KINDS = {True: "yes", False: "no", None: "–"}


@dataclass(frozen=True)
class Facts:
    """What a codec's card says, written out.

    Parameters
    ----------
    latency, causal, parameters : str
    role : {"reference", "anchor", ""}
    """

    latency: str = "–"
    causal: str = "–"
    parameters: str = "–"
    role: str = ""


@dataclass(frozen=True)
class Line:
    """A row of a leaderboard."""

    codec: str
    label: str
    facts: Facts
    entries: list[Entry]
    reasons: list[str]


@dataclass(frozen=True)
class Board:
    """One run on one corpus.

    Parameters
    ----------
    id : str
        Of the HTML element.
    title, run : str
    headings : list of Heading
    lines : list of Line
    utterances, speakers : list of str
        How many each column's comparison rests on.
    notes : list of str
    numbers : dict
        What scripts sort, filter and plot.
    """

    id: str
    title: str
    run: str
    headings: list[Heading]
    lines: list[Line]
    utterances: list[str]
    speakers: list[str]
    notes: list[str]
    numbers: dict[str, Any]


def boards_of(run: Run, number: int, metrics: Sequence[str] | None = None) -> list[Board]:
    """Make a leaderboard for each corpus of a run.

    Parameters
    ----------
    run : Run
    number : int
        Of the run within the site.
    metrics : sequence of str, optional
        Columns wanted; all if None.

    Raises
    ------
    UserError
        If the run holds no results.
    """
    table = run.table(metrics=metrics)
    return boards_of_table(table, run.cards, run.path.resolve().name, f"r{number}")


def boards_of_table(
    table: Table, cards: Mapping[str, Mapping[str, Any]], run: str, id_: str
) -> list[Board]:
    """Make a leaderboard for each group of a table."""
    notes = [*marks_note(table, "1st (bold)", "2nd (italic)"), *map(one_line, table.notes)]
    families = _families([row.codec for row in table.rows])
    boards = []
    for place, (block, (group, rows)) in enumerate(
        zip(blocks_of(table), table.groups().items(), strict=True)
    ):
        shown = [row for row in rows if row.codec in set(block.codecs)]
        lines = [
            _line(row, label, entries, cards.get(row.codec, {}))
            for row, label, entries in zip(shown, block.labels, block.entries, strict=True)
        ]
        numbers = _numbers(table, shown, block, lines, families)
        title = one_line(" · ".join(group)) or "all corpora"
        name = one_line(run)
        boards.append(
            Board(
                f"{id_}-{place + 1}", title, name, block.headings, lines, block.utterances,
                block.speakers, notes, numbers,
            )
        )  # fmt: skip
    return boards


def _line(row: Row, label: str, entries: list[Entry], card: Mapping[str, Any]) -> Line:
    reasons = [
        one_line(cell.reason) if cell.failures and cell.reason else ""
        for cell in row.cells.values()
    ]
    return Line(one_line(row.codec), label, facts_of(row.codec, card), entries, reasons)


def facts_of(codec: str, card: Mapping[str, Any]) -> Facts:
    """Write out latency, causality and size from a codec's card."""
    if codec == REFERENCE:
        return Facts(role="reference")
    latency = card.get("algorithmic_latency_ms")
    parameters = card.get("parameters")
    return Facts(
        latency="–" if latency is None else f"{latency:g}",
        causal=KINDS[card.get("causal")],
        parameters="–" if not parameters else _millions(int(parameters)),
        role="anchor" if card.get("anchor") else "",
    )


def _millions(count: int) -> str:
    return f"{count / 1e6:.3g} M" if count >= 100_000 else f"{count / 1e3:.3g} k"


def _families(codecs: Sequence[str]) -> dict[str, str]:
    """Return the name of the curve that each codec is a point of."""
    specs = [codec for codec in dict.fromkeys(codecs) if codec != REFERENCE]
    return {spec: name for name, members in families_of(specs).items() for spec in members}


def _numbers(
    table: Table, rows: Sequence[Row], block: Block, lines: Sequence[Line], families: dict[str, str]
) -> dict[str, Any]:
    columns = [
        _column(name, column, heading)
        for (name, column), heading in zip(table.columns.items(), block.headings, strict=True)
    ]
    return {
        "rate": next((i for i, column in enumerate(columns) if column["name"] == RATE), None),
        "columns": columns,
        "rows": [
            {
                "label": line.label,
                "role": line.facts.role,
                "family": one_line(families.get(row.codec, row.codec)),
                "cells": [_triple(row.cells[name], table.columns[name]) for name in table.columns],
            }
            for row, line in zip(rows, lines, strict=True)
        ],
    }


def _column(name: str, column: Column, heading: Heading) -> dict[str, Any]:
    return {
        "name": one_line(name),
        "title": heading.title,
        "unit": heading.unit,
        "better": column.better,
        "digits": column.digits,
    }


def _triple(cell: Cell, column: Column) -> list[float | None]:
    """Return value and interval, rounded far below what is shown."""
    digits = column.digits + 4
    return [
        None if number is None or not math.isfinite(number) else round(number, digits)
        for number in (cell.value, cell.low, cell.high)
    ]
