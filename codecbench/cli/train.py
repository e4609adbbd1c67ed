"""``codecbench train``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from . import complete
from .options import DataRoot


class TrainingDevice(StrEnum):
    """What networks are trained on."""

    cpu = "cpu"
    cuda = "cuda"


class Precision(StrEnum):
    """Number format of training."""

    full = "32-true"
    mixed = "bf16-mixed"


def train(
    recipe: Annotated[Path, typer.Argument(help="TOML recipe; see docs/training.md.")],
    data: Annotated[
        list[str] | None,
        typer.Option(
            "--data",
            help="Corpus spec to train on instead of the recipe's. May be repeated.",
            autocompletion=complete.corpora,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder of the training. [default: below training/]"),
    ] = None,
    max_minutes: Annotated[
        float | None,
        typer.Option("--max-minutes", help="Stop after this time; the same command goes on."),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh/--resume", help="Start over, or go on from a checkpoint.")
    ] = False,
    device: Annotated[
        TrainingDevice, typer.Option("--device", help="What to train on.")
    ] = TrainingDevice.cpu,
    devices: Annotated[int, typer.Option("--devices", help="Processes, one a GPU.")] = 1,
    precision: Annotated[
        Precision, typer.Option("--precision", help="Number format of the networks.")
    ] = Precision.full,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Instead of the recipe's seed.")
    ] = None,
    threads: Annotated[
        int | None, typer.Option("--threads", help="Threads a process. [default: all cores]")
    ] = None,
    data_root: DataRoot = None,
) -> None:
    """Train a neural codec by a recipe.

    Examples:

    ```
    codecbench train adapters/soundstream/nano.toml
    codecbench train nano.toml --data folder:my/speech --max-minutes 30
    codecbench train paper.toml --device cuda --devices 4 --precision bf16-mixed
    ```

    Killed at any moment or stopped by --max-minutes, the same command goes on from the last
    checkpoint. The folder then holds weights.safetensors, which weights=PATH of the codec
    takes, its model card, the checkpoints and logs for TensorBoard.
    """
    from ..errors import UserError
    from ..registry import CODECS, component_class

    name = _codec_of(recipe)
    codec_class = component_class(CODECS, name)
    if not hasattr(codec_class, "trainer"):
        raise UserError(f"{recipe}: {name} has no network that could be trained")
    options: dict[str, Any] = {
        "data": tuple(data or ()),
        "out": out,
        "data_root": data_root,
        "max_minutes": max_minutes,
        "fresh": fresh,
        "device": device.value,
        "devices": devices,
        "precision": precision.value,
        "seed": seed,
        "threads": threads,
    }
    codec_class.trainer()(recipe, codec_class, options)


def _codec_of(recipe: Path) -> str:
    """Read which codec a recipe is for."""
    from ..errors import UserError
    from ..toml_file import read_toml

    _, values = read_toml(recipe, "recipe")
    name = values.get("codec")
    if not isinstance(name, str):
        raise UserError(f'{recipe}: name the codec, as in codec = "soundstream"')
    return name
