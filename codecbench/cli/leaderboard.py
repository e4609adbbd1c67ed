"""``codecbench leaderboard build|check|show|list``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .formats import OutputFormat, PlainFormat, write_json
from .options import DataRoot, Output
from .screen import screen, write_result

app = typer.Typer(
    name="leaderboard",
    help="Build leaderboards from their definitions, check or show them.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)

STALE = 1

Names = Annotated[
    list[str] | None,
    typer.Argument(
        help="Names in the folder, or TOML files. [default: all of the folder]",
        show_default=False,
    ),
]
Folder = Annotated[Path, typer.Option("--folder", help="Folder of definitions.")]
_FOLDER = Path("leaderboards")


@app.callback()
def leaderboard() -> None:
    """Build leaderboards from their definitions, check or show them."""


@app.command()
def build(
    names: Names = None,
    folder: Folder = _FOLDER,
    replace_changed: Annotated[
        bool,
        typer.Option(
            "--replace-changed",
            help="Measure anew what another implementation, other weights or another definition"
            " gave, or another protocol.",
        ),
    ] = False,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", help="Worker processes. [default: one a core]")
    ] = None,
    device: Annotated[str, typer.Option("--device", help="Torch device of neural codecs.")] = "cpu",
    data_root: DataRoot = None,
) -> None:
    """Measure what leaderboards lack, then write their pages and the overview.

    A definition is a TOML file: title, about, rate, corpora with pinned utterances, codecs,
    metrics, and what is shown. Results are run folders below results/; what is there is not
    measured again, and where nothing is missing no corpus is needed.

    Examples:

    ```
    codecbench leaderboard build
    codecbench leaderboard build speech-16k --data-root /data --jobs 8
    codecbench leaderboard build mine.toml
    ```
    """
    from ..leaderboard.build import measure, write_pages
    from ..leaderboard.definition import find_definitions
    from ..leaderboard.results import Options
    from .progress import ProgressBar

    boards = find_definitions(names or [], folder)
    with ProgressBar() as progress:
        touched = measure(boards, Options(data_root, jobs, device), progress, replace_changed)
        written = write_pages(touched)
        for path in written:
            progress.note(f"wrote {path}")
        if not written:
            progress.note("every page says already what the results say")


@app.command()
def check(names: Names = None, folder: Folder = _FOLDER) -> None:
    """Fail (exit status 1) if pages or results are stale: not what today's code would make.

    Nothing is measured and no corpus is needed; for CI.

    Example:

    ```
    codecbench leaderboard check
    ```
    """
    from ..leaderboard.build import faults, stale
    from ..leaderboard.definition import find_definitions

    boards = find_definitions(names or [], folder)
    found = [*faults(boards)] or [f"{path} is stale" for path in stale(boards)]
    for fault in found:
        typer.echo(fault)
    if found:
        typer.echo("mend it by `codecbench leaderboard build --replace-changed`", err=True)
        raise typer.Exit(STALE)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="Name in the folder, or a TOML file.")],
    folder: Folder = _FOLDER,
    part: Annotated[
        str | None,
        typer.Option("--only", help="One corpus; one metric where tables are by metric."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All columns.")] = False,
    format: Annotated[  # noqa: A002 - the option's name
        OutputFormat, typer.Option("--format", "-f", help="Output format.")
    ] = OutputFormat.rich,
    output: Output = None,
) -> None:
    """Show a leaderboard from the results that are there.

    Examples:

    ```
    codecbench leaderboard show speech-16k
    codecbench leaderboard show low-rate --only librispeech -f latex
    ```
    """
    from ..leaderboard.boards import shown_tables
    from ..leaderboard.definition import find_definitions
    from ..leaderboard.pages import headings_of
    from ..reports.formats import render
    from ..reports.formats.wrapping import Wrapping
    from .screen import DEFAULT_WIDTH

    (board,) = find_definitions([name], folder)
    # Records name corpus and metric themselves.
    is_records = format in (OutputFormat.csv, OutputFormat.json)
    tables = shown_tables(board, part, everything, "metrics" if is_records else None)
    headings = {} if is_records else headings_of(board)
    options = screen() if output is None else {"width": DEFAULT_WIDTH, "color": False}
    texts = [
        render(table, format.value, wrapping=Wrapping(headings.get(name, "")), **options)
        for name, table in tables.items()
    ]
    write_result("\n".join(texts), output)


@app.command("list")
def list_(
    folder: Folder = _FOLDER,
    format: Annotated[  # noqa: A002 - the option's name
        PlainFormat, typer.Option("--format", "-f", help="Output format.")
    ] = PlainFormat.rich,
) -> None:
    """List the leaderboards of a folder.

    Example:

    ```
    codecbench leaderboard list
    ```
    """
    from ..leaderboard.definition import find_definitions, summary
    from ..reports.plain_table import render_listing

    rows = [summary(board) for board in find_definitions([], folder)]
    if format == PlainFormat.json:
        write_json(rows)
        return
    heads = ("name", "title", "corpora", "codecs", "metrics")
    cells = [
        (
            row["name"],
            row["title"],
            ", ".join(row["corpora"]) or "–",
            str(len(row["codecs"]) or "–"),
            str(len(row["metrics"]) or "–"),
        )
        for row in rows
    ]
    write_result(render_listing(heads, cells, **screen(), texts=3))
