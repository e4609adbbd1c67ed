"""Measures what leaderboards lack, and writes or checks their pages."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from filelock import FileLock

from ..engine.audio_index import AudioIndex
from ..engine.run import Progress, execute
from ..errors import UserError
from ..files import write_text_atomic
from ..results.forgetting import forget, forget_everything
from ..results.merging import merge_parts
from ..results.run_folder import AUDIO_INDEX, LOCK, ROWS
from ..results.schema import ROW_KEY, rows_schema
from .definition import Definition, PinnedCorpus, PublishedDefinition, find_definitions
from .overview import README, with_overview
from .pages import page_of
from .published import published_page
from .results import (
    Options,
    changed_codecs,
    changed_metrics,
    faults_of_corpus,
    found_results,
    is_of_this_protocol,
    outdated,
    request_of,
)
from .timings import read_timings, time_codecs, untimed

Board = Definition | PublishedDefinition


def measure(
    boards: Sequence[Board], options: Options, progress: Progress, replace_changed: bool = False
) -> list[Board]:
    """Measure what the leaderboards lack.

    Parameters
    ----------
    boards : sequence of Definition or PublishedDefinition
    options : Options
    progress : Progress
    replace_changed : bool
        Measure anew what was measured with another implementation, other weights, another
        definition or by another protocol.

    Returns
    -------
    list of Definition or PublishedDefinition
        The leaderboards, and those that share results which were measured anew.

    Raises
    ------
    UserError
        If there are such results and they are not to be replaced, or something cannot run here.
    """
    renewed: set[Path] = set()
    if replace_changed:
        for board, corpus in _measured_by(boards):
            renewed |= _forget_changed(board, corpus)
    touched = [*boards, *_sharing(boards, renewed)]
    for board, corpus in _measured_by(touched):
        _measure(board, corpus, options, progress)
    for timed in touched:
        if isinstance(timed, Definition) and timed.needs_timings:
            time_codecs(timed.codecs, timed.path.parent, progress)
    return touched


def _measured_by(boards: Sequence[Board]) -> Iterator[tuple[Definition, PinnedCorpus]]:
    for board in boards:
        if isinstance(board, Definition):
            yield from ((board, corpus) for corpus in board.corpora)


def _forget_changed(board: Definition, corpus: PinnedCorpus) -> set[Path]:
    """Remove results that are not today's; return the run folder if there were any."""
    run = found_results(board, corpus)
    if run is None or not any(outdated(run, board)):
        return set()
    if is_of_this_protocol(run):
        forget(run.path, changed_codecs(run, board), changed_metrics(run, board))
    else:
        forget_everything(run.path)
    return {run.path}


def _sharing(boards: Sequence[Board], renewed: Collection[Path]) -> Iterator[Board]:
    """Yield the other leaderboards whose results are in run folders."""
    named = {board.path.resolve() for board in boards}
    for folder in {path.parents[1] for path in renewed}:
        for board in find_definitions((), folder):
            folders = {request_of(*each, Options()).out for each in _measured_by([board])}
            if folders & set(renewed) and board.path.resolve() not in named:
                yield board


def _measure(board: Definition, corpus: PinnedCorpus, options: Options, progress: Progress) -> None:
    """Measure what a corpus lacks."""
    request = request_of(board, corpus, options)
    run = found_results(board, corpus)
    if run is not None and (changed := next(outdated(run, board), None)):
        raise UserError(f"{changed}; --replace-changed measures it anew")
    lacking = next(faults_of_corpus(board, corpus), None)
    if lacking:
        progress.note(f"{board.name}: measuring {corpus.name} into {request.out}")
        run = execute(request, progress).run
    assert run is not None
    _tidy(run.path)
    if lacking and (left := next(faults_of_corpus(board, corpus), None)):
        raise UserError(left)


def _tidy(path: Path) -> None:
    """Make a run folder fit for version control.

    It is left without what is of this machine alone, and with one file of rows.
    """
    with FileLock(path / LOCK):
        AudioIndex(path / AUDIO_INDEX).forget_places()
        merge_parts(path / ROWS, ROW_KEY, rows_schema(), above=1)


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
