"""The scores that figures of single utterances show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..errors import UserError
from ..reports.layout import heading_of
from ..reports.scores import usable_rows
from ..reports.selection import of_corpora
from ..results.frames import UTTERANCE
from ..results.results import Results

if TYPE_CHECKING:
    import pandas as pd


def scores_by_utterance(
    results: Results, metric: str, codecs: Sequence[str], corpora: Sequence[str] | None
) -> pd.DataFrame:
    """Return one metric's scores, a row an utterance and a column a codec.

    Utterances that a codec failed on, and those of speakers that its weights were trained on, are
    NaN.

    Parameters
    ----------
    results : Results
    metric : str
        Column.
    codecs : sequence of str
        Canonical specs.
    corpora : sequence of str or None
        All if None.

    Raises
    ------
    UserError
        If no codec has a score.
    """
    frame = of_corpora(results.frame(details=True, metrics=[metric], codecs=codecs), corpora)
    usable = usable_rows(frame, results.columns[metric]) & ~frame["speaker_seen_in_training"]
    scored = frame[usable]
    if not len(scored):
        raise UserError(f"no utterance in {results} has a score of {metric}")
    return scored.pivot(index=UTTERANCE, columns="codec", values="value").reindex(
        columns=list(codecs)
    )


def axis_title(results: Results, metric: str) -> str:
    """Write a metric with its arrow and unit."""
    heading = heading_of(metric, results.columns[metric])
    return f"{heading.title} ({heading.unit})" if heading.unit else heading.title
