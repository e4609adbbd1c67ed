"""Trains a codec by a recipe: puts data, network and loop together."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from ...devices import check_device
from ...errors import UnavailableError, UserError
from ...files import write_text_atomic
from ..nn.discriminators import build_discriminators
from ..nn.network import CodecNetwork
from .checkpoint import BEST, LAST, Origin
from .corpora import TrainingData, divide, gather
from .crops import BatchMaker, Crops, Recordings, open_recordings
from .export import CARD, WEIGHTS, Exporter, describe_hardware
from .logs import Log
from .options import Options
from .randomness import Purpose, torch_seed
from .recipe import Recipe, RecipeFile, read_recipe, validated
from .stage import check_layers

if TYPE_CHECKING:
    from lightning.fabric import Fabric

    from .loop import TrainingLoop

_PACKAGES = ("lightning", "tensorboard")
_LOGS, _RECIPE, _LOCK = "logs", "recipe.toml", "train.lock"
_PROBE_SECONDS = 0.5


def train(recipe: Path, codec_class: Any, options: Mapping[str, Any]) -> Path:
    """Train a codec by a recipe; go on where an earlier call with the same folder stopped.

    Parameters
    ----------
    recipe : Path
        A TOML file; see `recipe.Recipe`.
    codec_class : type
        A codec class with the methods `network_config` and `build_network`.
    options : mapping
        See `options.Options`.

    Returns
    -------
    Path
        The folder with weights, card, checkpoints and logs.

    Raises
    ------
    UnavailableError
        If the packages for training are not installed.
    UserError
        If recipe, options or data are wrong, or training diverges.
    KeyboardInterrupt
        After a checkpoint, if a signal asked to stop.
    """
    _check_packages()
    chosen = Options.make(options)
    file = read_recipe(Path(recipe), chosen.data, chosen.seed)
    check_device(chosen.device)
    network = _build(file, codec_class)
    data = _gather(file.recipe, chosen)
    folder = chosen.out or Path("training") / f"{file.recipe.codec}-{file.path.stem}"
    fabric = _launched(chosen)
    first = fabric.is_global_zero
    with _locked(folder) if first else contextlib.nullcontext():
        if first:
            _prepare(folder, file, chosen.fresh)
        fabric.barrier()
        _train(fabric, file, network, data, chosen, folder)
    return folder


def _train(
    fabric: Fabric,
    file: RecipeFile,
    network: CodecNetwork,
    data: TrainingData,
    options: Options,
    folder: Path,
) -> None:
    from .stopping import StopRequest

    with StopRequest(fabric, options.max_minutes) as stop:
        loop = _loop(fabric, file, network, data, options, folder)
        resumed = loop.resume()
        with Log(folder / _LOGS if fabric.is_global_zero else None, loop.steps_done) as log:
            if resumed:
                log.note(f"going on from step {loop.steps_done}")
            ended = loop.run(log, stop)
            if ended:
                log.note(f"trained {loop.steps_done} steps; weights are in {folder / WEIGHTS}")
            else:
                log.note(f"stopped at step {loop.steps_done}; the same command goes on")
    if stop.interrupted:
        raise KeyboardInterrupt


def _check_packages() -> None:
    missing = [name for name in _PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise UnavailableError(
            f"training needs {' and '.join(missing)}: pip install 'codecbench[train]'"
        )


def _build(file: RecipeFile, codec_class: Any) -> CodecNetwork:
    """Build the network with the recipe's seed, and refuse what the recipe asks of it in vain."""
    from .objective import check_losses

    recipe = file.recipe
    if recipe.codec != codec_class.name:
        raise UserError(f"{file.path} trains {recipe.codec}, not {codec_class.name}")
    config = validated(codec_class.network_config(), recipe.model, f"{file.path}: model")
    torch.manual_seed(torch_seed(recipe.seed, 0, 0, 0, Purpose.NETWORK))
    network: CodecNetwork = codec_class.build_network(config)
    for stage in recipe.stages:
        check_layers(stage, network)
    if recipe.data.noise and not network.denoises:
        raise UserError(f"{file.path}: data.noise: this network has no denoising switch")
    check_losses(recipe, _own_losses(network, recipe.quantizes))
    return network


@torch.no_grad()
def _own_losses(network: CodecNetwork, quantize: bool) -> list[str]:
    """Name the terms that a network gives itself, from a short signal."""
    waves = torch.zeros(1, round(_PROBE_SECONDS * network.sample_rate))
    return list(network(waves, None, quantize).losses)


def _gather(recipe: Recipe, options: Options) -> TrainingData:
    config = recipe.data
    utterances = gather(config.corpora, options.data_root)
    return divide(utterances, config.reserved_speakers, config.speaker_corpus)


def _launched(options: Options) -> Fabric:
    from lightning.fabric import Fabric

    fabric = Fabric(
        accelerator=options.device,
        devices=options.devices,
        strategy="ddp" if options.devices > 1 else "auto",
        precision=options.precision,
    )
    threads = options.threads or max(1, (os.cpu_count() or 1) // options.devices)
    torch.set_num_threads(threads)
    fabric.launch()
    return fabric


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep a second training out of a folder."""
    import filelock

    folder.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(folder / _LOCK)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout as error:
        raise UserError(f"another training is at work in {folder}") from error
    try:
        yield
    finally:
        lock.release()


def _prepare(folder: Path, file: RecipeFile, fresh: bool) -> None:
    """Clear the folder if asked to and keep the recipe in it."""
    if fresh:
        for name in (LAST, BEST, WEIGHTS, CARD):
            (folder / name).unlink(missing_ok=True)
        if (folder / _LOGS).exists():
            shutil.rmtree(folder / _LOGS)
    if not (folder / LAST).exists():
        write_text_atomic(folder / _RECIPE, file.text)


def _loop(
    fabric: Fabric,
    file: RecipeFile,
    network: CodecNetwork,
    data: TrainingData,
    options: Options,
    folder: Path,
) -> TrainingLoop:
    from .loop import TrainingLoop
    from .selection import Selection

    recipe, rate = file.recipe, network.sample_rate
    selection = None
    if recipe.selection is not None and fabric.is_global_zero:
        selection = Selection(recipe.selection, data.reserved)
    speech = open_recordings(data.training, recipe.data, rate)
    batches = _batches(fabric, recipe, speech, rate, options)
    seconds = sum(n / r for n, r in zip(speech.lengths, speech.rates, strict=True))
    exporter = Exporter(
        folder, file, data, seconds, describe_hardware(fabric.device, fabric.world_size)
    )
    origin = Origin(file.fingerprint, data.fingerprint)
    models = _models(fabric, recipe, network)
    return TrainingLoop(fabric, recipe, origin, models, batches, selection, exporter, folder)


def _batches(
    fabric: Fabric, recipe: Recipe, speech: Recordings, rate: int, options: Options
) -> BatchMaker:
    config = recipe.data
    samples = round(config.crop_seconds * rate)
    noise = None
    if config.noise:
        recordings = open_recordings(gather(config.noise, options.data_root), config, rate)
        noise = Crops(recordings, samples, rate)
    crops = Crops(speech, samples, rate)
    return BatchMaker(crops, noise, config, recipe.seed, fabric.global_rank)


def _models(fabric: Fabric, recipe: Recipe, network: CodecNetwork) -> Any:
    from .averaging import WeightAverage
    from .codebooks import Codebooks
    from .loop import Models

    network.to(fabric.device)
    first = next((stage for stage in recipe.stages if stage.quantize), recipe.stages[0])
    average = None if recipe.ema is None else WeightAverage(network, recipe.ema.decay)
    return Models(
        network,
        Codebooks(network.quantizer, first.codebooks),
        _discriminators(fabric, recipe, network.sample_rate),
        average,
    )


def _discriminators(fabric: Fabric, recipe: Recipe, sample_rate: int) -> nn.Module | None:
    if recipe.discriminators is None:
        return None
    torch.manual_seed(torch_seed(recipe.seed, 0, 0, 1, Purpose.NETWORK))
    return build_discriminators(recipe.discriminators, sample_rate).to(fabric.device)
