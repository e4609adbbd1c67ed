"""Measures what leaderboards lack, and writes or checks their pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from ..engine.audio_index import AudioIndex
from ..engine.request import RunRequest
from ..engine.run import Progress, execute
from ..errors import UserError
from ..files import write_text_atomic
from ..results.forgetting import forget
from ..results.merging import merge_parts
from ..results.run_folder import AUDIO_INDEX, ROWS, Run
from ..results.schema import ROW_KEY, rows_schema
from .definition import Definition, PublishedDefinition, find_definitions
from .overview import README, with_overview
from .pages import page_of
from .published import published_page
from .results import (
    Options,
    changed_codecs,
    changed_metrics,
    faults_of_corpus,
    found_results,
    request_of,
)
from .timings import read_timings, time_codecs, untimed

Board = Definition | PublishedDefinition


def measure(
    boards: Sequence[Board], options: Options, progress: Progress, replace_changed: bool = False
) -> None:
    """Measure what the leaderboards lack.

    Parameters
    ----------
    boards : sequence of Definition or PublishedDefinition
    options : Options
    progress : Progress
    replace_changed : bool
        Measure anew what was measured with another implementation, other weights or another
        definition.

    Raises
    ------
    UserError
        If there are such results and they are not to be replaced, or something cannot run here.
    """
    for board in boards:
        if not isinstance(board, Definition):
            continue
        for corpus in board.corpora:
            request = request_of(board, corpus, options)
            if run := found_results(board, corpus):
                _renew(run, board, replace_changed)
            if not any(faults_of_corpus(board, corpus)):
                continue
            progress.note(f"{board.name}: measuring {corpus.name} into {request.out}")
            _measure(request, progress)
        if board.needs_timings:
            time_codecs(board.codecs, board.path.parent, progress)


def _measure(request: RunRequest, progress: Progress) -> None:
    run = execute(request, progress).run
    # Results are kept under version control: without what is of this machine alone, and in one
    # file, as each part would be another.
    AudioIndex(run.path / AUDIO_INDEX).forget_places()
    merge_parts(run.path / ROWS, ROW_KEY, rows_schema(), above=1)


def _renew(run: Run, board: Definition, replace_changed: bool) -> None:
    codecs, metrics = changed_codecs(run, board), changed_metrics(run, board)
    if not codecs and not metrics:
        return
    if not replace_changed:
        raise UserError(
            f"{run.path} holds results of other versions of {', '.join([*codecs, *metrics])};"
            " --replace-changed measures them anew"
        )
    forget(run.path, codecs, metrics)


def faults(boards: Sequence[Board]) -> Iterator[str]:
    """Yield why results are not what today's code would measure."""
    for board in boards:
        if not isinstance(board, Definition):
            continue
        for corpus in board.corpora:
            yield from faults_of_corpus(board, corpus)
        if board.needs_timings:
            for spec in untimed(board.codecs, read_timings(board.path.parent)):
                yield f"{board.path}: {spec} has no timing of today's implementation"


def pages(boards: Sequence[Board]) -> dict[Path, str]:
    """Return the text of every page that the leaderboards make, by its path.

    Raises
    ------
    UserError
        If results are missing, or an overview has no place for tables.
    """
    found: dict[Path, str] = {}
    for board in boards:
        text = published_page(board) if isinstance(board, PublishedDefinition) else page_of(board)
        found[board.path.with_suffix(".md")] = text
    for folder in dict.fromkeys(board.path.parent for board in boards):
        readme = folder / README
        if readme.exists():
            found[readme] = with_overview(readme, find_definitions((), folder))
    return found


def write_pages(boards: Sequence[Board]) -> list[Path]:
    """Write the pages that changed, and return their paths."""
    changed = stale(boards)
    for path, text in changed.items():
        write_text_atomic(path, text)
    return list(changed)


def stale(boards: Sequence[Board]) -> dict[Path, str]:
    """Return what the pages should be that are missing or say something else."""
    return {path: text for path, text in pages(boards).items() if _text(path) != text}


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None
