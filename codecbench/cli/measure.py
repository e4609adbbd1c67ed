"""``codecbench measure``: metrics of audio that is already there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .formats import PlainFormat, write_json
from .options import Metrics

if TYPE_CHECKING:
    from ..metric import Score

Scores = dict[str, "Score"]


def measure(
    reference: Annotated[Path, typer.Argument(help="Reference audio file or folder.")],
    decoded: Annotated[Path, typer.Argument(help="Decoded audio file or folder.")],
    metrics: Metrics = None,
    align: Annotated[
        bool,
        typer.Option(
            "--align", help="Resample, remove one estimated delay and cut to the same length."
        ),
    ] = False,
    transcript: Annotated[
        str | None, typer.Option("--transcript", help="What is said, for WER and CER.")
    ] = None,
    language: Annotated[
        str | None, typer.Option("--language", help="ISO 639-1 code, such as en or zh.")
    ] = None,
    device: Annotated[str, typer.Option("--device", help="Torch device.")] = "cpu",
    format: Annotated[  # noqa: A002 - the option's name
        PlainFormat, typer.Option("--format", "-f", help="Output format.")
    ] = PlainFormat.rich,
) -> None:
    """Measure one pair of audio files, or two folders matched by file name, without a codec.

    The files are taken as they are unless --align is given: narrow-band PESQ and ViSQOL's speech
    mode run at the files' own rate (pesq:nb_rate=8000 and visqol:rate=16000 resample as runs do);
    PESQ and ViSQOL bear a delay and unequal lengths, other metrics refuse unequal lengths. JSON
    of a pair is {metric: value}, with null where there is no number; the reason is on stderr. The
    exit status is 1 if some pair of two folders has no number at all, 2 if none has.

    For many files and intervals, use codecbench run --codec decoded:dir=FOLDER.

    Example:

    ```
    codecbench measure clean.wav decoded.wav -m pesq_wb,stoi --format json
    ```
    """
    from ..engine.measure import MeasureOptions, metrics_for_files
    from ..errors import UserError
    from ..spec import split_each

    for path in (reference, decoded):
        if not path.exists():
            raise UserError(f"{path}: no such file or folder")
    if reference.is_dir() != decoded.is_dir():
        raise UserError("give two files or two folders")
    loaded = metrics_for_files(
        split_each(metrics),
        as_they_are=not align,
        device=device,
    )
    for name, caveat in loaded.caveats().items():
        typer.echo(f"codecbench: {name}: {caveat}", err=True)
    options = MeasureOptions(align, transcript, language)
    if reference.is_dir():
        _folders(reference, decoded, loaded, options, format)
    else:
        _pair(reference, decoded, loaded, options, format)


def _pair(reference: Path, decoded: Path, loaded: Any, options: Any, format: PlainFormat) -> None:  # noqa: A002
    from ..engine.measure import measure_files

    scores = measure_files(reference, decoded, loaded, options)
    _say_reasons(scores)
    if format == PlainFormat.json:
        write_json(_values(scores))
    else:
        _print_scores({name: [score] for name, score in scores.items()}, loaded)
    _require_a_number([scores])


def _folders(
    reference: Path,
    decoded: Path,
    loaded: Any,
    options: Any,
    format: PlainFormat,  # noqa: A002
) -> None:
    from ..engine.measure import measure_listed, pairs_of, without_reference
    from .progress import ProgressBar

    pairs = pairs_of(reference, decoded)
    for name in without_reference(reference, decoded):
        typer.echo(f"codecbench: {name} has no reference and is left out", err=True)
    results: dict[str, Scores] = {}
    with ProgressBar() as progress:
        progress.stage("measuring", len(pairs))
        for name, paths in pairs.items():
            results[name] = measure_listed(name, paths, loaded, options)
            progress.advance()
    for name, scores in results.items():
        _say_reasons(scores, f"{name}: ")
    columns = list(dict.fromkeys(column for scores in results.values() for column in scores))
    by_column = {
        column: [scores[column] for scores in results.values() if column in scores]
        for column in columns
    }
    if format == PlainFormat.json:
        write_json(
            {
                "pairs": {name: _values(scores) for name, scores in results.items()},
                "mean": {column: _mean(scores) for column, scores in by_column.items()},
                "n": {column: _count(scores) for column, scores in by_column.items()},
            }
        )
    else:
        _print_scores(by_column, loaded)
    _require_a_number(list(results.values()))
    if any(all(score.error for score in scores.values()) for scores in results.values()):
        raise typer.Exit(1)


def _values(scores: Scores) -> dict[str, float | None]:
    return {name: None if score.error else score.value for name, score in scores.items()}


def _count(scores: list[Score]) -> int:
    return sum(score.error is None for score in scores)


def _mean(scores: list[Score]) -> float | None:
    """Mean of the pairs that have a number; pooled where the metric gives counts."""
    valid = [score for score in scores if score.error is None]
    if not valid:
        return None
    if all(score.denominator is not None for score in valid):
        total = sum(score.denominator or 0.0 for score in valid)
        return sum(score.numerator or 0.0 for score in valid) / total if total else None
    return sum(score.value for score in valid) / len(valid)


def _say_reasons(scores: Scores, prefix: str = "") -> None:
    for name, score in scores.items():
        if score.error:
            typer.echo(f"codecbench: {prefix}{name}: {score.error}", err=True)


def _print_scores(by_column: dict[str, list[Score]], loaded: Any) -> None:
    from rich.console import Console
    from rich.table import Table

    columns = loaded.columns()
    arrows = {"higher": "↑", "lower": "↓", None: ""}
    table = Table("metric", "value", "unit", "n", "failed")
    for name, scores in by_column.items():
        column = columns[name.partition(" ")[0]]
        mean = _mean(scores)
        table.add_row(
            f"{name} {arrows[column.better]}",
            "–" if mean is None else f"{mean:.{column.digits}f}",
            column.unit,
            str(_count(scores)),
            str(len(scores) - _count(scores)),
        )
    Console().print(table)


def _require_a_number(results: list[Scores]) -> None:
    if not any(score.error is None for scores in results for score in scores.values()):
        raise typer.Exit(2)
