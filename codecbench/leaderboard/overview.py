"""The overview of a folder of leaderboards: the tables of its README."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ..errors import UserError
from .boards import tables_of
from .definition import Definition, PublishedDefinition
from .pages import headings_of, sections
from .results import found_results
from .timings import read_timings

README = "README.md"
_BETWEEN = re.compile(r"(?<=<!-- leaderboards -->\n).*?(?=<!-- end -->)", flags=re.DOTALL)


def with_overview(readme: Path, boards: Sequence[Definition | PublishedDefinition]) -> str:
    """Return the text of a README whose tables are those of leaderboards.

    Raises
    ------
    UserError
        If it has no marks that say where they belong.
    """
    text = readme.read_text(encoding="utf-8")
    if not _BETWEEN.search(text):
        raise UserError(
            f"{readme} has no place for tables: put <!-- leaderboards --> and <!-- end --> on lines"
            " of their own"
        )
    body = "\n\n".join(part for board in boards for part in _section(board))
    return _BETWEEN.sub(lambda _: f"\n{body}\n\n", text)


def _section(board: Definition | PublishedDefinition) -> Iterator[str]:
    yield f"## [{board.title}]({board.name}.md)"
    yield board.about.strip()
    if isinstance(board, PublishedDefinition):
        return
    if any(found_results(board, corpus) is None for corpus in board.corpora):
        yield f"Not measured yet: `codecbench leaderboard build {board.name}` does it."
        return
    timings = read_timings(board.path.parent) if board.needs_timings else {}
    tables = tables_of(board, board.shown, timings)
    bare = {name: replace(table, notes=()) for name, table in tables.items()}
    for part in sections(bare, headings_of(board)):
        yield part.replace("## ", "### ", 1)
    yield f"Notes and all columns: [{board.name}.md]({board.name}.md)."
