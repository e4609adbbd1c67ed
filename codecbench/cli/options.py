"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import complete

Corpora = Annotated[
    list[str] | None,
    typer.Option(
        "--corpus",
        help="Corpus spec. May be repeated. [default: demo]",
        autocompletion=complete.corpora,
    ),
]
Utterances = Annotated[
    Path | None, typer.Option("--utterances", help="Replay a list of utterances.")
]
DataRoot = Annotated[
    Path | None, typer.Option("--data-root", help="Folder that holds the corpora.")
]
