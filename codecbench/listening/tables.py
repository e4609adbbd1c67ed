"""The analysis of listening tests as tables, notes and records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from ..errors import UserError
from ..reports.layout import NOTHING, number
from ..reports.plain_table import PlainTable
from .abx import Discrimination, discriminations
from .answers import AbxAnswers, Answers, MushraAnswers
from .mushra import (
    MID_ANCHOR_AT_MOST,
    MISSED_AT_MOST,
    REFERENCE_AT_LEAST,
    UNIMPAIRED_ABOVE,
    Quality,
    Screening,
    qualities,
    screened,
)

_METHODS = {
    "speaker bootstrap": "bootstrap of listeners",
    "speaker t": "t over listeners, as there are fewer than 20",
    "within one speaker": "within one listener: t over items, nothing is known of others",
    "none": "one rating alone has no interval",
}


@dataclass
class Analysis:
    """What is printed.

    Parameters
    ----------
    tables : list of PlainTable
    notes : list of str
    records : list of dict
        Every number in full; all have the same keys.
    """

    tables: list[PlainTable] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    records: list[dict[str, Any]] = field(default_factory=list)


def analysis_of(answers: dict[str, list[Answers]]) -> Analysis:
    """Analyse answers to one test, by kind as `read_all` gives them.

    Raises
    ------
    UserError
        If no listener of a MUSHRA test passes the post-screening.
    """
    found = Analysis()
    if "mushra" in answers:
        _add_mushra(found, cast(list[MushraAnswers], answers["mushra"]))
    if "abx" in answers:
        _add_abx(found, cast(list[AbxAnswers], answers["abx"]))
    return found


def _add_mushra(found: Analysis, answers: list[MushraAnswers]) -> None:
    screening = screened(answers)
    kept = [one for one, judged in zip(answers, screening, strict=True) if judged.passed]
    if not kept:
        raise UserError(
            f"no listener passes the post-screening of BS.1534-3: all rated the hidden reference"
            f" below {REFERENCE_AT_LEAST}, or the mid anchor above {MID_ANCHOR_AT_MOST}, in more"
            f" than {MISSED_AT_MOST:.0%} of the items"
        )
    rated = qualities(kept)
    found.tables += [_ratings(rated), _screening(screening)]
    found.notes += [
        f"[low, high]: 95 % interval, {_METHODS[rated[0].interval.method]}",
        f"left out: listeners who rate the hidden reference below {REFERENCE_AT_LEAST}, or the mid"
        f" anchor above {MID_ANCHOR_AT_MOST}, in more than {MISSED_AT_MOST:.0%} of the items;"
        f" items whose mid anchor more than {UNIMPAIRED_ABOVE:.0%} of the listeners rate so high"
        " judge nobody by it (ITU-R BS.1534-3)",
    ]
    if answers[0].mid_anchor is None:
        found.notes.append("this test has no mid anchor, so the hidden reference alone decides")
    for one in screening:
        if not one.passed:
            found.notes.append(f"{one.listener} is left out: {_missed(one)}")
    found.records += [_rating_record(one) for one in rated]


def _ratings(rated: Sequence[Quality]) -> PlainTable:
    rows = []
    for one in rated:
        interval = one.interval
        ends = (interval.low, interval.high)
        low, high = (NOTHING if end is None else number(end, 1) for end in ends)
        counts = (str(interval.utterances), str(interval.speakers))
        rows.append((one.label, number(interval.value, 1), f"[{low}, {high}]", *counts))
    return PlainTable(
        "MUSHRA", ("condition", "mean", "interval", "ratings", "listeners"), tuple(rows)
    )


def _screening(screening: Sequence[Screening]) -> PlainTable:
    rows = tuple(
        (
            one.listener,
            f"{one.missed} of {one.items}",
            f"{one.anchor_missed} of {one.anchor_items}" if one.anchor_items else NOTHING,
            "kept" if one.passed else "left out",
        )
        for one in screening
    )
    head = ("listener", "hidden reference missed", "mid anchor missed", "answers")
    return PlainTable("Post-screening", head, rows)


def _missed(one: Screening) -> str:
    return (
        f"hidden reference missed in {one.missed} of {one.items} items,"
        f" mid anchor in {one.anchor_missed} of {one.anchor_items}"
    )


def _rating_record(one: Quality) -> dict[str, Any]:
    interval = one.interval
    return _record(
        "mushra", one.condition, one.label, None, interval.speakers, interval.utterances,
        value=interval.value, low=interval.low, high=interval.high,
        interval=_METHODS[interval.method],
    )  # fmt: skip


def _add_abx(found: Analysis, answers: list[AbxAnswers]) -> None:
    counted = discriminations(answers)
    together = [one for one in counted if one.listener is None]
    found.tables.append(_decisions("A/B/X, all listeners", together))
    if len(answers) > 1:
        for one in answers:
            mine = [item for item in counted if item.listener == one.listener]
            found.tables.append(_decisions(f"A/B/X, {one.listener}", mine))
    found.notes += [
        "correct: share of correct answers with its exact (Clopper-Pearson) 95 % interval; 50 % is"
        " chance",
        "p: exact binomial test of more correct answers than chance gives; adjusted: by Holm's"
        " method for all codecs of a table",
        "over all listeners, their trials are counted as if they were independent",
    ]
    found.records += [_decision_record(one) for one in counted]


def _decisions(title: str, counted: Sequence[Discrimination]) -> PlainTable:
    rows = tuple(
        (
            one.label,
            f"{one.correct} of {one.trials}",
            f"{100 * one.share:.1f} % [{100 * one.low:.1f}, {100 * one.high:.1f}]",
            f"{one.p:.4f}",
            f"{one.adjusted:.4f}",
            str(one.listeners),
        )
        for one in counted
    )
    return PlainTable(title, ("codec", "correct", "share", "p", "adjusted", "listeners"), rows)


def _decision_record(one: Discrimination) -> dict[str, Any]:
    return _record(
        "abx", one.codec, one.label, one.listener, one.listeners, one.trials,
        value=one.share, low=one.low, high=one.high, interval="clopper-pearson",
        correct=one.correct, p=one.p, adjusted=one.adjusted,
    )  # fmt: skip


def _record(
    kind: str,
    condition: str,
    label: str,
    listener: str | None,
    listeners: int,
    n: int,
    **numbers: Any,
) -> dict[str, Any]:
    blank = dict.fromkeys(("value", "low", "high", "interval", "correct", "p", "adjusted"), None)
    return {
        "kind": kind, "condition": condition, "label": label, "listener": listener,
        "listeners": listeners, "n": n, **blank, **numbers,
    }  # fmt: skip
