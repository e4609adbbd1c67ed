"""The page of published numbers: a table a paper's table and dataset, as the source gives them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..reports.formats.markdown import escape
from ..reports.plain_table import PlainTable, render_tables
from ..reports.published import PublishedNumber, read_published
from .definition import PublishedDefinition
from .pages import GENERATED


def published_page(board: PublishedDefinition) -> str:
    """Write the page of published numbers as Markdown.

    Raises
    ------
    UserError
        If the file cannot be read.
    """
    numbers = read_published(board.path.parent / board.published)
    groups: dict[tuple[str, str, str], list[PublishedNumber]] = {}
    for number in numbers:
        groups.setdefault((number.paper, number.table, number.dataset), []).append(number)
    papers: dict[str, list[str]] = {}
    for (paper, table, dataset), members in groups.items():
        papers.setdefault(paper, []).append(_table(table, dataset, members))
    parts = [f"# {board.title}", GENERATED, board.about.strip(), *_contents(numbers)]
    for paper, tables in papers.items():
        parts += [f"## {escape(paper)}", *tables]
    return "\n\n".join(parts) + "\n"


def _contents(numbers: Sequence[PublishedNumber]) -> Iterator[str]:
    systems = list(dict.fromkeys(number.system for number in numbers))
    papers = list(dict.fromkeys(number.paper for number in numbers))
    yield (
        f"{len(numbers)} numbers of {len(systems)} systems from {len(papers)} sources:"
        f" {escape(', '.join(sorted(systems, key=str.casefold)))}."
    )


def _table(name: str, dataset: str, numbers: Sequence[PublishedNumber]) -> str:
    metrics = list(dict.fromkeys(number.metric for number in numbers))
    rows: dict[tuple[str, str, float | None], dict[str, list[str]]] = {}
    for number in numbers:
        cells = rows.setdefault((number.system, number.variant, number.kbps), {})
        cells.setdefault(number.metric, []).append(f"{number.value:.{number.digits}f}")
    title = ", ".join(part for part in (named_table(name), dataset) if part) or "unnamed table"
    written = PlainTable(
        title,
        ("system", "variant", "kbit/s", *metrics),
        tuple(
            (
                system,
                variant,
                "" if kbps is None else f"{kbps:g}",
                *(" / ".join(cells.get(metric, ["–"])) for metric in metrics),
            )
            for (system, variant, kbps), cells in rows.items()
        ),
        texts=2,
    )
    sources = list(dict.fromkeys(number.source for number in numbers if number.source))
    return render_tables(
        [written], [f"read from: {source}" for source in sources], "markdown"
    ).strip()


def named_table(name: str) -> str:
    """Call a table that is a mere number a table."""
    return f"Table {name}" if name and name.replace(".", "").isalnum() and len(name) < 5 else name
