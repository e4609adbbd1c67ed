"""``codecbench site``: runs as static web pages."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import DataRoot, Metrics

_EPILOG = """
The pages work from a folder, offline. The site takes 12 utterances of each corpus by default;
repeated with the same --out, only what is new is decoded. Codecs whose specs name commands, files
or addresses have no sound unless --trust repeats the spec: whoever made the run folder wrote it.

Examples:

```
codecbench site runs/first --out site
codecbench site runs/first runs/second --out site --utterances 4
codecbench site runs/first --out site --listen opus --listen codec2
```
"""


def site(
    runs: Annotated[list[Path], typer.Argument(help="Run folders.", show_default=False)],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder of the site.", show_default=False)
    ],
    utterances: Annotated[
        int,
        typer.Option(
            "--utterances",
            min=0,
            help="Utterances of each corpus that get a page with players; 0: none.",
        ),
    ] = 12,
    metrics: Metrics = None,
    listen: Annotated[
        list[str] | None,
        typer.Option(
            "--listen",
            help="Spec or sweep to judge on the listening page; may be repeated. [default: all,"
            " or the middle rate of each family]",
        ),
    ] = None,
    title: Annotated[str, typer.Option("--title", help="Title of the pages.")] = "Speech codecs",
    device: Annotated[
        str, typer.Option("--device", help="Torch device of neural decoders.")
    ] = "cpu",
    trust: Annotated[
        list[str] | None,
        typer.Option(
            "--trust",
            help="Spec that is decoded although it names commands, files or addresses. May be"
            " repeated.",
        ),
    ] = None,
    data_root: DataRoot = None,
) -> None:
    """Write runs as web pages: leaderboard, plots, players, spectrograms, a listening test.

    Kept bitstreams are decoded and aligned as the run did it. Numbers are those of the report
    command. Answers of the listening test are analysed by the listen analyse command.
    """
    from ..devices import check_device
    from ..site.build import SiteOptions, build_site, require_runs
    from ..spec import split_each
    from .progress import ProgressBar

    check_device(device)
    options = SiteOptions(
        utterances=utterances,
        metrics=tuple(split_each(metrics)),
        listen=tuple(listen or ()),
        data_root=data_root,
        device=device,
        title=title,
        trusted=tuple(trust or ()),
    )
    loaded = require_runs(runs)
    with ProgressBar() as progress:
        build_site(loaded, out, options, progress)
        progress.note(f"the site is in {out}: open {out / 'index.html'}")


site.__doc__ = f"{site.__doc__}\n{_EPILOG}"
