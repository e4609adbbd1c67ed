"""``codecbench table``: a table for a paper, from one run or several."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import complete
from .formats import OutputFormat
from .options import ChosenCodecs, IncludeSeenSpeakers, Metrics, Output
from .screen import DEFAULT_WIDTH, screen, write_result

if TYPE_CHECKING:
    from ..reports.table import Table

_EPILOG = """
Examples:

```
codecbench table runs/first -m kbps,pesq_wb,stoi --bands 1.5,3,6
codecbench table runs/a runs/b -m kbps,visqol -f latex -o table.tex
codecbench table runs/first --bands 3,6 -f latex --standalone -o doc.tex
codecbench table runs/first -m kbps,visqol --published bundled --system opus
```
"""


def table(
    runs: Annotated[
        list[Path],
        typer.Argument(help="Run folders; several are shown as one.", show_default=False),
    ],
    format: Annotated[  # noqa: A002 - the option's name
        OutputFormat, typer.Option("--format", "-f", help="Output format.")
    ] = OutputFormat.rich,
    metrics: Metrics = None,
    codec: ChosenCodecs = None,
    corpus: Annotated[
        list[str] | None,
        typer.Option(
            "--corpus",
            help="Corpus to show. May be repeated. [default: all]",
            autocompletion=complete.corpora,
        ),
    ] = None,
    bands: Annotated[
        str | None,
        typer.Option(
            "--bands",
            help="Compare within bands of counted rate; edges in kbit/s, such as 1.5,3,6.",
        ),
    ] = None,
    published: Annotated[
        str | None,
        typer.Option(
            "--published",
            help="CSV of published numbers to show beside; bundled: those of codecbench.",
        ),
    ] = None,
    system: Annotated[
        list[str] | None,
        typer.Option(
            "--system", help="With --published: this system. May be repeated. [default: all]"
        ),
    ] = None,
    published_corpus: Annotated[
        list[str] | None,
        typer.Option(
            "--published-corpus",
            help="With --published: show numbers of this corpus, too, in a part of its own."
            " May be repeated.",
        ),
    ] = None,
    caption: Annotated[str, typer.Option("--caption", help="Caption.")] = "",
    label: Annotated[
        str, typer.Option("--label", help="Name for references (latex, html, typst).")
    ] = "",
    standalone: Annotated[
        bool,
        typer.Option("--standalone", help="A document of its own (latex, html)."),
    ] = False,
    include_seen_speakers: IncludeSeenSpeakers = False,
    output: Output = None,
) -> None:
    """Make a table for a paper: units and arrows, best and second, rate bands, published rows.

    Runs are shown as one only if protocol, definitions, codecs and audio agree. Best (bold) and
    second (underlined) are marked within a band, only where paired differences support it.
    Published numbers carry a dagger and their source, and are never ranked; they need the columns
    system, variant, bitrate_kbps, dataset, metric, value, source, arxiv_id and table.
    """
    from ..errors import UserError
    from ..reports.bands import parse_bands
    from ..reports.families import all_chosen
    from ..reports.formats import render
    from ..reports.formats.wrapping import Wrapping
    from ..reports.selection import columns_named
    from ..reports.several_runs import load_results
    from ..spec import split_each

    wrapping = Wrapping(caption, label, standalone)
    wrapping.require_possible(format.value)
    if published is None and (system or published_corpus):
        option = "--system" if system else "--published-corpus"
        raise UserError(f"{option} chooses among published numbers: give --published, too")
    edges = parse_bands(bands) if bands is not None else ()
    results = load_results(runs)
    wanted = split_each(metrics)
    codecs = all_chosen(results.order, codec or ())
    found = results.table(
        metrics=columns_named(results, wanted) if wanted else None,
        codecs=codecs or None,
        corpora=corpus or None,
        include_seen_speakers=include_seen_speakers,
        bands=edges,
    )
    if published is not None:
        found = _with_published(found, published, system or (), edges, published_corpus or ())
    options = screen() if output is None else {"width": DEFAULT_WIDTH, "color": False}
    write_result(render(found, format.value, wrapping=wrapping, **options), output)


def _with_published(
    found: Table,
    path: str,
    systems: Sequence[str],
    edges: tuple[float, ...],
    corpora: Sequence[str],
) -> Table:
    from ..reports.published import of_systems, read_published
    from ..reports.published_rows import with_published

    numbers = read_published(path)
    wanted = of_systems(numbers, systems) if systems else numbers
    return with_published(found, wanted, edges, corpora)


table.__doc__ = f"{table.__doc__}\n{_EPILOG}"
