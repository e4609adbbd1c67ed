"""One codec against another, a point an utterance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..errors import UserError
from ..reports.labels import short_labels
from ..results.results import Results
from .canvas import panels
from .style import DASHES, MARKERS, PALETTE
from .values import axis_title, scores_by_utterance

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PANEL = 3.2
"""Inches."""


def draw_scatter(
    results: Results,
    metrics: Sequence[str],
    codecs: Sequence[str],
    corpora: Sequence[str] | None = None,
) -> Figure:
    """Draw a panel for each metric; corpora differ in colour and marker.

    Parameters
    ----------
    results : Results
    metrics : sequence of str
        Columns.
    codecs : sequence of str
        Canonical specs of two codecs: the first is on the horizontal axis.
    corpora : sequence of str, optional
        All if None.

    Raises
    ------
    UserError
        If there are not two codecs, or no utterance has both scores.
    """
    if len(codecs) != 2:
        raise UserError(
            f"a scatter plot is of two codecs, not {len(codecs)}: name two with --codec"
        )
    size = (_PANEL * len(metrics) + 0.2, _PANEL + 0.4)
    figure, axes = panels(1, len(metrics), size)
    labels = short_labels(codecs)
    for one, metric in zip(axes[0], metrics, strict=True):
        pairs = scores_by_utterance(results, metric, codecs, corpora).dropna()
        if not len(pairs):
            raise UserError(f"no utterance has a score of {metric} through both codecs")
        for place, (corpus, part) in enumerate(pairs.groupby(level="corpus", sort=True)):
            _points(one, part.to_numpy(float), str(corpus), place)
        _diagonal(one, pairs.to_numpy(float))
        one.set(xlabel=labels[codecs[0]], ylabel=labels[codecs[1]])
        better = results.columns[metric].better
        title = [axis_title(results, metric), _tally(pairs.to_numpy(float), better)]
        one.set_title("\n".join(filter(None, title)))
        one.legend(fontsize="small", handletextpad=0.2)
    return figure


def _points(axes: Axes, pairs: npt.NDArray[np.float64], corpus: str, place: int) -> None:
    axes.plot(
        pairs[:, 0],
        pairs[:, 1],
        linestyle="none",
        marker=MARKERS[place % len(MARKERS)],
        color=PALETTE[place % len(PALETTE)],
        alpha=0.7,
        markeredgewidth=0,
        label=f"{corpus} ({len(pairs)})",
    )


def _diagonal(axes: Axes, pairs: npt.NDArray[np.float64]) -> None:
    """Give both axes the same range, and draw where both codecs are equal."""
    from matplotlib.ticker import MaxNLocator

    low, high = float(pairs.min()), float(pairs.max())
    margin = 0.05 * (high - low) or 0.5
    limits = low - margin, high + margin
    axes.plot(limits, limits, color="#5a5a5a", linestyle=DASHES[1], linewidth=0.8)
    axes.set(xlim=limits, ylim=limits, aspect="equal")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(6))
    axes.grid(alpha=0.3, linewidth=0.5)


def _tally(pairs: npt.NDArray[np.float64], better: str | None) -> str:
    """Say on how many utterances the codec of the vertical axis is better."""
    if better is None:
        return ""
    gains = (pairs[:, 1] - pairs[:, 0]) * (1 if better == "higher" else -1)
    side = "above" if better == "higher" else "below"
    return f"{int((gains > 0).sum())} of {len(gains)} better {side} the line"
