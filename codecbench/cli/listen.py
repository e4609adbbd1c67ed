"""``codecbench listen analyse``: what the answers of a listening page say."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .listing import ListingFormat, write_listing
from .options import Output

app = typer.Typer(
    name="listen",
    help="Analyse the answers of a listening page (see the site command).",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)


@app.callback()
def listen() -> None:
    """Analyse the answers of a listening page (see the site command)."""


@app.command("analyse")
def analyse(
    answers: Annotated[
        list[Path],
        typer.Argument(help="Files that the listening page saved.", show_default=False),
    ],
    format: Annotated[  # noqa: A002 - the option's name
        ListingFormat, typer.Option("--format", "-f", help="Output format.")
    ] = ListingFormat.rich,
    output: Output = None,
) -> None:
    """Analyse ratings (MUSHRA) and A/B/X answers of one test, one file a listener and kind.

    Ratings: mean of each codec with its interval over listeners, after the post-screening of
    ITU-R BS.1534-3. A/B/X: share of correct answers with exact interval and binomial test.

    Examples:

    ```
    codecbench listen analyse answers-mushra-anna.json
    codecbench listen analyse anna.json ben.json --format csv -o ratings.csv
    ```
    """
    from ..listening.answers import read_all
    from ..listening.tables import analysis_of

    found = analysis_of(read_all(answers))
    write_listing(found.tables, found.notes, found.records, format, output)
