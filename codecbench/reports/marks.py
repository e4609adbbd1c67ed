"""Which codecs of a column are best and second best, as far as paired differences support it."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from ..metric import Direction
from ..statistics.intervals import ratio
from ..statistics.paired import paired_differences

Array = npt.NDArray[np.float64]
Mark = Literal["best", "second"]
_PLACES: tuple[Mark, ...] = ("best", "second")


def marks_of(
    parts: Array, speakers: npt.NDArray[np.int64], *, better: Direction, pooled: bool
) -> dict[int, Mark]:
    """Mark the best and the second best codec of a column.

    The codec with the best value is marked if it differs from every other codec, the next one if
    the first is marked and it differs from every codec behind it (so the last of a table is never
    marked). Two codecs differ if the 95 % interval of their paired difference excludes zero and
    the p-value of the sign-flip test, adjusted for all comparisons of the column, is below 5 %,
    which fewer than six speakers never reach.

    Parameters
    ----------
    parts : array, shape (codecs, utterances, 2)
        Numerators and denominators (value and 1 for means) on common utterances.
    speakers : array of int, shape (utterances,)
    better : {"higher", "lower"}
    pooled : bool

    Returns
    -------
    dict of int to {"best", "second"}
        By the codec's index.
    """
    values = ratio(parts.sum(axis=1))
    ranking = np.argsort(-values if better == "higher" else values, kind="stable").tolist()
    pairs = [
        (place, behind)
        for place in range(len(_PLACES))
        for behind in range(place + 1, len(ranking))
    ]
    found = paired_differences(
        parts, [(ranking[a], ranking[b]) for a, b in pairs], speakers, pooled=pooled
    )
    marks: dict[int, Mark] = {}
    for place, mark in enumerate(_PLACES):
        own = [
            one.is_finding for (first, _), one in zip(pairs, found, strict=True) if first == place
        ]
        if not own or not all(own):
            break
        marks[ranking[place]] = mark
    return marks
