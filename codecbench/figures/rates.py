"""A metric over counted rate: a line with intervals for each family of codecs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import UserError
from ..reports.cells import Cell
from ..reports.families import families_of
from ..reports.labels import short_labels
from ..reports.layout import heading_of
from ..reports.table import Row, Table
from ..results.results import RATE, Results
from .canvas import panels, rate_axis
from .style import Style, style_of, styles_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LEGEND_LINE = 0.17
_PANEL = 3.4, 2.6
_LEGEND_WIDTH = 2.2
"""Inches."""


@dataclass(frozen=True)
class Curve:
    """One family in one corpus.

    Parameters
    ----------
    label : str
    style : Style
    points : tuple of (float, Cell)
        Counted rate in kbit/s and the metric with its interval, by rate.
    """

    label: str
    style: Style
    points: tuple[tuple[float, Cell], ...]


def draw_rates(
    results: Results,
    metrics: Sequence[str],
    codecs: Sequence[str] | None = None,
    corpora: Sequence[str] | None = None,
) -> Figure:
    """Draw a panel for each metric and corpus.

    Codecs are compared on the utterances that all of them scored. Anchors, whose rate says nothing,
    and the reference's own scores are horizontal lines.

    Parameters
    ----------
    results : Results
    metrics : sequence of str
        Columns.
    codecs : sequence of str, optional
        Canonical specs; all if None.
    corpora : sequence of str, optional
        All if None.

    Raises
    ------
    UserError
        If the counted rate or all points are lacking.
    """
    shown = [name for name in metrics if name != RATE]
    if RATE not in results.columns:
        raise UserError(f"the counted rate, column {RATE}, is not in {results}")
    if not shown:
        raise UserError(f"{RATE} is the horizontal axis: give another metric with --metrics")
    table = results.table([RATE, *shown], codecs=codecs, corpora=corpora)
    groups = table.groups()
    figure, axes = panels(
        len(shown), len(groups), _size(table, len(shown)), sharex=True, sharey="row"
    )
    anchors = [spec for spec, card in results.cards.items() if card.get("anchor")]
    for column, (group, rows) in enumerate(groups.items()):
        for line, name in enumerate(shown):
            _panel(axes[line, column], table, rows, name, anchors)
        axes[0, column].set_title(group[0])
    for line, name in enumerate(shown):
        heading = heading_of(name, table.columns[name])
        axes[line, 0].set_ylabel(
            f"{heading.title} ({heading.unit})" if heading.unit else heading.title
        )
    if not any(one.has_data() for one in axes.flat):
        raise UserError(f"no codec in {results} has both a counted rate and {', '.join(shown)}")
    figure.supxlabel("counted rate (kbit/s)", fontsize="medium")
    _legend(figure, axes)
    return figure


def _size(table: Table, lines: int) -> tuple[float, float]:
    width = _PANEL[0] * len(table.groups()) + _LEGEND_WIDTH
    entries = 1 + len(families_of([row.codec for row in table.rows]))
    return width, max(_PANEL[1] * lines + 0.3, _LEGEND_LINE * entries + 0.3)


def curves_of(
    rows: Sequence[Row], metric: str, everything: Sequence[str], anchors: Sequence[str] = ()
) -> list[Curve]:
    """Return the curves of a group of a table.

    Parameters
    ----------
    rows : sequence of Row
    metric : str
        Column.
    everything : sequence of str
        Canonical specs of all codecs of the figure, from which labels and styles follow.
    anchors : sequence of str
        Left out.
    """
    by_codec = {row.codec: row for row in rows}
    specs = [spec for spec in everything if spec not in anchors]
    styles = styles_of(specs)
    found = []
    for label, members in families_of(specs).items():
        points = tuple(sorted(_points([by_codec[m] for m in members if m in by_codec], metric)))
        if points:
            found.append(Curve(label, styles[members[0]], points))
    return found


def _points(rows: Sequence[Row], metric: str) -> Iterator[tuple[float, Cell]]:
    for row in rows:
        rate, cell = row.cells[RATE].value, row.cells[metric]
        if rate is not None and cell.value is not None:
            yield rate, cell


def _panel(
    axes: Axes, table: Table, rows: Sequence[Row], metric: str, anchors: Sequence[str]
) -> None:
    everything = list(dict.fromkeys(row.codec for row in table.rows if not row.is_reference))
    for curve in curves_of(rows, metric, everything, anchors):
        _curve(axes, curve)
    labels = short_labels([row.codec for row in table.rows])
    for row in rows:
        value = row.cells[metric].value
        if (row.is_reference or row.codec in anchors) and value is not None:
            _level(axes, value, labels[row.codec])
    rate_axis(axes)
    axes.grid(alpha=0.3, linewidth=0.5)


def _curve(axes: Axes, curve: Curve) -> None:
    values = [cell.value or 0.0 for _, cell in curve.points]
    below = [
        value - _bound(cell.low, value)
        for value, (_, cell) in zip(values, curve.points, strict=True)
    ]
    above = [
        _bound(cell.high, value) - value
        for value, (_, cell) in zip(values, curve.points, strict=True)
    ]
    axes.errorbar(
        [rate for rate, _ in curve.points],
        values,
        [below, above],
        color=curve.style.color,
        # A single point has no line, so that its legend shows none either.
        linestyle=curve.style.dashes if len(values) > 1 else "none",
        marker=curve.style.marker,
        capsize=2,
        elinewidth=0.7,
        label=curve.label,
    )


def _bound(bound: float | None, value: float) -> float:
    return value if bound is None else bound


def _level(axes: Axes, value: float, label: str) -> None:
    style = style_of(label.partition(":")[0])
    axes.axhline(value, color=style.color, linestyle=style.dashes, linewidth=0.8, label=label)


def _legend(figure: Figure, axes: Any) -> None:
    """Name every curve once, to the right of all panels; levels come last."""
    from matplotlib.lines import Line2D

    named: dict[str, Any] = {}
    for one in axes.flat:
        for handle, label in zip(*one.get_legend_handles_labels(), strict=True):
            named.setdefault(label, handle)
    labels = sorted(named, key=lambda label: isinstance(named[label], Line2D))
    figure.legend(
        [named[label] for label in labels],
        labels,
        title="bars: 95 % intervals",
        alignment="left",
        loc="outside right upper",
        handlelength=3.5,
    )
