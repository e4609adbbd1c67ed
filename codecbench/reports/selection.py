"""Which columns of a run a list of metric names means."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import UserError
from ..registry import METRICS, column_owners, names, unknown_name
from ..results.run_folder import Run
from ..spec import parse_spec


def columns_named(run: Run, wanted: Sequence[str]) -> list[str]:
    """Return the columns that names of columns, metrics or metric specs mean, in this order.

    A metric means all of its columns that the run holds; ``pesq`` means ``pesq_wb`` and
    ``pesq_nb``.

    Raises
    ------
    UserError
        If the run has no such metric.
    """
    found: dict[str, None] = {}
    for name in wanted:
        found.update(dict.fromkeys(_columns_of(run, name)))
    return list(found)


def _columns_of(run: Run, name: str) -> list[str]:
    if name in run.columns:
        candidates = [name]
    else:
        owned = [
            column["name"]
            for spec, card in run.metric_cards.items()
            if name in (spec, parse_spec(spec).name)
            for column in card["columns"]
        ]
        candidates = [key for key, column in run.columns.items() if column.name in owned]
    # A card lists all columns of its metric; the run may have computed some of them only.
    present = _computed(run, candidates)
    shown = [key for key in candidates if key in present]
    if not shown:
        raise UserError(_absent(run, name))
    return shown


def _computed(run: Run, columns: Sequence[str]) -> set[str]:
    return set(run.frame(metrics=columns)["metric"].unique()) if columns else set()


def _absent(run: Run, name: str) -> str:
    """Word the message for a metric that the run lacks: not computed, or nobody knows it."""
    computed = _computed(run, list(run.columns))
    held = [key for key in run.columns if key in computed]
    if parse_spec(name).name in {*names(METRICS), *column_owners()}:
        return f"{name} is not in this run (it has {', '.join(held)})"
    metrics = [parse_spec(spec).name for spec in run.metric_cards]
    return f"{unknown_name(METRICS, name, dict.fromkeys([*metrics, *held]))} in {run.path}"
