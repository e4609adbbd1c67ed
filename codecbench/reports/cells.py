"""`Cell`: one codec's aggregate of one metric, and how the cells of a column come about."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from ..metric import Column
from ..statistics.intervals import Method, interval_of, ratio
from .marks import marks_of
from .scores import Scores, aligned, usable_rows

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Cell:
    """One number of a table.

    Parameters
    ----------
    value : float or None
        Mean or pooled ratio over the `n` utterances; None if there are none.
    low, high : float or None
        95 % interval; None where one utterance allows none.
    n : int
        Utterances the value rests on: those that all codecs compared here scored.
    speakers : int
    scored : int
        Utterances that this codec scored.
    failures : int
        Utterances that it failed on.
    reason : str or None
        The most frequent reason of failure.
    method : {"speaker bootstrap", "speaker t", "within one speaker", "none"}
    mark : {"best", "second"} or None
    digits : int or None
        Decimals that are known, where they may be fewer than the column's: of published numbers.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    speakers: int = 0
    scored: int = 0
    failures: int = 0
    reason: str | None = None
    method: Method = "none"
    mark: Literal["best", "second"] | None = None
    digits: int | None = None

    @property
    def label(self) -> str | None:
        """What must be said of the interval: ``within one speaker``, or nothing."""
        return self.method if self.method == "within one speaker" else None


def cells_of(
    frame: pd.DataFrame, column: Column, anchors: frozenset[str] = frozenset()
) -> dict[str, Cell]:
    """Aggregate the rows of one metric in one group.

    Parameters
    ----------
    frame : pandas.DataFrame
        As `Run.frame` gives it, plus `left_out` (bool): rows that are not to be used.
    column : Column
    anchors : set of str
        Codecs that are never marked.

    Returns
    -------
    dict
        A cell for each codec in the frame.

    Raises
    ------
    ValueError
        If an utterance has two rows of one codec.
    """
    cells = {str(codec): Cell() for codec in frame["codec"].unique()}
    frame = frame[~frame["left_out"]]
    if not len(frame):
        return cells
    usable = usable_rows(frame, column)
    scores = aligned(frame, usable, column)
    common = scores.common()
    for index, codec in enumerate(scores.codecs):
        cells[codec] = _cell(scores, index, common, column)
    for codec, reasons in _failures(frame[~usable]).items():
        reason = min(reasons, key=lambda text: (-reasons[text], text))
        cells[codec] = replace(cells[codec], failures=reasons.total(), reason=reason)
    for codec, mark in _marks(scores, common, column, anchors).items():
        cells[codec] = replace(cells[codec], mark=mark)
    return cells


def _cell(scores: Scores, index: int, common: npt.NDArray[np.bool_], column: Column) -> Cell:
    used = common & scores.scored[index]
    count = int(scores.scored[index].sum())
    if not used.any():
        return Cell(scored=count)
    found = interval_of(scores.parts[index, used], scores.speakers[used], ratio)
    found = found.clipped(column.bounds)
    return Cell(
        found.value,
        found.low,
        found.high,
        n=found.utterances,
        speakers=found.speakers,
        scored=count,
        method=found.method,
    )


def _failures(failed: pd.DataFrame) -> dict[str, Counter[str]]:
    reasons: dict[str, Counter[str]] = {}
    texts = failed["error"].where(failed["error"].notna(), "no number")
    for codec, reason in zip(failed["codec"].astype(str), texts.astype(str), strict=True):
        reasons.setdefault(codec, Counter())[reason] += 1
    return reasons


def _marks(
    scores: Scores, common: npt.NDArray[np.bool_], column: Column, anchors: frozenset[str]
) -> dict[str, Literal["best", "second"]]:
    if not column.ranked or column.better is None or not common.any():
        return {}
    ranked = [index for index in scores.ranked() if scores.codecs[index] not in anchors]
    marks = marks_of(
        scores.parts[ranked][:, common],
        scores.speakers[common],
        better=column.better,
        pooled=column.pooled,
    )
    return {scores.codecs[ranked[place]]: mark for place, mark in marks.items()}
