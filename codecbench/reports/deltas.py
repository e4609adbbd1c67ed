"""Bjøntegaard deltas of a run: each family of codecs against an anchor."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import UserError
from ..metric import Column
from ..results.frames import scores_of
from ..results.results import RATE
from ..results.run_folder import Run
from ..results.schema import REFERENCE
from ..statistics.bjontegaard import Curve, Delta, delta_metric, delta_rate
from .families import chosen, families_of
from .layout import NOTHING, number
from .plain_table import PlainTable
from .table import RATE_UNIT

if TYPE_CHECKING:
    import pandas as pd

NOTES = (
    "delta: first line, mean difference in counted rate at equal quality (negative: fewer bits than"
    " the anchor); second line, mean difference in the metric at equal rates",
    "[low, high]: 95 % interval over speakers",
    "over: the range that is averaged over, and its share of the range that either curve covers",
)


@dataclass(frozen=True)
class FamilyDelta:
    """One family against the anchor, in one corpus and metric.

    Parameters
    ----------
    corpus, metric : str
    column : Column
    anchor, tested : str
        Families.
    utterances, speakers : int
    rate, gain : Delta or str
        Delta rate and delta metric, or why there is none.
    """

    corpus: str
    metric: str
    column: Column
    anchor: str
    tested: str
    utterances: int
    speakers: int
    rate: Delta | str
    gain: Delta | str


def deltas_of(
    run: Run, metrics: Sequence[str], anchor: str, tested: Sequence[str] = ()
) -> list[FamilyDelta]:
    """Compare families of codecs with an anchor's curve.

    Rows of speakers that a codec's weights were trained on are left out.

    Parameters
    ----------
    run : Run
    metrics : sequence of str
        Columns.
    anchor : str
        Spec or sweep of the anchor, such as ``opus`` or ``opus:kbps=6|12|24``.
    tested : sequence of str
        Specs or sweeps of the codecs compared with it; all other families of two rates or more if
        empty.

    Raises
    ------
    UserError
        If the run has no such codec, a column has no direction, or there is nothing to compare.
    """
    base = chosen(run.order, anchor)
    pairs = _tested(run, base, tested)
    for name in metrics:
        if run.columns[name].better is None:
            raise UserError(f"{name} has no direction, so that no codec saves rate by it")
    frame = run.frame(details=True, metrics=[RATE, *metrics])
    frame = frame[~frame["speaker_seen_in_training"] & (frame["codec"] != REFERENCE)]
    found = [
        one
        for corpus, part in frame.groupby("corpus", observed=True)
        for name in metrics
        for family, specs in pairs.items()
        if (one := _delta(run, str(corpus), part, name, (anchor, base), (family, specs)))
    ]
    if not found:
        raise UserError("no utterance was scored by both the anchor and a codec compared with it")
    return found


def _tested(run: Run, base: Sequence[str], tested: Sequence[str]) -> dict[str, list[str]]:
    if tested:
        return {text: chosen(run.order, text) for text in tested}
    others = [spec for spec in run.order if spec not in base]
    pairs = {name: specs for name, specs in families_of(others).items() if len(specs) > 1}
    if not pairs:
        raise UserError("this run has no other codec at two rates or more")
    return pairs


def _delta(
    run: Run,
    corpus: str,
    frame: pd.DataFrame,
    name: str,
    anchor: tuple[str, list[str]],
    tested: tuple[str, list[str]],
) -> FamilyDelta | None:
    column = run.columns[name]
    rows = {
        (spec, metric): scores_of(frame, spec, metric)
        for spec in (*anchor[1], *tested[1])
        for metric in (RATE, name)
    }
    common = functools.reduce(_intersection, (one.index for one in rows.values()))
    if not len(common):
        return None
    rows = {key: one.loc[common] for key, one in rows.items()}
    base = _curve(*anchor, rows, column, name)
    other = _curve(*tested, rows, column, name)
    speakers = next(iter(rows.values()))["speaker"].to_numpy()
    return FamilyDelta(
        corpus,
        name,
        column,
        anchor[0],
        tested[0],
        len(common),
        len(set(speakers)),
        _or_reason(lambda: delta_rate(base, other, speakers, column.better or "higher")),
        _or_reason(lambda: delta_metric(base, other, speakers)),
    )


def _intersection(first: pd.Index[Any], second: pd.Index[Any]) -> pd.Index[Any]:
    return first.intersection(second)


def _curve(
    family: str,
    specs: Sequence[str],
    rows: Mapping[tuple[str, str], pd.DataFrame],
    column: Column,
    name: str,
) -> Curve:
    rates, scores = ([rows[spec, metric] for spec in specs] for metric in (RATE, name))
    over = "numerator" if column.pooled else "value"
    numerators = np.array([one[over].to_numpy(float) for one in scores])
    under = [one["denominator"].to_numpy(float) for one in scores]
    return Curve(
        family,
        np.array([one["numerator"].to_numpy(float) for one in rates]),
        np.array([one["denominator"].to_numpy(float) for one in rates]),
        numerators,
        np.array(under) if column.pooled else np.ones_like(numerators),
    )


def _or_reason(delta: Callable[[], Delta]) -> Delta | str:
    try:
        return delta()
    except UserError as error:
        return str(error)


def table_of(found: Sequence[FamilyDelta]) -> PlainTable:
    """Write all deltas as one table, two lines a family."""
    heads = ("corpus", "metric", "codec", "delta", "over")
    rows = (row for one in found for row in _rows(one))
    return PlainTable(f"against {found[0].anchor}", heads, tuple(rows), texts=5)


def _rows(one: FamilyDelta) -> Iterator[tuple[str, ...]]:
    column = one.column
    unit = f" {column.unit}" if column.unit else ""
    yield (
        one.corpus,
        column.title,
        one.tested,
        _worded(one.rate, 1, " %"),
        _range(one.rate, unit, column.digits),
    )
    yield "", "", "", _worded(one.gain, column.digits, unit), _range(one.gain, f" {RATE_UNIT}", 2)


def notes_of(found: Sequence[FamilyDelta]) -> list[str]:
    """Explain the columns, and say why a delta is missing."""
    missing = {
        reason: None for one in found for reason in (one.rate, one.gain) if isinstance(reason, str)
    }
    return [*NOTES, *missing]


def _worded(delta: Delta | str, digits: int, unit: str) -> str:
    return NOTHING if isinstance(delta, str) else delta.interval.worded("+", digits) + unit


def _range(delta: Delta | str, what: str, digits: int) -> str:
    if isinstance(delta, str):
        return NOTHING
    share = f"{100 * delta.share:.0f} %"
    return f"{number(delta.low, digits)} to {number(delta.high, digits)}{what}, {share}"


def records_of(found: Sequence[FamilyDelta]) -> Iterator[dict[str, Any]]:
    """Yield a record for each family, corpus and metric."""
    for one in found:
        yield {
            "corpus": one.corpus,
            "metric": one.metric,
            "anchor": one.anchor,
            "tested": one.tested,
            "utterances": one.utterances,
            "speakers": one.speakers,
            **_record("rate_percent", one.rate),
            **_record("metric", one.gain),
        }


def _record(name: str, delta: Delta | str) -> dict[str, Any]:
    keys = ("value", "low", "high", "from", "to", "share", "reason")
    if isinstance(delta, str):
        values: tuple[object, ...] = (None,) * 6 + (delta,)
    else:
        interval = delta.interval
        values = (interval.value, interval.low, interval.high)
        values += (delta.low, delta.high, delta.share, None)
    return {f"delta_{name}_{key}": value for key, value in zip(keys, values, strict=True)}
