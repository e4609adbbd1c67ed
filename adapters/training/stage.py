"""What a stage of training changes: which parts learn, their optimizers and learning rates."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ...errors import UserError
from ..nn.discriminators import Discriminators
from ..nn.losses import LossesConfig, shortest_signal
from ..nn.network import CodecNetwork
from .recipe import StageConfig


def set_learning_parts(network: nn.Module, stage: StageConfig) -> None:
    """Let the stage's parts of the network learn and freeze the rest.

    Raises
    ------
    UserError
        If the network has no such part.
    """
    children = dict(network.named_children())
    for name in stage.train:
        if name not in children:
            known = ", ".join(children)
            raise UserError(f"stage {stage.name}: no part is called '{name}' (there are {known})")
    network.requires_grad_(not stage.train).train(not stage.train)
    for name in stage.train:  # after freezing all: parts may share layers
        children[name].requires_grad_(True).train(True)


def learns(stage: StageConfig, part: str) -> bool:
    """Tell whether a part of the network learns in a stage."""
    return not stage.train or part in stage.train


class Optimizers:
    """The optimizers of one stage.

    Parameters
    ----------
    stage : StageConfig
    network : nn.Module
        Its parameters that ask for gradients are taken.
    discriminators : nn.Module or None
        None in stages without them.

    Raises
    ------
    UserError
        If nothing learns.
    """

    def __init__(
        self, stage: StageConfig, network: nn.Module, discriminators: nn.Module | None
    ) -> None:
        self.stage = stage
        self.parameters = [p for p in network.parameters() if p.requires_grad]
        if not self.parameters:
            raise UserError(f"stage {stage.name}: nothing learns by gradient in {stage.train}")
        self.generator = _adam(self.parameters, stage, stage.learning_rate)
        self.discriminator_rate = stage.discriminator_learning_rate or stage.learning_rate
        self.discriminator_parameters = (
            [] if discriminators is None else list(discriminators.parameters())
        )
        self.discriminator = (
            _adam(self.discriminator_parameters, stage, self.discriminator_rate)
            if self.discriminator_parameters
            else None
        )

    def set_rates(self, step: int) -> float:
        """Set the learning rates of a step; return the generator's."""
        factor = self.stage.rate_factor(step)
        _set_rate(self.generator, self.stage.learning_rate * factor)
        if self.discriminator is not None:
            _set_rate(self.discriminator, self.discriminator_rate * factor)
        return self.stage.learning_rate * factor

    def state_dict(self) -> dict[str, Any]:
        """Return what `load_state_dict` takes."""
        other = None if self.discriminator is None else self.discriminator.state_dict()
        return {"generator": self.generator.state_dict(), "discriminator": other}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved state."""
        self.generator.load_state_dict(state["generator"])
        if self.discriminator is not None:
            self.discriminator.load_state_dict(state["discriminator"])


def _adam(parameters: Iterable[nn.Parameter], stage: StageConfig, rate: float) -> torch.optim.AdamW:
    return torch.optim.AdamW(
        parameters, lr=rate, betas=stage.betas, weight_decay=stage.weight_decay
    )


def _set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate


def draw_layers(stage: StageConfig, codebooks: int, generator: np.random.Generator) -> Tensor:
    """Draw how many residual layers each item of a batch uses, int64 (batch_size,).

    Parameters
    ----------
    stage : StageConfig
    codebooks : int
        Residual layers of the network.
    generator : numpy Generator
    """
    size = stage.batch_size
    if stage.layers == "all":
        depths = np.full(size, codebooks)
    elif stage.layers == "uniform":
        depths = generator.integers(1, codebooks + 1, size)
    elif stage.layers == "stratified":
        first = generator.integers(codebooks)
        depths = generator.permutation((first + np.arange(size)) % codebooks + 1)
    else:
        depths = generator.choice(stage.layers, size)
    return torch.from_numpy(np.asarray(depths, np.int64))


def check_dead_below(stage: StageConfig, network: CodecNetwork, crops: int, samples: int) -> None:
    """Refuse a threshold under which codes in even use would be replaced again and again.

    Parameters
    ----------
    stage : StageConfig
    network : CodecNetwork
    crops : int
        Of one step, over all processes.
    samples : int
        Of a crop.

    Raises
    ------
    UserError
    """
    if not stage.quantize or not learns(stage, "quantizer"):
        return
    even = crops * math.ceil(samples / network.hop_length) / network.quantizer.config.codebook_size
    if stage.codebooks.dead_below >= even:
        raise UserError(
            f"stage {stage.name}: codebooks.dead_below = {stage.codebooks.dead_below:g} would"
            f" replace codes in even use, which come {even:.3g} times a batch;"
            f" give a twentieth of that, {even / 20:.1g}"
        )


def check_crops(
    stage: StageConfig, losses: LossesConfig, judges: Discriminators | None, samples: int
) -> None:
    """Refuse crops that are too short for what judges them.

    Parameters
    ----------
    stage : StageConfig
    losses : LossesConfig
    judges : Discriminators or None
    samples : int
        Of a crop.

    Raises
    ------
    UserError
    """
    needs = {f"loss '{name}'": shortest_signal(name, losses) for name in stage.weights}
    if stage.is_adversarial and judges is not None:
        needs["discriminators"] = judges.shortest
    for name, shortest in needs.items():
        if samples < shortest:
            raise UserError(
                f"stage {stage.name}: {name} needs crops of at least {shortest} samples,"
                f" not {samples}; raise data.crop_seconds"
            )


def check_codebook_start(stage: StageConfig, network: CodecNetwork, samples: int) -> None:
    """Refuse too few frames to start codebooks from.

    Raises
    ------
    UserError
    """
    crops = stage.batch_size * stage.codebooks.kmeans_batches
    frames = crops * math.ceil(samples / network.hop_length)
    size = network.quantizer.config.codebook_size
    if frames < size:
        raise UserError(
            f"stage {stage.name}: {frames} frames cannot start codebooks of {size};"
            " raise codebooks.kmeans_batches"
        )


@torch.no_grad()
def side_even_use(network: CodecNetwork, stage: StageConfig, processes: int) -> dict[str, float]:
    """Return how often an evenly used code of side information comes in a batch, by quantizer."""
    if not network.side_quantizers:
        return {}
    # How many vectors there are does not depend on the speech.
    found = network.side_latents(torch.zeros(1, network.sample_rate, device=network.device))
    crops = processes * stage.batch_size
    return {
        name: crops * found[name].shape[-1] / quantizer.config.codebook_size
        for name, quantizer in network.side_quantizers.items()
    }


def check_side_codebooks(
    stage: StageConfig, network: CodecNetwork, brings: Callable[[str], bool]
) -> None:
    """Refuse too few vectors to start codebooks of side information from.

    Parameters
    ----------
    stage : StageConfig
    network : CodecNetwork
    brings : callable
        Tells whether the initial weights bring a part, whose codebooks are not started then.

    Raises
    ------
    UserError
    """
    batches = stage.side_codebooks.kmeans_batches
    for name, even in side_even_use(network, stage, 1).items():
        if batches * even < 1 and not brings(name):
            size = network.side_quantizers[name].config.codebook_size
            raise UserError(
                f"stage {stage.name}: {round(batches * even * size)} vectors cannot start codebooks"
                f" of {size} of the {name}; raise side_codebooks.kmeans_batches"
            )


def check_layers(stage: StageConfig, network: CodecNetwork) -> None:
    """Refuse depths that the network does not have.

    Raises
    ------
    UserError
    """
    codebooks = network.quantizer.config.codebooks
    if isinstance(stage.layers, tuple) and (not stage.layers or max(stage.layers) > codebooks):
        raise UserError(
            f"stage {stage.name}: layers must be a list of numbers from 1 to {codebooks}"
        )
