"""``codecbench report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .formats import OutputFormat
from .options import IncludeSeenSpeakers, Metrics, Output
from .screen import DEFAULT_WIDTH, screen, write_result

_EPILOG = """
Examples:

```
codecbench report runs/first
codecbench report runs/first --metrics kbps,stoi -f latex -o table.tex
codecbench report runs/first --by corpus,split --format json
```
"""


def report(
    run: Annotated[Path, typer.Argument(help="Run folder.", show_default=False)],
    format: Annotated[  # noqa: A002 - the option's name
        OutputFormat, typer.Option("--format", "-f", help="Output format.")
    ] = OutputFormat.rich,
    metrics: Metrics = None,
    by: Annotated[
        str,
        typer.Option("--by", help="Group by any of corpus, split, speaker, rate; or none."),
    ] = "corpus",
    include_seen_speakers: IncludeSeenSpeakers = False,
    output: Output = None,
) -> None:
    """Show a run as a table: value ± 95 % interval, utterances, failures, counted bits.

    Codecs are compared on the utterances that all of them scored. Best and second best are
    marked only where paired differences support it. CSV and JSON hold every number in full.
    """
    from ..reports.formats import render
    from ..reports.selection import columns_named, group_keys
    from ..results.run_folder import load_run
    from ..spec import split_each

    loaded = load_run(run)
    wanted = split_each(metrics)
    keys = group_keys(by)
    table = loaded.table(
        metrics=columns_named(loaded, wanted) if wanted else None,
        by=("codec", *keys),
        include_seen_speakers=include_seen_speakers,
    )
    options = screen() if output is None else {"width": DEFAULT_WIDTH, "color": False}
    write_result(render(table, format.value, **options), output)


report.__doc__ = f"{report.__doc__}\n{_EPILOG}"
