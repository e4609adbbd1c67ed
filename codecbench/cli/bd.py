"""``codecbench bd``: Bjøntegaard deltas."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import complete
from .listing import ListingFormat, write_listing
from .options import NeededMetrics, Output

_EPILOG = """
Codecs that differ in nothing but their rate are a curve; two points or more are needed.

Examples:

```
codecbench bd runs/first --anchor opus --metrics pesq_wb
codecbench bd runs/first --anchor "opus:kbps=6|12" --tested lc3 -m stoi
```
"""


def bd(
    run: Annotated[Path, typer.Argument(help="Run folder.", show_default=False)],
    anchor: Annotated[
        str,
        typer.Option(
            "--anchor",
            help="Spec or sweep that the others are compared with; values not given may be any.",
            show_default=False,
            autocompletion=complete.codecs,
        ),
    ],
    metrics: NeededMetrics,
    tested: Annotated[
        list[str] | None,
        typer.Option(
            "--tested",
            help="Spec or sweep to compare; may be repeated. [default: all others]",
            autocompletion=complete.codecs,
        ),
    ] = None,
    format: Annotated[  # noqa: A002 - the option's name
        ListingFormat, typer.Option("--format", "-f", help="Output format.")
    ] = ListingFormat.rich,
    output: Output = None,
) -> None:
    """Say what codecs save in rate, and gain in a metric, against an anchor (Bjøntegaard deltas).

    Rates are counted. Curves are interpolated monotonically over the logarithm of the rate; ranges
    that do not overlap are refused, and the share that is averaged over is shown.
    """
    from ..reports import deltas
    from ..reports.selection import columns_named
    from ..results.run_folder import load_run
    from ..spec import split_each

    loaded = load_run(run)
    wanted = columns_named(loaded, split_each(metrics))
    found = deltas.deltas_of(loaded, wanted, anchor, tested or ())
    tables, notes = [deltas.table_of(found)], deltas.notes_of(found)
    write_listing(tables, notes, list(deltas.records_of(found)), format, output)


bd.__doc__ = f"{bd.__doc__}\n{_EPILOG}"
