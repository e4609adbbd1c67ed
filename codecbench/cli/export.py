"""``codecbench export``: results of a run, where people keep results."""

from __future__ import annotations

import enum
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import complete
from .options import ChosenCodecs, DataRoot, IncludeSeenSpeakers, Metrics
from .screen import write_result

if TYPE_CHECKING:
    from ..export.selection import Selection


class Target(enum.StrEnum):
    """Where results go."""

    model_index = "model-index"
    mlflow = "mlflow"
    tensorboard = "tensorboard"
    csv = "csv"
    json = "json"
    parquet = "parquet"


class Level(enum.StrEnum):
    """What a record of a tidy table is."""

    rows = "rows"
    summary = "summary"


_TIDY = (Target.csv, Target.json, Target.parquet)

_EPILOG = """
Examples:

```
codecbench export runs/first --to csv -o rows.csv
codecbench export runs/first --to json --level summary -m kbps,stoi
codecbench export runs/first --to model-index --codec opus -m kbps,stoi
codecbench export runs/first --to model-index -c opus --update README.md
codecbench export runs/first --to mlflow --tracking-uri sqlite:///ml.db
codecbench export runs/first --to tensorboard -o tb/first
```
"""


def export(
    run: Annotated[Path, typer.Argument(help="Run folder.", show_default=False)],
    to: Annotated[Target, typer.Option("--to", help="Where to.", show_default=False)],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="File to write; tensorboard: folder. [default: stdout]"
        ),
    ] = None,
    level: Annotated[
        Level | None,
        typer.Option(
            "--level",
            help="A record an utterance, or a mean (csv, json, parquet). [default: rows]",
            show_default=False,
        ),
    ] = None,
    metrics: Metrics = None,
    codec: ChosenCodecs = None,
    corpus: Annotated[
        list[str] | None,
        typer.Option(
            "--corpus",
            help="Corpus to export. May be repeated. [default: all]",
            autocompletion=complete.corpora,
        ),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(
            "--by",
            help="Group by any of corpus, split, speaker, rate; or none. [default: corpus]",
        ),
    ] = None,
    include_seen_speakers: IncludeSeenSpeakers = False,
    update: Annotated[
        Path | None,
        typer.Option("--update", help="Model card to merge the results into (model-index)."),
    ] = None,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="With --update: replace results of other values."),
    ] = False,
    name: Annotated[
        str | None,
        typer.Option("--name", help="Name of the model (model-index). [default: the card's]"),
    ] = None,
    source_url: Annotated[
        str | None,
        typer.Option("--source-url", help="Where the results are published (model-index)."),
    ] = None,
    tracking_uri: Annotated[
        str | None,
        typer.Option(
            "--tracking-uri",
            help="Tracking store (mlflow). [default: MLFLOW_TRACKING_URI, or a local one]",
        ),
    ] = None,
    experiment: Annotated[
        str | None,
        typer.Option("--experiment", help="Experiment (mlflow). [default: codecbench]"),
    ] = None,
    utterance: Annotated[
        list[str] | None,
        typer.Option(
            "--utterance",
            help="Utterance to add as sound and spectrogram: id, or corpus/split/id"
            " (tensorboard). May be repeated.",
        ),
    ] = None,
    data_root: DataRoot = None,
    device: Annotated[
        str, typer.Option("--device", help="Torch device of codecs that decode.")
    ] = "cpu",
) -> None:
    """Write results into a model card, MLflow, TensorBoard, CSV, JSON or Parquet.

    Numbers, intervals and choice of utterances are those of the table command. model-index: YAML
    of one codec, a result for each of its rates. mlflow: one run a codec; repeated, it is brought
    up to date. tensorboard: metrics over counted rate, a curve a family of codecs.
    """
    from ..export.selection import Selection
    from ..reports.selection import group_keys
    from ..results.run_folder import load_run
    from ..spec import split_each

    level = level or (Level.rows if to in _TIDY else None)
    _refuse_misplaced(
        to,
        {
            "--level": (level is not None, _TIDY),
            "--update": (update is not None, (Target.model_index,)),
            "--name": (name is not None, (Target.model_index,)),
            "--source-url": (source_url is not None, (Target.model_index,)),
            "--tracking-uri": (tracking_uri is not None, (Target.mlflow,)),
            "--experiment": (experiment is not None, (Target.mlflow,)),
            "--utterance": (bool(utterance), (Target.tensorboard,)),
            "--data-root": (data_root is not None, (Target.tensorboard,)),
        },
    )
    _refuse_contradictions(to, output, update, overwrite, level == Level.rows and by is not None)
    selection = Selection.of(
        load_run(run),
        metrics=split_each(metrics),
        codecs=codec or (),
        corpora=corpus or (),
        by=group_keys(by or "corpus"),
        include_seen_speakers=include_seen_speakers,
    )
    if level is not None:
        _write_tidy(selection, to, level, output)
    elif to == Target.model_index:
        _write_model_index(selection, output, update, overwrite, name, source_url)
    elif to == Target.mlflow:
        _write_mlflow(selection, tracking_uri, experiment)
    elif output is not None:
        _write_tensorboard(selection, output, utterance or [], data_root, device)
    for note in selection.left_out:
        _say(note)


def _refuse_misplaced(to: Target, options: dict[str, tuple[bool, tuple[Target, ...]]]) -> None:
    """Refuse options that were given and that the target does not know."""
    from ..errors import UserError

    for option, (given, targets) in options.items():
        if given and to not in targets:
            known = ", ".join(target.value for target in targets)
            raise UserError(f"{option} does not go with {to.value} (it goes with {known})")


def _refuse_contradictions(
    to: Target, output: Path | None, update: Path | None, overwrite: bool, groups_rows: bool
) -> None:
    """Refuse options that do not go with each other, and targets that cannot be printed."""
    from ..errors import UserError

    if groups_rows:
        raise UserError("--by goes with means: add --level summary")
    if overwrite and update is None:
        raise UserError("--overwrite goes with --update")
    if output is not None and (to == Target.mlflow or update is not None):
        raise UserError("--output does not go with mlflow or --update")
    if output is None and to in (Target.parquet, Target.tensorboard):
        raise UserError(f"{to.value} cannot be printed: say where with --output")


def _write_tidy(selection: Selection, to: Target, level: Level, output: Path | None) -> None:
    from ..export.as_csv import write_csv
    from ..export.as_json import write_json
    from ..export.as_parquet import write_parquet
    from ..export.tidy import tidy_table

    table = tidy_table(selection, level.value)
    if to == Target.parquet and output is not None:
        write_parquet(table, output)
    elif to == Target.json:
        write_result(write_json(table, selection, level.value), output)
    else:
        write_result(write_csv(table), output)


def _write_model_index(
    selection: Selection,
    output: Path | None,
    update: Path | None,
    overwrite: bool,
    name: str | None,
    source_url: str | None,
) -> None:
    from ..export.model_card import update_card
    from ..export.model_index import model_card, model_index_of

    index = model_index_of(selection, name, source_url)
    if update is None:
        write_result(model_card(index), output)
        return
    merged = update_card(update, index, name, overwrite)
    _say(
        f"{update}: {merged.added} results added, {merged.replaced} replaced,"
        f" {merged.unchanged} as they were"
    )


def _write_mlflow(selection: Selection, uri: str | None, experiment: str | None) -> None:
    from ..export.mlflow_runs import EXPERIMENT, export_to_mlflow

    exported = export_to_mlflow(selection, uri, experiment or EXPERIMENT)
    _say(
        f"MLflow, {exported.uri}: {len(exported.created)} runs created,"
        f" {len(exported.updated)} updated"
    )


def _write_tensorboard(
    selection: Selection,
    output: Path,
    utterances: list[str],
    data_root: Path | None,
    device: str,
) -> None:
    from ..devices import check_device
    from ..export.tensorboard_events import export_to_tensorboard

    check_device(device)
    export_to_tensorboard(selection, output, utterances, data_root, device)
    _say(f"show it with: tensorboard --logdir {output}")


def _say(text: str) -> None:
    sys.stderr.write(f"codecbench: {text}\n")


export.__doc__ = f"{export.__doc__}\n{_EPILOG}"
