"""Ratings beside a hidden reference and a low anchor, after ITU-R BS.1534-3."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..statistics.intervals import Interval, mean_interval
from .answers import ANCHOR, REFERENCE, MushraAnswers

REFERENCE_AT_LEAST = 90
"""A hidden reference that is rated below this was not recognised."""

MISSED_AT_MOST = 0.15
"""A listener who misses it in a larger share of the items is left out."""


@dataclass(frozen=True)
class Screening:
    """How a listener rated the hidden reference.

    Parameters
    ----------
    listener : str
    missed, items : int
        Items whose hidden reference was rated below 90, of all.
    """

    listener: str
    missed: int
    items: int

    @property
    def passed(self) -> bool:
        """Whether at most 15 % were missed (BS.1534-3, 4.1.2)."""
        # In whole numbers: 3 of 20 are 15 %, which floating point need not say.
        return 100 * self.missed <= round(100 * MISSED_AT_MOST) * self.items


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
    """Judge every listener by the hidden reference."""
    return [
        Screening(
            one.listener,
            sum(trial.score(REFERENCE) < REFERENCE_AT_LEAST for trial in one.trials),
            len(one.trials),
        )
        for one in answers
    ]


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
    listeners = np.array([one.listener for one in answers for _ in one.trials])
    found = []
    for condition, label in labels.items():
        scores = [float(trial.score(condition)) for one in answers for trial in one.trials]
        interval = mean_interval(scores, listeners).clipped((0.0, 100.0))
        found.append(Quality(condition, label, interval))
    return found
