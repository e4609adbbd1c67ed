"""Ratings beside a hidden reference and anchors, after ITU-R BS.1534-3."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..statistics.intervals import Interval, mean_interval
from .answers import ANCHOR, MID_ANCHOR, REFERENCE, Item, MushraAnswers

REFERENCE_AT_LEAST = 90
"""A hidden reference that is rated below this was not recognised."""

MID_ANCHOR_AT_MOST = 90
"""A mid anchor that is rated above this was not heard to be impaired."""

MISSED_AT_MOST = 0.15
"""A listener who misses either in a larger share of the items is left out."""

UNIMPAIRED_ABOVE = 0.25
"""An item whose mid anchor a larger share of the listeners rates above 90 judges nobody by it."""


@dataclass(frozen=True)
class Screening:
    """How a listener rated the hidden reference and the mid anchor.

    Parameters
    ----------
    listener : str
    missed, items : int
        Items whose hidden reference was rated below 90, of all.
    anchor_missed, anchor_items : int
        Items whose mid anchor was rated above 90, of those in which it can be heard.
    """

    listener: str
    missed: int
    items: int
    anchor_missed: int = 0
    anchor_items: int = 0

    @property
    def passed(self) -> bool:
        """Whether at most 15 % of either were missed (BS.1534-3, 4.1.2)."""
        return not _exceeds(self.missed, self.items, MISSED_AT_MOST) and not _exceeds(
            self.anchor_missed, self.anchor_items, MISSED_AT_MOST
        )


def _exceeds(count: int, total: int, share: float) -> bool:
    # In whole numbers: 3 of 20 are 15 %, which floating point need not say.
    return 100 * count > round(100 * share) * total


@dataclass(frozen=True)
class Quality:
    """The mean rating of one condition.

    Parameters
    ----------
    condition, label : str
    interval : Interval
        Over ratings; its speakers are the listeners.
    """

    condition: str
    label: str
    interval: Interval


def screened(answers: Sequence[MushraAnswers]) -> list[Screening]:
    """Judge every listener by the hidden reference and, where there is one, the mid anchor."""
    high = [_high_anchors(one) for one in answers]
    judging = _judging(high)
    return [
        Screening(
            one.listener,
            sum(trial.score(REFERENCE) < REFERENCE_AT_LEAST for trial in one.trials),
            len(one.trials),
            sum(found[item] for item in judging & found.keys()),
            len(judging & found.keys()),
        )
        for one, found in zip(answers, high, strict=True)
    ]


def _judging(high: Sequence[dict[Item, bool]]) -> set[Item]:
    """Return the items in which enough listeners heard that the mid anchor is impaired."""
    rated: dict[Item, list[bool]] = {}
    for found in high:
        for item, is_high in found.items():
            rated.setdefault(item, []).append(is_high)
    return {
        item
        for item, ratings in rated.items()
        if not _exceeds(sum(ratings), len(ratings), UNIMPAIRED_ABOVE)
    }


def _high_anchors(answers: MushraAnswers) -> dict[Item, bool]:
    """Return of which items the mid anchor was rated above 90; empty if there is none."""
    if answers.mid_anchor is None:
        return {}
    return {trial.item: trial.score(MID_ANCHOR) > MID_ANCHOR_AT_MOST for trial in answers.trials}


def qualities(answers: Sequence[MushraAnswers]) -> list[Quality]:
    """Return the mean of each condition with the interval that its listeners allow.

    Listeners differ from each other as speakers do, so they are what is drawn: see
    `codecbench.statistics.intervals`.

    Parameters
    ----------
    answers : sequence of MushraAnswers
        Of the listeners who passed, one or more.
    """
    labels = {
        REFERENCE: "hidden reference",
        **answers[0].codecs,
        ANCHOR: f"low anchor ({answers[0].anchor})",
    }
    if answers[0].mid_anchor is not None:
        labels[MID_ANCHOR] = f"mid anchor ({answers[0].mid_anchor})"
    listeners = np.array([one.listener for one in answers for _ in one.trials])
    found = []
    for condition, label in labels.items():
        scores = [float(trial.score(condition)) for one in answers for trial in one.trials]
        interval = mean_interval(scores, listeners).clipped((0.0, 100.0))
        found.append(Quality(condition, label, interval))
    return found
