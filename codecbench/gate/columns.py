"""One column of a codec in two runs: utterances paired, the difference, the worst of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from ..metric import Column
from ..reports.scores import usable_rows
from ..statistics.paired import Difference, paired_difference, paired_ratio_difference
from .findings import ColumnComparison, Sounds, Worsening
from .thresholds import Threshold

if TYPE_CHECKING:
    import pandas as pd

WORST = 5
"""How many new failures, missing and worsened utterances each are listed for a column."""

SoundsOf = Callable[[tuple[str, str, str]], Sounds]
"""Says where an utterance (corpus, split, id) can be heard."""


def compare_column(
    name: str,
    column: Column,
    rows: Sequence[pd.DataFrame],
    thresholds: Sequence[Threshold],
    sounds: SoundsOf,
) -> ColumnComparison | None:
    """Compare one column of a codec on the utterances that both runs scored.

    Parameters
    ----------
    name : str
        As the frame shows the column.
    column : Column
    rows : (DataFrame, DataFrame)
        The column's rows of the base and of the candidate, by utterance and sorted.
    thresholds : sequence of Threshold
        Of this column.
    sounds : callable

    Returns
    -------
    ColumnComparison or None
        None if the base scored nothing. Where the candidate scored nothing of what the base
        scored, every threshold is broken.
    """
    scored = [side[usable_rows(side, column)] for side in rows]
    common = scored[0].index.intersection(scored[1].index)
    failed = scored[0].index.intersection(rows[1].index).difference(common)
    mended = scored[1].index.intersection(rows[0].index).difference(common)
    missing, extra = (
        mine.index.difference(others.index)
        for mine, others in zip(scored, reversed(rows), strict=True)
    )
    losses = [
        *_failures(scored[0].loc[failed], rows[1].loc[failed], sounds),
        *_missing(scored[0].loc[missing], sounds),
    ]
    counts = len(failed), len(mended), len(missing), len(extra)
    if len(common):
        sides = [side.loc[common] for side in scored]
        before, now, difference = _difference(column, sides)
        verdicts = tuple((one, one.is_broken_by(difference, before)) for one in thresholds)
        worst = (*losses, *_worsened(column, sides, sounds))
        return ColumnComparison(name, column, before, now, difference, *counts, verdicts, worst)
    if not losses:
        return None
    verdicts = tuple((one, True) for one in thresholds)
    return ColumnComparison(name, column, None, None, None, *counts, verdicts, tuple(losses))


def _difference(column: Column, sides: Sequence[pd.DataFrame]) -> tuple[float, float, Difference]:
    """Return both means or pooled ratios, and candidate - base."""
    base, candidate = sides
    who = base.index.get_level_values("corpus") + ":" + base["speaker"]
    if column.pooled:
        parts = [(side["numerator"].to_numpy(), side["denominator"].to_numpy()) for side in sides]
        before, now = (float(over.sum() / under.sum()) for over, under in parts)
        return before, now, paired_ratio_difference(parts[1], parts[0], who)
    before, now = (float(side["value"].mean()) for side in sides)
    return before, now, paired_difference(candidate["value"], base["value"], who)


def _worsened(
    column: Column, sides: Sequence[pd.DataFrame], sounds: SoundsOf
) -> Iterator[Worsening]:
    """Yield the utterances that got worse most, worst first."""
    if column.better is None:
        return
    base, candidate = (side["value"].to_numpy(float) for side in sides)
    gains = (candidate - base) * (1 if column.better == "higher" else -1)
    for place in gains.argsort(kind="stable")[:WORST].tolist():
        if gains[place] < 0:
            key = sides[0].index[place]
            scores = float(base[place]), float(candidate[place])
            yield Worsening("/".join(key), *scores, None, sounds(key))


def _failures(base: pd.DataFrame, candidate: pd.DataFrame, sounds: SoundsOf) -> Iterator[Worsening]:
    """Yield utterances that both runs hold and the base alone scored."""
    reasons = candidate["error"].where(candidate["error"].notna(), "no number")
    for key, value, why in list(zip(base.index, base["value"], reasons, strict=True))[:WORST]:
        yield Worsening("/".join(key), float(value), None, str(why), sounds(key))


def _missing(base: pd.DataFrame, sounds: SoundsOf) -> Iterator[Worsening]:
    """Yield utterances that the base scored and the candidate does not hold."""
    for key, value in list(zip(base.index, base["value"], strict=True))[:WORST]:
        yield Worsening("/".join(key), float(value), None, None, sounds(key))
