"""``codecbench rank``: who beats whom, and between which ranks each codec lies."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .listing import ListingFormat, write_listing
from .options import IncludeSeenSpeakers, NeededMetrics, Output

if TYPE_CHECKING:
    from ..statistics.sign_flip import Adjustment


class Adjust(StrEnum):
    """How p-values are adjusted for all pairs of a table."""

    maxt = "maxT"
    holm = "holm"


_EPILOG = """
Examples:

```
codecbench rank runs/first --metrics pesq_wb,stoi
codecbench rank runs/first -m wer --format markdown
```
"""


def rank(
    run: Annotated[Path, typer.Argument(help="Run folder.", show_default=False)],
    metrics: NeededMetrics,
    include_seen_speakers: IncludeSeenSpeakers = False,
    adjust: Annotated[
        Adjust,
        typer.Option(
            "--adjust", help="Adjustment of p-values for all pairs: step-down maxT, or Holm."
        ),
    ] = Adjust.maxt,
    format: Annotated[  # noqa: A002 - the option's name
        ListingFormat, typer.Option("--format", "-f", help="Output format.")
    ] = ListingFormat.rich,
    output: Output = None,
) -> None:
    """Rank the codecs of a run: wins, ties, losses, and rank intervals that hold together.

    Pairs are decided on common utterances by the speaker-level sign-flip test, adjusted for all
    pairs of a table.
    """
    from ..reports import rankings
    from ..reports.selection import columns_named
    from ..results.run_folder import load_run
    from ..spec import split_each

    loaded = load_run(run)
    wanted = columns_named(loaded, split_each(metrics))
    adjustment: Adjustment = "maxT" if adjust is Adjust.maxt else "holm"
    found = rankings.rankings_of(
        loaded, wanted, include_seen_speakers=include_seen_speakers, adjust=adjustment
    )
    tables = [table for ranked in found for table in rankings.tables_of(ranked)]
    records = [record for ranked in found for record in rankings.records_of(ranked)]
    write_listing(tables, rankings.notes_of(adjustment), records, format, output)


rank.__doc__ = f"{rank.__doc__}\n{_EPILOG}"
