"""Which columns of results a list of metric names means, and which rows a list of corpora."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..errors import UserError
from ..registry import METRICS, column_owners, names, unknown_name
from ..results.results import Results
from ..spec import parse_spec
from .table import GROUP_KEYS

if TYPE_CHECKING:
    import pandas as pd


def columns_named(results: Results, wanted: Sequence[str]) -> list[str]:
    """Return the columns that names of columns, metrics or metric specs mean, in this order.

    A metric means all of its columns that were computed; ``pesq`` means ``pesq_wb`` and
    ``pesq_nb``.

    Raises
    ------
    UserError
        If there is no such metric in the results.
    """
    found: dict[str, None] = {}
    for name in wanted:
        found.update(dict.fromkeys(_columns_of(results, name)))
    return list(found)


def _columns_of(results: Results, name: str) -> list[str]:
    if name in results.columns:
        candidates = [name]
    else:
        owned = [
            column["name"]
            for spec, card in results.metric_cards.items()
            if name in (spec, parse_spec(spec).name)
            for column in card["columns"]
        ]
        candidates = [key for key, column in results.columns.items() if column.name in owned]
    # A card lists all columns of its metric; the run may have computed some of them only.
    present = _computed(results, candidates)
    shown = [key for key in candidates if key in present]
    if not shown:
        raise UserError(_absent(results, name))
    return shown


def _computed(results: Results, columns: Sequence[str]) -> set[str]:
    return set(results.frame(metrics=columns)["metric"].unique()) if columns else set()


def _absent(results: Results, name: str) -> str:
    """Word the message for a metric that the run lacks: not computed, or nobody knows it."""
    computed = _computed(results, list(results.columns))
    held = [key for key in results.columns if key in computed]
    if parse_spec(name).name in {*names(METRICS), *column_owners()}:
        return f"{name} is not in this run (it has {', '.join(held)})"
    metrics = [parse_spec(spec).name for spec in results.metric_cards]
    return f"{unknown_name(METRICS, name, dict.fromkeys([*metrics, *held]))} in {results}"


def group_keys(text: str) -> list[str]:
    """Return what groups are made of: ``corpus,split``, or ``none``.

    Raises
    ------
    UserError
        If there is no such key.
    """
    keys = [key.strip() for key in text.split(",") if key.strip() not in ("", "none")]
    for key in keys:
        if key not in GROUP_KEYS:
            known = ", ".join(GROUP_KEYS)
            raise UserError(f"cannot group by '{key}' (choose any of {known}; or none)")
    return keys


def of_corpora(frame: pd.DataFrame, corpora: Sequence[str] | None) -> pd.DataFrame:
    """Return the rows of some corpora; all if None.

    Raises
    ------
    UserError
        If there are no results of one of them.
    """
    if corpora is None:
        return frame
    held = sorted(map(str, frame["corpus"].unique()))
    for corpus in corpora:
        if corpus not in held:
            raise UserError(f"there are no results of corpus '{corpus}' (known: {', '.join(held)})")
    return frame[frame["corpus"].isin(list(corpora))]
