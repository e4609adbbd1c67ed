"""A/B/X: can listeners tell a codec from the reference?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .answers import AbxAnswers

LEVEL = 0.95
CHANCE = 0.5


@dataclass(frozen=True)
class Discrimination:
    """The decisions about one codec.

    Parameters
    ----------
    codec, label : str
    listener : str or None
        None: of all listeners together.
    listeners : int
    correct, trials : int
    low, high : float
        Exact (Clopper-Pearson) 95 % interval of the share of correct answers.
    p : float
        Exact probability of at least so many correct answers by chance.
    adjusted : float
        The same, adjusted by Holm's method for all codecs of the table.
    """

    codec: str
    label: str
    listener: str | None
    listeners: int
    correct: int
    trials: int
    low: float
    high: float
    p: float
    adjusted: float

    @property
    def share(self) -> float:
        """Share of correct answers."""
        return self.correct / self.trials


def discriminations(answers: Sequence[AbxAnswers]) -> list[Discrimination]:
    """Count correct answers of each codec, over all listeners and for each.

    Returns
    -------
    list of Discrimination
        First over all listeners, in the order of the test; then listener by listener.
    """
    groups: list[tuple[str | None, list[AbxAnswers]]] = [(None, list(answers))]
    groups += [(one.listener, [one]) for one in answers]
    return [found for listener, members in groups for found in _of(members, listener)]


def _of(answers: list[AbxAnswers], listener: str | None) -> list[Discrimination]:
    from scipy import stats

    counted = []
    for codec in answers[0].codecs:
        asked = [trial for one in answers for trial in one.trials if trial.codec == codec]
        if asked:
            voices = sum(any(trial.codec == codec for trial in one.trials) for one in answers)
            counted.append((codec, voices, sum(trial.is_correct for trial in asked), len(asked)))
    tests = [
        stats.binomtest(correct, trials, CHANCE, alternative="greater")
        for _, _, correct, trials in counted
    ]
    adjusted = holm([float(test.pvalue) for test in tests])
    found = []
    for (codec, voices, correct, trials), test, p in zip(counted, tests, adjusted, strict=True):
        interval = stats.binomtest(correct, trials, CHANCE).proportion_ci(LEVEL, method="exact")
        found.append(
            Discrimination(
                codec, answers[0].codecs[codec], listener, voices, correct, trials,
                float(interval.low), float(interval.high), float(test.pvalue), p,
            )
        )  # fmt: skip
    return found


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values for their number.

    Source: S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian
    Journal of Statistics 6 (2), 1979.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, np.float64)
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p))))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(steps, 1.0)
    return [float(value) for value in adjusted]
