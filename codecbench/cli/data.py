"""``codecbench data list|fetch|verify``: corpora on this machine and from their publishers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .formats import PlainFormat, write_json

if TYPE_CHECKING:
    from ..data.checksums import Progress
    from ..data.verify import SplitReport, VerifyReport

app = typer.Typer(
    name="data",
    help="List, fetch and verify corpora.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)

Root = Annotated[
    Path | None,
    typer.Option(
        "--data-root",
        help="Folder that holds the corpora's folders. [default: CODECBENCH_DATA, then the cache]",
    ),
]
Format = Annotated[PlainFormat, typer.Option("--format", "-f", help="Format of the output.")]
INCOMPLETE = 1


@app.command("list")
def list_corpora(
    data_root: Root = None,
    format: Format = PlainFormat.rich,  # noqa: A002 - the option's name
) -> None:
    """List the corpora: what they are, how large, and where they are on this machine.

    Example:

    ```
    codecbench data list
    ```
    """
    from ..registry import CORPORA, component_class, names

    rows = [_listed(component_class(CORPORA, name), data_root) for name in names(CORPORA)]
    if format == PlainFormat.json:
        write_json(rows)
        return
    _print_table(
        ("corpus", "licence", "rate", "test splits", "download", "where"),
        [
            (
                row["name"],
                row["licence"],
                f"{row['sample_rate']} Hz" if row["sample_rate"] else "any",
                ", ".join(row["default_splits"]) or "-",
                _gigabytes(row["fetch_bytes"]),
                _where(row),
            )
            for row in rows
        ],
    )


@app.command()
def fetch(
    corpus: Annotated[str, typer.Argument(help="Name of the corpus, such as librispeech.")],
    split: Annotated[
        list[str] | None,
        typer.Option("--split", help="Split to fetch; may be repeated. [default: the test splits]"),
    ] = None,
    keep_archives: Annotated[
        bool, typer.Option("--keep-archives", help="Keep the archives after unpacking.")
    ] = False,
    data_root: Root = None,
    format: Format = PlainFormat.rich,  # noqa: A002 - the option's name
) -> None:
    """Download a corpus from its publisher, check it and unpack it; continues where it stopped.

    Examples:

    ```
    codecbench data fetch librispeech
    codecbench data fetch libritts --split test-clean --data-root /data
    ```
    """
    from ..data.fetch import fetch as fetch_corpus

    with _progress_bar() as progress:
        fetched = fetch_corpus(corpus, split or [], data_root, progress, keep_archives)
    if format == PlainFormat.json:
        write_json(
            [
                {
                    "url": item.url,
                    "folder": str(item.folder),
                    "bytes": item.size,
                    "sha256": item.sha256,
                    "verified": item.verified,
                    "already": item.already,
                }
                for item in fetched
            ]
        )
        return
    for item in fetched:
        state = "already there" if item.already else "fetched"
        checked = (
            "checksum as published"
            if item.verified
            else f"UNVERIFIED: no published checksum is known; SHA-256 {item.sha256}"
        )
        typer.echo(f"{state}: {item.url} -> {item.folder} ({checked})")


@app.command()
def verify(
    corpus: Annotated[
        str, typer.Argument(help="Corpus spec, such as librispeech:split=dev-clean.")
    ],
    decode: Annotated[
        bool, typer.Option("--decode", help="Decode every file, not only its header.")
    ] = False,
    data_root: Root = None,
    format: Format = PlainFormat.rich,  # noqa: A002 - the option's name
) -> None:
    """Compare a corpus with its published size and read every file; status 1 if it is not whole.

    Examples:

    ```
    codecbench data verify librispeech
    codecbench data verify vctk --decode --format json
    ```
    """
    from ..data.verify import verify as verify_corpus
    from ..registry import load_corpus
    from ..spec import expand_spec

    with _progress_bar() as progress:
        reports = [
            verify_corpus(load_corpus(spec, data_root), decode, progress)
            for spec in expand_spec(corpus)
        ]
    if format == PlainFormat.json:
        write_json([_as_record(report) for report in reports])
    else:
        for report in reports:
            _print_report(report)
    if not all(report.is_complete for report in reports):
        raise typer.Exit(INCOMPLETE)


def _listed(kind: Any, data_root: Path | None) -> dict[str, Any]:
    from ..data.fetch import wanted_archives

    card = kind.card
    archives = wanted_archives(card) if card.archives else []
    sizes = [item.size for item in archives]
    return {
        "name": card.name,
        "title": card.title,
        "description": card.description,
        "licence": card.licence,
        "homepage": card.homepage,
        "languages": list(card.languages),
        "sample_rate": card.sample_rate,
        "splits": list(card.splits),
        "default_splits": list(card.default_splits),
        "fetch_bytes": sum(sizes) if sizes and None not in sizes else None,
        "folders": _folders(card, data_root),
        "bundled": not card.archives and bool(card.splits),
    }


def _folders(card: Any, data_root: Path | None) -> list[str]:
    from ..corpora.locate import candidates

    if card.folder is None:
        return []
    given = None if data_root is None else (data_root,)
    return [str(folder) for folder in candidates(card, given) if folder.is_dir()]


def _where(row: dict[str, Any]) -> str:
    if row["bundled"]:
        return "bundled"
    if not row["splits"]:
        return "a folder of yours"
    return ", ".join(row["folders"]) or f"codecbench data fetch {row['name']}"


def _gigabytes(size: int | None) -> str:
    return "-" if size is None else f"{size / 1e9:.1f} GB"


def _as_record(report: VerifyReport) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "corpus": report.corpus,
        "complete": report.is_complete,
        "decoded": report.decoded,
        "splits": [
            {**asdict(split), "differences": list(split.differences)} for split in report.splits
        ],
        "broken": [{"path": str(item.path), "reason": item.reason} for item in report.broken],
    }


def _print_report(report: VerifyReport) -> None:
    _print_table(
        ("split", "utterances", "speakers", "hours", "transcripts", "rate", "compared"),
        [_cells(split) for split in report.splits],
    )
    for item in report.broken:
        typer.echo(f"broken: {item.reason}")
    state = "complete" if report.is_complete else "not whole"
    how = "all files decoded" if report.decoded else "all headers read"
    typer.echo(f"{report.corpus}: {state} ({how}, {len(report.broken)} broken)")


def _cells(split: SplitReport) -> tuple[str, ...]:
    published = split.published
    known = [published.utterances, published.speakers, published.hours]
    if all(value is None for value in known):
        compared = "nothing published"
    else:
        compared = "; ".join(split.differences) or "as published"
    return (
        split.split,
        str(split.utterances),
        str(split.speakers),
        f"{split.hours:.2f}",
        str(split.transcripts),
        "/".join(f"{rate} Hz" for rate in split.sample_rates),
        compared,
    )


def _print_table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for name in header:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


@contextlib.contextmanager
def _progress_bar() -> Iterator[Progress]:
    """Show stage, bar, amount and time left on standard error; silent if it is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("starting", total=None)
        stage = ""

        def update(name: str, done: int, total: int | None) -> None:
            nonlocal stage
            if name != stage:
                stage = name
                bar.reset(task, total=total, description=name)
            bar.update(task, completed=done, total=total)

        yield update
