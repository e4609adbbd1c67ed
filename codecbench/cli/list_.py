"""``codecbench list``."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .formats import PlainFormat, write_json
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
    format: Annotated[  # noqa: A002 - the option's name
        PlainFormat, typer.Option("--format", "-f", help="Output format.")
    ] = PlainFormat.rich,
) -> None:
    """List the codecs, metrics or corpora that are registered, and whether they can run here.

    Examples:

        codecbench list codecs

        codecbench list metrics --format json
    """
    from ..reports.cards import render_listing

    records = list(_records(what.value))
    if format == PlainFormat.json:
        write_json(records)
        return
    heads = ("name", "what it is", "keys" if what != Listable.metrics else "columns", "runs here")
    rows = [
        (
            str(record["name"]),
            str(record["description"]),
            ", ".join(record["columns"] if what == Listable.metrics else record["keys"]),
            "yes" if record["unavailable"] is None else str(record["unavailable"]),
        )
        for record in records
    ]
    write_result(render_listing(heads, rows, **screen()))


def _records(kind: str) -> Iterator[dict[str, Any]]:
    from ..errors import UnavailableError
    from ..registry import component_class, names

    for name in names(kind):
        try:
            component = component_class(kind, name)
        except UnavailableError as error:
            yield {"name": name, "description": "", "keys": [], "columns": [],
                   "unavailable": str(error)}  # fmt: skip
            continue
        yield {
            "name": name,
            "description": _description(component),
            "keys": list(component.Config.model_fields),
            "columns": [column.name for column in getattr(component, "columns", ())],
            "unavailable": _unavailable(component),
        }


def _description(component: type[Component]) -> str:
    """Return the first sentence of the class's docstring."""
    lines = (component.__doc__ or "").strip().partition("\n\n")[0]
    return " ".join(lines.split())


def _unavailable(component: type[Component]) -> str | None:
    from ..errors import UserError
    from ..reports.sheets import why_unavailable

    try:
        return why_unavailable(component())
    except UserError:
        # It has required keys (a folder, a command): only a spec can tell; packages can be told.
        missing = component.missing_requirements()
        return "; ".join(f"{item.name}: {item.hint}" for item in missing) or None
