"""``codecbench compare``: the regression gate."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated

import typer

from . import complete
from .options import Metrics, Output
from .screen import DEFAULT_WIDTH, screen, write_result

EXIT_REGRESSION = 1


class ComparisonFormat(enum.StrEnum):
    """Formats of a comparison."""

    rich = "rich"
    markdown = "markdown"
    junit = "junit"
    json = "json"


_EPILOG = """
Exit status: 0 passed, 1 regression, 2 cannot compare.

Examples:

```
codecbench compare runs/main runs/new
codecbench compare runs/main runs/new --fail-on "pesq_wb<-0.02"
codecbench compare runs/main runs/new --fail-on "kbps>1%" --junit gate.xml
codecbench compare runs/main runs/new --fail-on "stoi<0" --worst-audio worst
codecbench compare runs/a runs/a --base-codec opus --candidate-codec lc3
```
"""


def compare(
    base: Annotated[Path, typer.Argument(help="Run folder of what was.", show_default=False)],
    candidate: Annotated[
        Path, typer.Argument(help="Run folder of what would be.", show_default=False)
    ],
    fail_on: Annotated[
        list[str] | None,
        typer.Option(
            "--fail-on",
            help="Column, < or >, difference: pesq_wb<-0.02, wer>0.01, kbps>1%. May be repeated.",
        ),
    ] = None,
    metrics: Metrics = None,
    codec: Annotated[
        list[str] | None,
        typer.Option(
            "--codec",
            "-c",
            help="Codecs to compare: a spec or sweep, values not given may be any; may be"
            " repeated. [default: all; with --fail-on the candidate must have those of the base]",
            autocompletion=complete.codecs,
        ),
    ] = None,
    base_codec: Annotated[
        str | None,
        typer.Option("--base-codec", help="One codec of the base, for --candidate-codec."),
    ] = None,
    candidate_codec: Annotated[
        str | None,
        typer.Option("--candidate-codec", help="The candidate's codec to compare with it."),
    ] = None,
    allow_failures: Annotated[
        int,
        typer.Option(
            "--allow-failures",
            min=0,
            help="With --fail-on: utterances that the base scored and the candidate may fail.",
        ),
    ] = 0,
    allow_missing: Annotated[
        int,
        typer.Option(
            "--allow-missing",
            min=0,
            help="With --fail-on: utterances that the base scored and the candidate may lack.",
        ),
    ] = 0,
    format: Annotated[  # noqa: A002 - the option's name
        ComparisonFormat, typer.Option("--format", "-f", help="Output format.")
    ] = ComparisonFormat.rich,
    output: Output = None,
    junit: Annotated[
        Path | None, typer.Option("--junit", help="Write JUnit XML into this file as well.")
    ] = None,
    summary: Annotated[
        Path | None,
        typer.Option("--summary", help="Append Markdown to this file as well."),
    ] = None,
    worst_audio: Annotated[
        Path | None,
        typer.Option(
            "--worst-audio",
            help="Copy what was kept of the worst utterances of a regression into this folder.",
        ),
    ] = None,
) -> None:
    """Compare two runs utterance by utterance; fail if a codec got worse than allowed.

    A threshold is broken if the mean difference is beyond it and its 95 % interval excludes zero.
    With --fail-on, utterances and codecs of the base that the candidate lacks fail it too.
    Runs of other audio, another protocol or other metric definitions are refused; other package
    versions are only pointed out. Runs made with --keep-audio can be listened to: the utterances
    that got worse most are listed with their files.
    """
    from ..gate.comparison import compare_runs
    from ..gate.formats import render
    from ..gate.sounds import copy_worst
    from ..gate.thresholds import parse_threshold
    from ..results.run_folder import load_run
    from ..spec import split_each

    thresholds = [parse_threshold(text) for text in fail_on or ()]
    found = compare_runs(
        load_run(base),
        load_run(candidate),
        thresholds,
        metrics=split_each(metrics),
        codecs=codec or (),
        pair=_pair(base_codec, candidate_codec),
        allowed_failures=allow_failures if thresholds else None,
        allowed_missing=allow_missing if thresholds else None,
    )
    options = screen() if output is None else {"width": DEFAULT_WIDTH, "color": False}
    write_result(render(found, format.value, **options), output)
    if junit is not None:
        write_result(render(found, "junit"), junit)
    if summary is not None:
        summary.parent.mkdir(parents=True, exist_ok=True)
        with summary.open("a", encoding="utf-8") as stream:
            stream.write(render(found, "markdown"))
    if worst_audio is not None:
        for note in copy_worst(found, worst_audio):
            typer.echo(f"codecbench: {note}", err=True)
    if not found.passed:
        raise typer.Exit(EXIT_REGRESSION)


def _pair(base: str | None, candidate: str | None) -> tuple[str, str] | None:
    from ..errors import UserError

    if (base is None) != (candidate is None):
        raise UserError("--base-codec and --candidate-codec belong together")
    return None if base is None or candidate is None else (base, candidate)


compare.__doc__ = f"{compare.__doc__}\n{_EPILOG}"
