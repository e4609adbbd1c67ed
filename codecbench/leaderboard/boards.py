"""The tables of a leaderboard: which codecs, sorted how, with which columns."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..errors import UserError
from ..metric import Column
from ..reports.cells import Cell
from ..reports.labels import short_labels
from ..reports.table import Row, Table
from ..results.results import RATE
from ..results.run_folder import Run
from .definition import Definition, Layout, PinnedCorpus, PublishedDefinition
from .properties import with_properties
from .results import canonical, results_of
from .timings import read_timings

Timings = Mapping[str, Mapping[str, Any]]


def tables_of(
    definition: Definition,
    columns: Sequence[str],
    timings: Timings | None = None,
    layout: Layout | None = None,
) -> dict[str, Table]:
    """Make the tables of a leaderboard.

    Parameters
    ----------
    definition : Definition
    columns : sequence of str
        Metrics and properties, in order.
    timings : mapping of str to dict, optional
        `Speed.as_dict` by canonical spec.
    layout : {"metrics", "corpora"}, optional
        The definition's if None.

    Returns
    -------
    dict of str to Table
        By corpus, or by metric where the layout is ``corpora``.

    Raises
    ------
    UserError
        If there are no results, or a codec is not what the definition asks for.
    """
    found = {
        corpus.name: _table(definition, corpus, columns, timings or {})
        for corpus in definition.corpora
    }
    if (layout or definition.layout) == "metrics":
        return found
    metrics = [name for name in columns if name in definition.metrics]
    return {name: across_corpora(found, name) for name in metrics}


def _table(
    definition: Definition, corpus: PinnedCorpus, columns: Sequence[str], timings: Timings
) -> Table:
    run = results_of(definition, corpus)
    codecs = _present(run, definition)
    _require_causal(run, codecs, definition)
    codecs, too_fast = _within(run, codecs, definition.max_kbps)
    metrics = [name for name in columns if name in definition.metrics]
    extra = [name for name in (RATE, definition.sort) if name in definition.metrics]
    read = [*metrics, *(name for name in dict.fromkeys(extra) if name not in metrics)]
    table = run.table(metrics=read, codecs=codecs, bands=definition.bands)
    table = with_properties(table, definition.properties, run.cards, timings)
    table = sorted_table(table, definition.sort, run.cards)
    notes = table.notes
    if too_fast:
        limit = f"counted rate is above {definition.max_kbps:g} kbit/s"
        notes = (*notes, f"left out, as their {limit}: {', '.join(too_fast)}")
    return replace(with_columns(table, columns), notes=notes)


def _present(run: Run, definition: Definition) -> list[str]:
    codecs = canonical(definition.codecs)
    missing = [spec for spec in codecs if spec not in run.manifest.codecs]
    missing += [name for name in definition.metrics if name not in run.columns]
    if missing:
        raise UserError(
            f"{run.path} has no results of {missing[0]}; measure them by"
            f" `codecbench leaderboard build {definition.name}`"
        )
    return codecs


def _require_causal(run: Run, codecs: Sequence[str], definition: Definition) -> None:
    if not definition.causal:
        return
    for spec in codecs:
        card = run.cards[spec]
        if not card.get("causal") and not card.get("anchor"):
            raise UserError(f"{definition.path}: {spec} is not causal")


def _within(run: Run, codecs: Sequence[str], max_kbps: float | None) -> tuple[list[str], list[str]]:
    """Split codecs into those whose counted rate a leaderboard takes and the labels of others."""
    if max_kbps is None:
        return list(codecs), []
    table = run.table(metrics=[RATE], by="codec", codecs=codecs)
    rates = {row.codec: row.cells[RATE].value or 0.0 for row in table.rows}
    anchors = {spec for spec in codecs if run.cards[spec].get("anchor")}
    kept = [spec for spec in codecs if spec in anchors or rates.get(spec, 0.0) <= max_kbps]
    return kept, [table.labels[spec] for spec in codecs if spec not in kept]


def sorted_table(table: Table, column: str, cards: Mapping[str, Mapping[str, Any]]) -> Table:
    """Sort the rows of each group by a column: the best, or else the lowest, first.

    The reference stays first; anchors, which are not ranked, stand last.
    """
    sign = -1.0 if table.columns[column].better == "higher" else 1.0

    def place(row: Row) -> tuple[bool, bool, float]:
        value = row.cells[column].value
        known = math.inf if value is None else sign * value
        return not row.is_reference, bool(cards.get(row.codec, {}).get("anchor")), known

    rows = [row for members in table.groups().values() for row in sorted(members, key=place)]
    return replace(table, rows=tuple(rows))


def with_columns(table: Table, names: Sequence[str]) -> Table:
    """Keep some columns of a table, in another order."""
    columns = {name: table.columns[name] for name in names}
    rows = tuple(
        replace(row, cells={name: row.cells[name] for name in names}) for row in table.rows
    )
    return replace(table, columns=columns, rows=rows)


def across_corpora(tables: Mapping[str, Table], metric: str) -> Table:
    """Show one metric with a column a corpus.

    Parameters
    ----------
    tables : mapping of str to Table
        By corpus, of the same codecs; bands are not kept.
    metric : str
    """
    shown = next(iter(tables.values())).columns[metric]
    columns = {corpus: _corpus_column(corpus, shown) for corpus in tables}
    cells: dict[str, dict[str, Cell]] = {}
    for corpus, table in tables.items():
        for row in table.rows:
            cells.setdefault(row.codec, {})[corpus] = row.cells[metric]
    rows = tuple(
        Row(codec, (), {corpus: of_codec.get(corpus, Cell()) for corpus in tables})
        for codec, of_codec in cells.items()
    )
    return Table((), columns, rows, *_shared(tables.values()))


def joined(tables: Mapping[str, Table]) -> Table:
    """Put the tables of several corpora behind one another."""
    first = next(iter(tables.values()))
    rows = tuple(row for table in tables.values() for row in table.rows)
    notes, labels = _shared(tables.values())
    return replace(first, rows=rows, notes=notes, labels=labels)


def _shared(tables: Collection[Table]) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return notes and labels of several tables as one; no two codecs share a label."""
    notes = tuple(dict.fromkeys(note for table in tables for note in table.notes))
    labels = {codec: label for table in tables for codec, label in table.labels.items()}
    is_unique = len(set(labels.values())) == len(labels)
    return notes, labels if is_unique else short_labels(list(labels))


def _corpus_column(corpus: str, metric: Column) -> Column:
    return replace(metric, name=corpus, title=corpus)


def shown_tables(
    board: Definition | PublishedDefinition,
    part: str | None = None,
    everything: bool = False,
    layout: Layout | None = None,
) -> dict[str, Table]:
    """Return the tables that are asked for: one of all corpora, or one a metric.

    Parameters
    ----------
    board : Definition or PublishedDefinition
    part : str, optional
        One corpus, or one metric where tables are by metric.
    everything : bool
        All columns instead of those of the overview.
    layout : {"metrics", "corpora"}, optional
        The definition's if None.

    Raises
    ------
    UserError
        If results or the part are missing, or nothing was measured.
    """
    if isinstance(board, PublishedDefinition):
        page = board.path.with_suffix(".md")
        raise UserError(f"{board.name} holds published numbers: see {page}")
    timings = read_timings(board.path.parent) if board.needs_timings else {}
    columns = (*board.metrics, *board.properties) if everything else board.shown
    tables = tables_of(board, columns, timings, layout)
    if part is not None and part not in tables:
        raise UserError(f"{board.name} has no table '{part}' (it has {', '.join(tables)})")
    chosen = tables if part is None else {part: tables[part]}
    return chosen if (layout or board.layout) == "corpora" else {"": joined(chosen)}
