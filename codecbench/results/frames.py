"""Looking things up in the frame of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

UTTERANCE = ["corpus", "split", "utterance"]
"""Columns that together name an utterance."""


def scores_of(frame: pd.DataFrame, codec: str, metric: str) -> pd.DataFrame:
    """Return the rows of one codec and metric that hold a score, by utterance and sorted.

    Parameters
    ----------
    frame : DataFrame
        As `Run.frame` returns it.
    codec : str
        Canonical spec.
    metric : str
        Column name.
    """
    rows = frame[(frame.codec == codec) & (frame.metric == metric) & frame.value.notna()]
    return rows.set_index(UTTERANCE).sort_index()
