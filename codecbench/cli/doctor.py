"""``codecbench doctor``: what is installed, what is missing, and how to get it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .formats import PlainFormat, write_json
from .options import DataRoot

_GOOD, _MISSING = "ready", "missing"


def doctor(
    data_root: DataRoot = None,
    format: Annotated[  # noqa: A002 - the option's name
        PlainFormat, typer.Option("--format", "-f", help="Output format.")
    ] = PlainFormat.rich,
) -> None:
    """Say which codecs, metrics and corpora can run here, and how to get what is missing.

    Example:

    ```
    codecbench doctor --format json
    ```
    """
    from ..results.manifest import cpu_model, package_versions

    findings = _findings(data_root)
    if format == PlainFormat.json:
        machine = {"cpu": cpu_model(), "packages": package_versions()}
        write_json({"machine": machine, "findings": findings})
        return
    _print(findings)


def _findings(data_root: Path | None) -> list[dict[str, str]]:
    from ..registry import CODECS, CORPORA, METRICS, names

    kinds = ((CODECS, "codec"), (METRICS, "metric"), (CORPORA, "corpus"))
    return [
        {"kind": label, "name": name, **_state(kind, name, data_root)}
        for kind, label in kinds
        for name in names(kind)
    ]


def _state(kind: str, name: str, data_root: Path | None) -> dict[str, str]:
    from ..reports.state import state_of_name

    state = state_of_name(kind, name, data_root)
    return {"state": _GOOD if state.unavailable is None else _MISSING, "note": state.note}


def _print(findings: list[dict[str, str]]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("kind", "name", "state")
    table.add_column("note", overflow="fold")
    for item in findings:
        colour = "green" if item["state"] == _GOOD else "yellow"
        state = f"[{colour}]{item['state']}[/]"
        table.add_row(item["kind"], item["name"], state, escape(item["note"]))
    Console().print(table)
