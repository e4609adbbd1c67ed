"""Catalogues of codecs, metrics and corpora, out of their definition cards."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from codecbench.component import Component
from codecbench.metric import Metric
from codecbench.registry import CODECS, CORPORA, METRICS, component_class, names
from codecbench.reports.cards import markdown_body
from codecbench.reports.keys import plain
from codecbench.reports.layout import ARROWS
from codecbench.reports.plain_table import markdown_listing
from codecbench.reports.sheets import Kind, sheet_of, sheet_of_class

ROOT = Path(__file__).parents[2]
_PACKAGE = "codecbench."
_KINDS: dict[str, Kind] = {CODECS: "codec", METRICS: "metric", CORPORA: "corpus"}


@functools.cache
def codecs_markdown() -> str:
    """Return a table of all codecs and the card of each."""
    rows = [(name, _summary(codec)) for name, codec in _components(CODECS)]
    return "\n\n".join([_overview(("codec", "what it is"), rows), *_sections(CODECS)])


@functools.cache
def corpora_markdown() -> str:
    """Return a table of all corpora and the card of each."""
    rows = [(name, _summary(corpus)) for name, corpus in _components(CORPORA)]
    return "\n\n".join([_overview(("corpus", "what it is"), rows), *_sections(CORPORA)])


@functools.cache
def metrics_markdown() -> str:
    """Return a table of all columns and the card of each metric."""
    heads = ("metric", "column", "title", "unit", "better", "default set")
    rows = [
        (
            name,
            column.name,
            column.title,
            column.unit or "–",
            ARROWS[column.better] if column.better else "–",
            "yes" if column.default else "on request",
        )
        for name, metric in _components(METRICS)
        for column in metric.columns
    ]
    return "\n\n".join([_overview(heads, rows), *_sections(METRICS)])


def _overview(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Write a table whose first column links to the sections."""
    table = markdown_listing(heads, rows).split("\n")
    linked = [
        f"| [{row[0]}](#{row[0]}) |{line.split('|', 2)[2]}"
        for row, line in zip(rows, table[2:], strict=True)
    ]
    return "\n".join([*table[:2], *linked])


def _components(kind: str) -> Iterator[tuple[str, type[Component]]]:
    """Yield what this package brings, whatever else is installed."""
    for name in names(kind):
        component = component_class(kind, name)
        if component.__module__.startswith(_PACKAGE):
            yield name, component


def _sections(kind: str) -> Iterator[str]:
    for name, component in _components(kind):
        if component.required_keys():
            sheet = sheet_of_class(component, _KINDS[kind])
        elif issubclass(component, Metric):
            sheet = sheet_of(component(component.default_config()))
        else:
            sheet = sheet_of(component())
        # A file of this machine; the link below leads to it.
        facts = tuple(fact for fact in sheet.facts if fact[0] != "more")
        parts = [f"## {name}", f"Spec: `{sheet.spec}`"]
        parts.append(markdown_body(replace(sheet, facts=facts), with_state=False))
        readme = Path(inspect.getfile(component)).resolve().with_name("README.md")
        if kind == CODECS and readme.is_file():
            parts.append(f"More: [README of {name}]({os.path.relpath(readme, ROOT / 'docs')})")
        yield "\n\n".join(parts)


def _summary(component: type[Component]) -> str:
    """Return the first paragraph of the class's docstring."""
    return plain((component.__doc__ or "").strip().partition("\n\n")[0])
