"""How utterances' scores are distributed: a violin for each codec, a panel for each corpus."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..reports.families import by_family
from ..reports.labels import short_labels
from ..results.results import Results
from .canvas import panels
from .style import styles_of
from .values import axis_title, scores_by_utterance

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LINE = 0.24
_PANEL = 2.4
_LABELS = 2.2
"""Inches."""


def draw_violins(
    results: Results,
    metrics: Sequence[str],
    codecs: Sequence[str],
    corpora: Sequence[str] | None = None,
) -> Figure:
    """Draw codecs below each other by family, corpora beside each other, metrics in rows of panels.

    The bar goes from the lower to the upper quartile, the white dot is the median.

    Parameters
    ----------
    results : Results
    metrics : sequence of str
        Columns.
    codecs : sequence of str
        Canonical specs.
    corpora : sequence of str, optional
        All if None.

    Raises
    ------
    UserError
        If no codec has a score of a metric.
    """
    codecs = by_family(codecs)
    tables = {name: scores_by_utterance(results, name, codecs, corpora) for name in metrics}
    held = sorted({str(key[0]) for table in tables.values() for key in table.index})
    size = _LABELS + _PANEL * len(held), (_LINE * len(codecs) + 0.7) * len(metrics)
    figure, axes = panels(len(metrics), len(held), size, sharex="row", sharey=True)
    labels = short_labels(codecs)
    for line, (name, table) in enumerate(tables.items()):
        for column, corpus in enumerate(held):
            _panel(axes[line, column], table, corpus, codecs)
            axes[line, column].set_title(corpus)
            axes[line, column].set_xlabel(axis_title(results, name))
    places = range(len(codecs))
    axes[0, 0].set_yticks(places, [labels[spec] for spec in codecs])
    axes[0, 0].set_ylim(len(codecs) - 0.4, -0.6)
    return figure


def _panel(axes: Axes, table: pd.DataFrame, corpus: str, codecs: Sequence[str]) -> None:
    styles = styles_of(codecs)
    rows = table[table.index.get_level_values("corpus") == corpus]
    for place, spec in enumerate(codecs):
        values = rows[spec].dropna().to_numpy(float)
        if len(values):
            _violin(axes, values, place, styles[spec].color)
    axes.grid(axis="x", alpha=0.3, linewidth=0.5)


def _violin(axes: Axes, values: npt.NDArray[np.float64], place: int, color: str) -> None:
    low, median, high = np.quantile(values, (0.25, 0.5, 0.75))
    if np.ptp(values) > 0:
        drawn: Any = axes.violinplot(
            values, [place], orientation="horizontal", widths=0.85, showextrema=False
        )
        for body in drawn["bodies"]:
            body.set(facecolor=color, edgecolor="black", linewidth=0.4, alpha=0.75)
    axes.plot([low, high], [place, place], color="black", linewidth=2, solid_capstyle="butt")
    axes.plot([median], [place], "o", color="white", markeredgecolor="black", markersize=3.5)
