"""Who beats whom, and between which ranks each codec lies.

All pairs of codecs are compared on the same utterances; a pair is decided if the interval of its
difference excludes zero and its sign-flip p-value, adjusted for all pairs, is below 5 %.
A codec's best possible rank is then one more than the number of codecs that beat it, its worst the
number of codecs less those that it beats. Since the decisions hold together with 95 %
confidence, so do all rank intervals together (Mogstad, Romano, Shaikh & Wilhelm 2024, "Inference
for ranks with applications to mobility across neighbourhoods and academic achievement across
countries").
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..metric import Direction
from .clusters import Array
from .intervals import ratio
from .paired import Difference, paired_differences
from .sign_flip import Adjustment

Verdicts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Ranking:
    """All codecs compared with each other.

    Parameters
    ----------
    values : array, shape (codecs,)
        Means or pooled ratios.
    better : {"higher", "lower"}
    differences : dict of (int, int) to Difference
        First - second of every pair, the smaller index first.
    verdicts : array of int, shape (codecs, codecs)
        1: the row's codec beats the column's, -1: it is beaten, 0: not told apart.
    """

    values: Array
    better: Direction
    differences: dict[tuple[int, int], Difference]
    verdicts: Verdicts

    @property
    def order(self) -> list[int]:
        """The codecs from best to worst value; equal ones in the order given."""
        sign = -1 if self.better == "higher" else 1
        order: list[int] = np.argsort(sign * self.values, kind="stable").tolist()
        return order

    @property
    def counts(self) -> list[tuple[int, int, int]]:
        """Wins, ties and losses of each codec."""
        others = len(self.values) - 1
        wins, losses = (self.verdicts > 0).sum(axis=1), (self.verdicts < 0).sum(axis=1)
        pairs = zip(wins.tolist(), losses.tolist(), strict=True)
        return [(won, others - won - lost, lost) for won, lost in pairs]

    @property
    def ranks(self) -> list[tuple[int, int]]:
        """Best and worst rank of each codec, counted from 1; simultaneous 95 % intervals."""
        return [(1 + lost, len(self.values) - won) for won, _, lost in self.counts]


def rank(
    parts: Array,
    speakers: npt.ArrayLike,
    *,
    better: Direction,
    pooled: bool = False,
    adjust: Adjustment = "maxT",
) -> Ranking:
    """Compare every codec with every other.

    Parameters
    ----------
    parts : array, shape (codecs, utterances, 2)
        Numerators and denominators (scores and ones for means) on common utterances.
    speakers : array, shape (utterances,)
    better : {"higher", "lower"}
    pooled : bool
        Whether the column is a pooled ratio.
    adjust : {"maxT", "holm"}
        How p-values are adjusted for all pairs.

    Raises
    ------
    ValueError
        If there are no utterances or a number is not finite.
    """
    pairs = list(itertools.combinations(range(len(parts)), 2))
    differences = paired_differences(parts, pairs, speakers, pooled=pooled, adjust=adjust)
    verdicts = np.zeros((len(parts), len(parts)), np.int64)
    sign = 1 if better == "higher" else -1
    for (a, b), found in zip(pairs, differences, strict=True):
        if found.is_finding:
            verdicts[a, b] = sign * np.sign(found.interval.value)
            verdicts[b, a] = -verdicts[a, b]
    values = ratio(parts.sum(axis=1))
    return Ranking(values, better, dict(zip(pairs, differences, strict=True)), verdicts)
