"""Trains a codec by a recipe: puts data, network and loop together."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ...devices import check_device
from ...errors import UnavailableError, UserError
from ...files import write_text_atomic
from ..nn.discriminators import Discriminators, build_discriminators
from ..nn.network import CodecNetwork, parameter_count
from ..nn.weights import WeightsFile, check_format, load_into, read_header, read_tensors
from .averaging import WeightAverage
from .checkpoint import BEST, LAST, Origin
from .code_counts import add_code_counts
from .codebooks import Codebooks
from .corpora import TrainingData, divide, gather
from .crops import BatchMaker, Crops, Recordings, open_recordings
from .export import CARD, WEIGHTS, Exporter, describe_hardware
from .logs import Log
from .models import Models
from .noise import NoiseSource
from .objective import check_losses
from .options import Options
from .randomness import Purpose, torch_seed
from .recipe import Recipe, RecipeFile, read_recipe, validated
from .stage import (
    Optimizers,
    check_codebook_start,
    check_crops,
    check_dead_below,
    check_layers,
    check_side_codebooks,
    set_learning_parts,
    side_even_use,
)
from .start import input_scale

if TYPE_CHECKING:
    from lightning.fabric import Fabric

    from .loop import TrainingLoop

_PACKAGES = ("lightning", "tensorboard")
_LOGS, _RECIPE, _LOCK = "logs", "recipe.toml", "train.lock"
_PROBE_SECONDS = 0.5
_MOST_PARAMETERS = 1 << 31


def train(recipe: Path, codec_class: Any, options: Mapping[str, Any]) -> Path:
    """Train a codec by a recipe; go on where an earlier call with the same folder stopped.

    Parameters
    ----------
    recipe : Path
        A TOML file; see `recipe.Recipe`.
    codec_class : type
        A codec class with `network_config`, `build_network` and `variants`.
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
    network = _build(file, codec_class, chosen.devices)
    ancestor = _load_initial(file, network)
    data = _gather(file.recipe, chosen)
    folder = chosen.out or Path("training") / f"{file.recipe.codec}-{file.path.stem}"
    fabric = _launched(chosen)
    first = fabric.is_global_zero
    with _locked(folder) if first else contextlib.nullcontext():
        if first:
            _prepare(folder, file, chosen.fresh)
        fabric.barrier()
        plan = _Plan(file, network, ancestor, data, chosen, folder)
        _train(fabric, plan)
    return folder


@dataclass(frozen=True)
class _Plan:
    """What is to be trained, how and where."""

    file: RecipeFile
    network: CodecNetwork
    ancestor: WeightsFile | None
    data: TrainingData
    options: Options
    folder: Path


def _train(fabric: Fabric, plan: _Plan) -> None:
    from .stopping import StopRequest

    ended = False
    with StopRequest(fabric, plan.options.max_minutes) as stop:
        loop = _loop(fabric, plan)
        resumed = loop.resume()
        logs = plan.folder / _LOGS if fabric.is_global_zero else None
        with Log(logs, loop.steps_done) as log:
            if resumed:
                log.note(f"going on after step {loop.steps_done}")
            ended = loop.run(log, stop)
            if ended:
                _count_codes(fabric, plan, log)
                log.note(f"trained {loop.steps_done} steps; see {plan.folder / CARD}")
            else:
                log.note(f"stopped after step {loop.steps_done}; the same command goes on")
    if stop.interrupted and not ended:
        raise KeyboardInterrupt


def _count_codes(fabric: Fabric, plan: _Plan, log: Log) -> None:
    """Put the codes' counts, which entropy coding starts from, into the weights."""
    if fabric.is_global_zero and plan.file.recipe.quantizes:
        log.note(f"counting the codes of {len(plan.data.training)} utterances")
        add_code_counts(plan.folder / WEIGHTS, plan.network, plan.data.training)


def _check_packages() -> None:
    missing = [name for name in _PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise UnavailableError(
            f"training needs {' and '.join(missing)}: pip install 'codecbench[train]'"
        )


def _build(file: RecipeFile, codec_class: Any, processes: int) -> CodecNetwork:
    """Build the network with the recipe's seed, and refuse what the recipe asks of it in vain."""
    recipe = file.recipe
    if recipe.codec != codec_class.name:
        raise UserError(f"{file.path} trains {recipe.codec}, not {codec_class.name}")
    if recipe.variant not in codec_class.variants:
        raise UserError(f"{file.path}: variant: {_choices(codec_class)}, not '{recipe.variant}'")
    config = validated(codec_class.network_config(), recipe.model, f"{file.path}: model")
    _check_size(file, codec_class, config)
    torch.manual_seed(torch_seed(recipe.seed, 0, 0, 0, Purpose.NETWORK))
    network: CodecNetwork = codec_class.build_network(config)
    if recipe.data.is_noisy and (recipe.data.noise_targets == "switched") != network.denoises:
        has, targets = ("a", "switched") if network.denoises else ("no", "clean")
        raise UserError(
            f"{file.path}: data.noise_targets: this network has {has} denoising switch;"
            f' set "{targets}"'
        )
    if (recipe.data.prompt_seconds is not None) and not network.hears_prompts:
        raise UserError(f"{file.path}: data.prompt_seconds: this network hears no prompts")
    check_losses(recipe, _own_losses(network, recipe.quantizes))
    _check_stages(file, network, processes)
    return network


def _check_size(file: RecipeFile, codec_class: Any, config: Any) -> None:
    """Refuse networks that no machine holds, before any memory is asked for."""
    with torch.device("meta"):
        count = parameter_count(codec_class.build_network(config))
    if count > _MOST_PARAMETERS:
        raise UserError(
            f"{file.path}: model: the network would have {count:.2g} parameters;"
            f" at most {_MOST_PARAMETERS:.2g} are allowed"
        )


def _check_stages(file: RecipeFile, network: CodecNetwork, processes: int) -> None:
    """Refuse what a stage, the last one too, would only find out when it begins."""
    recipe = file.recipe
    samples = round(recipe.data.crop_seconds * network.sample_rate)
    if samples < network.hop_length:
        shortest = network.hop_length / network.sample_rate
        raise UserError(
            f"{file.path}: data.crop_seconds: a crop holds no frame; one lasts {shortest:g} s"
        )
    with torch.device("meta"):
        judges = _discriminators(recipe, network.sample_rate)
    if recipe.stages[0].start == "code_statistics":
        input_scale(network)
    for stage in recipe.stages:
        check_layers(stage, network)
        check_dead_below(stage, network, processes * stage.batch_size, samples)
        check_crops(stage, recipe.losses, judges, samples)
        set_learning_parts(network, stage)
        Optimizers(stage, network, None)
    network.requires_grad_(True).train(True)
    first = next((stage for stage in recipe.stages if stage.quantize), None)
    if first is not None and not recipe.has_codebooks:
        check_codebook_start(first, network, samples)
    if first is not None:
        check_side_codebooks(first, network, recipe.brings)


def _choices(codec_class: Any) -> str:
    """Word which variants a recipe may train."""
    if codec_class.variants == ("",):
        return f"{codec_class.name} has none: leave it out"
    return f"{codec_class.name} has {', '.join(codec_class.variants)}"


def _load_initial(file: RecipeFile, network: CodecNetwork) -> WeightsFile | None:
    """Load the weights that the recipe starts from, if it names any."""
    if file.recipe.initial_weights is None:
        return None
    header = read_header(file.path.parent / Path(file.recipe.initial_weights).expanduser())
    check_format(header, file.recipe.codec)
    _check_same_model(file, header, network)
    tensors = read_tensors(header.path)
    if not file.recipe.initial_parts:
        load_into(network, tensors, file.recipe.codec)
    for part in file.recipe.initial_parts:
        load_into(_part(file, network, part), _tensors_of(tensors, part), file.recipe.codec)
    if file.recipe.stages[0].start == "symmetric_decoder":
        network.start_decoder_as(tensors)
    return header


def _check_same_model(file: RecipeFile, header: WeightsFile, network: CodecNetwork) -> None:
    """Refuse weights of another model, which may have the same shapes; parts may be added."""
    config: Any = network.config
    wanted, theirs = config.model_dump(), type(config).model_validate(header.config).model_dump()
    for key, value in theirs.items():
        if value is not None and value != wanted[key]:
            raise UserError(f"{file.path}: model.{key} is not that of {header.path}")


def _part(file: RecipeFile, network: CodecNetwork, name: str) -> nn.Module:
    parts = dict(network.named_children())
    if name not in parts:
        known = ", ".join(parts)
        raise UserError(f"{file.path}: initial_parts: no part is called '{name}' (known: {known})")
    return parts[name]


def _tensors_of(tensors: Mapping[str, Tensor], part: str) -> dict[str, Tensor]:
    start = f"{part}."
    return {
        name.removeprefix(start): tensor
        for name, tensor in tensors.items()
        if name.startswith(start)
    }


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

    # Its remarks on every start, process by process, are no news to the user.
    logging.getLogger("lightning.fabric").setLevel(logging.WARNING)
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


def _loop(fabric: Fabric, plan: _Plan) -> TrainingLoop:
    from .loop import TrainingLoop
    from .selection import Selection

    recipe, data, rate = plan.file.recipe, plan.data, plan.network.sample_rate
    selection = Selection(recipe.selection, data.reserved) if recipe.selection else None
    speech = open_recordings(data.training, recipe.data, rate)
    batches = _batches(fabric, plan, speech)
    ancestor = "" if plan.ancestor is None else plan.ancestor.sha256
    origin = Origin(plan.file.fingerprint + ancestor, data.fingerprint)
    hardware = describe_hardware(fabric.device, fabric.world_size)
    exporter = Exporter(plan.folder, plan.file, data, plan.ancestor, speech.seconds, hardware)
    models = _models(fabric, recipe, plan.network)
    return TrainingLoop(fabric, recipe, origin, models, batches, selection, exporter, plan.folder)


def _batches(fabric: Fabric, plan: _Plan, speech: Recordings) -> BatchMaker:
    recipe, rate = plan.file.recipe, plan.network.sample_rate
    samples = round(recipe.data.crop_seconds * rate)
    crops = Crops(speech, samples, rate)
    noise = _noise(recipe, plan.options, crops) if recipe.data.is_noisy else None
    return BatchMaker(crops, noise, recipe.data, recipe.seed, fabric.global_rank)


def _noise(recipe: Recipe, options: Options, speech: Crops) -> NoiseSource:
    """Put recorded noise, if there is some, beside what is made on the spot."""
    samples, rate, recorded = speech.samples, speech.sample_rate, None
    if recipe.data.noise:
        utterances = gather(recipe.data.noise, options.data_root)
        recorded = Crops(open_recordings(utterances, recipe.data, rate), samples, rate).draw
    return NoiseSource(samples, rate, recipe.data.synthetic_noise, speech.draw, recorded)


def _models(fabric: Fabric, recipe: Recipe, network: CodecNetwork) -> Models:
    network.to(fabric.device)
    first = next((stage for stage in recipe.stages if stage.quantize), recipe.stages[0])
    even = side_even_use(network, first, fabric.world_size)
    side = {
        name: Codebooks(quantizer, first.side_codebooks.at(even[name]), fabric.device)
        for name, quantizer in network.side_quantizers.items()
    }
    return Models(
        network,
        Codebooks(network.quantizer, first.codebooks, fabric.device),
        _discriminators_on(fabric, recipe, network.sample_rate),
        None if recipe.ema is None else WeightAverage(network, recipe.ema.decay),
        side,
    )


def _discriminators_on(fabric: Fabric, recipe: Recipe, sample_rate: int) -> nn.Module | None:
    torch.manual_seed(torch_seed(recipe.seed, 0, 0, 1, Purpose.NETWORK))
    discriminators = _discriminators(recipe, sample_rate)
    return None if discriminators is None else discriminators.to(fabric.device)


def _discriminators(recipe: Recipe, sample_rate: int) -> Discriminators | None:
    if recipe.discriminators is None:
        return None
    return build_discriminators(recipe.discriminators, sample_rate)
