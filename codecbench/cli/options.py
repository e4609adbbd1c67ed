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
Metrics = Annotated[
    list[str] | None,
    typer.Option("--metrics", "-m", help="Metrics or columns, separated by commas. [default: all]"),
]
NeededMetrics = Annotated[
    list[str],
    typer.Option(
        "--metrics", "-m", help="Metrics or columns, separated by commas.", show_default=False
    ),
]
ChosenCodecs = Annotated[
    list[str] | None,
    typer.Option(
        "--codec",
        "-c",
        help="Spec or sweep; values not given may be any. May be repeated. [default: all]",
        autocompletion=complete.codecs,
    ),
]
IncludeSeenSpeakers = Annotated[
    bool,
    typer.Option(
        "--include-seen-speakers",
        help="Keep utterances of speakers that a codec's weights were trained on.",
    ),
]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="Write into this file instead.")
]
