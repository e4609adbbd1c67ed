"""``codecbench list``."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .formats import PlainFormat, write_json
from .options import DataRoot
from .screen import screen, write_result

if TYPE_CHECKING:
    from ..component import Component


class Listable(enum.StrEnum):
    """What can be listed."""

    codecs = "codecs"
    metrics = "metrics"
    corpora = "corpora"


def list_(
    what: Annotated[Listable, typer.Argument(help="codecs, metrics or corpora.")],
    data_root: DataRoot = None,
    format: Annotated[  # noqa: A002 - the option's name
        PlainFormat, typer.Option("--format", "-f", help="Output format.")
    ] = PlainFormat.rich,
) -> None:
    """List the codecs, metrics or corpora that are registered, and whether they can run here.

    Examples:

    ```
    codecbench list codecs
    codecbench list corpora --data-root /data
    codecbench list metrics --format json
    ```
    """
    from ..reports.plain_table import render_listing

    records = list(_records(what.value, data_root))
    if format == PlainFormat.json:
        write_json(records)
        return
    heads = ("name", "what it is", "keys" if what != Listable.metrics else "columns", "runs here")
    rows = [
        (
            str(record["name"]),
            str(record["description"]),
            ", ".join(record["columns"] if what == Listable.metrics else record["keys"]),
            _runs_here(record),
        )
        for record in records
    ]
    write_result(render_listing(heads, rows, **screen()))


def _runs_here(record: dict[str, Any]) -> str:
    return str(record["unavailable"] or ", ".join(filter(None, ("yes", record["note"]))))


def _records(kind: str, data_root: Path | None) -> Iterator[dict[str, Any]]:
    from ..registry import names
    from ..reports.state import state_of_name

    for name in names(kind):
        state = state_of_name(kind, name, data_root)
        yield {
            "name": name,
            **_about(kind, name),
            "unavailable": state.unavailable,
            "needs": list(state.needs),
            "utterances": state.utterances,
            "note": "" if state.unavailable else state.note,
        }


def _about(kind: str, name: str) -> dict[str, Any]:
    from ..errors import UnavailableError
    from ..registry import component_class

    try:
        component = component_class(kind, name)
    except UnavailableError:  # which its state says
        return {"description": "", "keys": [], "columns": []}
    return {
        "description": _description(component),
        "keys": list(component.Config.model_fields),
        "columns": [column.name for column in getattr(component, "columns", ())],
    }


def _description(component: type[Component]) -> str:
    """Return the first sentence of the class's docstring."""
    from ..reports.keys import plain

    return plain((component.__doc__ or "").strip().partition("\n\n")[0])
