"""Columns of a leaderboard that come from cards and timings instead of speech."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..metric import Column, Direction
from ..reports.cells import Cell
from ..reports.table import Row, Table


def _property(name: str, title: str, unit: str, better: Direction | None, digits: int) -> Column:
    return Column(name, title, unit, better, (0.0, math.inf), ranked=False, digits=digits)


PROPERTIES = {
    column.name: column
    for column in (
        _property("latency_ms", "algorithmic latency", "ms", "lower", 1),
        _property("frame_rate", "frame rate", "Hz", None, 1),
        _property("parameters_m", "parameters", "million", None, 1),
        _property("rtf_encode", "RTF encode", "", "lower", 4),
        _property("rtf_decode", "RTF decode", "", "lower", 4),
    )
}
"""By name; single numbers of a codec, which have no interval and are never ranked."""

TIMINGS = frozenset({"rtf_encode", "rtf_decode"})
"""Properties that `codecbench bench-speed` measures."""

_OF_CARD = {
    "latency_ms": ("algorithmic_latency_ms", 1.0),
    "frame_rate": ("frame_rate", 1.0),
    "parameters_m": ("parameters", 1e-6),
}


def with_properties(
    table: Table,
    names: Sequence[str],
    cards: Mapping[str, Mapping[str, Any]],
    timings: Mapping[str, Mapping[str, Any]],
) -> Table:
    """Add properties as the last columns of a table.

    Parameters
    ----------
    table : Table
    names : sequence of str
        Of `PROPERTIES`.
    cards : mapping of str to dict
        `CodecCard.as_dict` by canonical spec.
    timings : mapping of str to dict
        `Speed.as_dict` by canonical spec.
    """
    if not names:
        return table
    columns = {**table.columns, **{name: PROPERTIES[name] for name in names}}
    rows = tuple(_extended(row, names, cards, timings) for row in table.rows)
    return replace(table, columns=columns, rows=rows)


def _extended(
    row: Row,
    names: Sequence[str],
    cards: Mapping[str, Mapping[str, Any]],
    timings: Mapping[str, Mapping[str, Any]],
) -> Row:
    card, timing = cards.get(row.codec, {}), timings.get(row.codec, {})
    cells = {name: Cell(_value(name, card, timing)) for name in names}
    return replace(row, cells={**row.cells, **cells})


def _value(name: str, card: Mapping[str, Any], timing: Mapping[str, Any]) -> float | None:
    key, factor = _OF_CARD.get(name, (name, 1.0))
    value = (timing if name in TIMINGS else card).get(key)
    if not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return value * factor
