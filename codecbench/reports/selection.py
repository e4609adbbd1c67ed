"""Which columns of a run a list of metric names means."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import UserError
from ..registry import METRICS, unknown_name
from ..results.run_folder import Run
from ..spec import parse_spec


def columns_named(run: Run, names: Sequence[str]) -> list[str]:
    """Return the columns that names of columns, metrics or metric specs mean, in this order.

    A metric means all of its columns that the run holds; ``pesq`` means ``pesq_wb`` and
    ``pesq_nb``.

    Raises
    ------
    UserError
        If the run has no such metric.
    """
    found: dict[str, None] = {}
    for name in names:
        found.update(dict.fromkeys(_columns_of(run, name)))
    return list(found)


def _columns_of(run: Run, name: str) -> list[str]:
    if name in run.columns:
        return [name]
    owned = [
        column["name"]
        for spec, card in run.metric_cards.items()
        if name in (spec, parse_spec(spec).name)
        for column in card["columns"]
    ]
    candidates = [key for key, column in run.columns.items() if column.name in owned]
    present = set(run.frame(metrics=candidates)["metric"].unique()) if candidates else set()
    shown = [key for key in candidates if key in present]
    if not shown:
        metrics = [parse_spec(spec).name for spec in run.metric_cards]
        raise UserError(f"{unknown_name(METRICS, name, [*metrics, *run.columns])} in {run.path}")
    return shown
