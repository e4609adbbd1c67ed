"""``codecbench run``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from . import complete
from .formats import OutputFormat
from .options import Corpora, DataRoot, Utterances
from .screen import screen, write_result

_EPILOG = """
Examples:

```
codecbench run --codec opus
codecbench run --codec "opus:kbps=6|12|24" --codec codec2 --out runs/first
codecbench run --codec opus --corpus librispeech --subset 60
codecbench run --codec lc3 --packet-loss 5%
codecbench run paper.toml --metrics pesq_wb,stoi --jobs 8
```

A run file is TOML with the same names: codec = ["opus:kbps=12"], corpus = ["librispeech"],
subset = 60. Flags win over the file. Killed at any moment, the same command continues; more
codecs, metrics or utterances compute only what is missing.
"""


def run(
    run_file: Annotated[
        Path | None, typer.Argument(help="TOML run file.", show_default=False)
    ] = None,
    codec: Annotated[
        list[str] | None,
        typer.Option(
            "--codec",
            "-c",
            help="Codec spec, such as opus:kbps=6|12. May be repeated.",
            autocompletion=complete.codecs,
        ),
    ] = None,
    corpus: Corpora = None,
    metrics: Annotated[
        list[str] | None,
        typer.Option(
            "--metrics",
            "-m",
            help="Metrics or columns, separated by commas. [default: all]",
            autocompletion=complete.metrics,
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Run folder. [default: below runs/]")
    ] = None,
    subset: Annotated[
        int | None,
        typer.Option("--subset", help="Speaker-balanced selection of this many utterances."),
    ] = None,
    utterances: Utterances = None,
    rate: Annotated[
        int | None, typer.Option("--rate", help="Evaluation rate in Hz. [default: the corpus's]")
    ] = None,
    packet_loss: Annotated[
        str | None,
        typer.Option(
            "--packet-loss",
            help="Share of packets lost, such as 5% or 5%,burst=3,seed=1; streaming codecs only.",
        ),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", help="Worker processes. [default: one a core]")
    ] = None,
    device: Annotated[
        str | None, typer.Option("--device", help="Torch device of neural codecs. [default: cpu]")
    ] = None,
    data_root: DataRoot = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Compute failed rows again.")
    ] = False,
    keep_audio: Annotated[
        bool,
        typer.Option("--keep-audio", help="Keep the decoded audio in the run folder."),
    ] = False,
    format: Annotated[  # noqa: A002 - the option's name
        OutputFormat, typer.Option("--format", "-f", help="Format of the table.")
    ] = OutputFormat.rich,
) -> None:
    """Send a corpus through codecs as real bits, measure what comes back, print a table."""
    from ..engine.request import RunRequest
    from ..engine.run import execute
    from ..reports.formats import render
    from .progress import ProgressBar

    flags: dict[str, Any] = {
        "codec": codec or None,
        "corpus": corpus or None,
        "metrics": metrics or None,
        "out": out,
        "subset": subset,
        "utterances": utterances,
        "rate": rate,
        "packet_loss": packet_loss,
        "jobs": jobs,
        "device": device,
        "data_root": data_root,
        "retry_failed": retry_failed or None,
        "keep_audio": keep_audio or None,
    }
    given = {key: value for key, value in flags.items() if value is not None}
    request = RunRequest.read(run_file, given) if run_file else RunRequest.make("run", given)
    with ProgressBar() as progress:
        outcome = execute(request, progress)
        progress.note(f"results are in {outcome.run.path}")
    columns = outcome.columns and ["kbps", *(name for name in outcome.columns if name != "kbps")]
    table = outcome.run.table(metrics=columns, codecs=outcome.codecs)
    write_result(render(table, format.value, **screen()))
    if not any(cell.n for row in table.rows if not row.is_reference for cell in row.cells.values()):
        typer.echo("codecbench: every measurement failed; the table's notes say why", err=True)
        raise typer.Exit(1)


run.__doc__ = f"{run.__doc__}\n{_EPILOG}"
