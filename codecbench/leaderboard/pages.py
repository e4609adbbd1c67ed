"""The page of a leaderboard: its tables, what they rest on, and how they are made again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ..reports.formats.markdown import escape, write
from ..reports.formats.wrapping import Wrapping
from ..reports.layout import heading_of
from ..reports.table import Table
from ..results.run_folder import Run
from .boards import tables_of
from .definition import Definition, PublishedDefinition
from .results import canonical, results_of
from .timings import read_timings

GENERATED = "<!-- Written by `codecbench leaderboard build`; edit the TOML file instead. -->"


def page_of(board: Definition) -> str:
    """Write the page of a leaderboard as Markdown.

    Raises
    ------
    UserError
        If results are missing.
    """
    timings = read_timings(board.path.parent) if board.needs_timings else {}
    columns = [*board.metrics, *board.properties]
    tables = tables_of(board, columns, timings)
    parts = [
        f"# {board.title}",
        GENERATED,
        board.about.strip(),
        f"```sh\ncodecbench leaderboard build {board.name}\n```",
        *sections(tables, headings_of(board)),
        *_provenance(board, timings),
    ]
    return "\n\n".join(parts) + "\n"


def headings_of(board: Definition | PublishedDefinition) -> dict[str, str]:
    """Return the headings of metrics where the tables are by metric; otherwise none."""
    if isinstance(board, PublishedDefinition) or board.layout == "metrics":
        return {}
    columns = results_of(board, board.corpora[0]).columns
    heads = [heading_of(name, columns[name]) for name in board.metrics]
    return {head.name: f"{head.title} ({head.unit})" if head.unit else head.title for head in heads}


def sections(tables: Mapping[str, Table], headings: Mapping[str, str]) -> Iterator[str]:
    """Write each table under a heading of its own.

    Tables of metrics share their notes, which stand under the last.

    Parameters
    ----------
    tables : mapping of str to Table
        By corpus or metric.
    headings : mapping of str to str
        By metric.
    """
    last = list(tables)[-1]
    for name, table in tables.items():
        is_shared = name in headings and name != last
        shown = replace(table, notes=()) if is_shared else table
        yield f"## {escape(headings.get(name, name))}\n\n{write(shown, Wrapping()).strip()}"


def _provenance(board: Definition, timings: dict[str, dict[str, Any]]) -> Iterator[str]:
    runs = [results_of(board, corpus) for corpus in board.corpora]
    lines = [f"- {corpus.name}: `{corpus.utterances}`, results in `results/{run.path.name}`"
             for corpus, run in zip(board.corpora, runs, strict=True)]  # fmt: skip
    lines += [f"- {line}" for line in dict.fromkeys(line for run in runs for line in _made(run))]
    if timings:
        timed = {spec: timings[spec] for spec in canonical(board.codecs) if spec in timings}
        lines += [f"- {line}" for line in dict.fromkeys(_timed(timed))]
    yield "## How it was made\n\n" + "\n".join(lines)


def _made(run: Run) -> Iterator[str]:
    """Yield the machines and versions that numbers of a run were made with."""
    for session in run.manifest.sessions:
        versions = ", ".join(
            f"{package} {version}" for package, version in session.packages.items()
        )
        yield escape(f"{session.cpu}, Python {session.python}; {versions}")


def _timed(timings: dict[str, dict[str, Any]]) -> Iterator[str]:
    for timing in timings.values():
        machine = timing["hardware"]
        yield escape(
            f"real-time factors: processor seconds per second of speech, one thread, median of"
            f" {len(timing['encode']['repeats'])} passes over {timing['utterances']} utterances of"
            f" the demo corpus, on {machine['cpu']}"
        )
        yield from (escape(f"{timing['codec']}: {note}") for note in timing["notes"])
