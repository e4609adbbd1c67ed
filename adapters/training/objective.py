"""What one training step minimizes: the generator's terms and the discriminators' loss."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn

from ...errors import UserError
from ..nn.balancer import GradientBalancer
from ..nn.discriminators import DiscriminatorOutput
from ..nn.losses import (
    LossesConfig,
    ReconstructionLosses,
    discriminator_loss,
    feature_matching_loss,
    generator_loss,
)
from ..nn.network import Reconstruction
from ..nn.quantizer import Quantized
from .recipe import Recipe, StageConfig

Value = TypeVar("Value")

QUANTIZER_TERMS = ("commitment", "codebook")
ADVERSARIAL_TERMS = ("adversarial", "feature_matching")


def check_losses(recipe: Recipe, own: Collection[str]) -> None:
    """Refuse terms that nothing computes.

    Parameters
    ----------
    recipe : Recipe
    own : collection of str
        Terms that the network gives itself.

    Raises
    ------
    UserError
        Naming the known terms.
    """
    known = [*ReconstructionLosses.NAMES, *QUANTIZER_TERMS, *ADVERSARIAL_TERMS, *own]
    for stage in recipe.stages:
        for name in stage.losses:
            if name not in known:
                raise UserError(
                    f"stage {stage.name}: no loss is called '{name}' (there are {', '.join(known)})"
                )
        if stage.balance and not _at_output(stage.weights):
            raise UserError(f"stage {stage.name}: there is nothing to balance")
        idle = [name for name in QUANTIZER_TERMS if name in stage.weights]
        if idle and not stage.quantize:
            raise UserError(f"stage {stage.name}: loss {idle[0]} needs quantize = true")


class Objective(nn.Module):
    """The losses of a training.

    Parameters
    ----------
    config : LossesConfig
    sample_rate : int
        In Hz.
    """

    def __init__(self, config: LossesConfig, sample_rate: int) -> None:
        super().__init__()
        self.reconstruction = ReconstructionLosses(config, sample_rate)

    def terms(
        self,
        stage: StageConfig,
        result: Reconstruction,
        targets: Tensor,
        commitment_scale: float,
        judged: Judged | None,
    ) -> dict[str, Tensor]:
        """Compute the generator's terms that the stage weighs.

        Parameters
        ----------
        stage : StageConfig
        result : Reconstruction
        targets : Tensor, shape (batch, samples)
        commitment_scale : float
            What commitment and codebook loss are divided by.
        judged : Judged or None
            What the discriminators say; None in stages without them.
        """
        wanted = stage.weights
        spectral = [name for name in wanted if name in ReconstructionLosses.NAMES]
        found: dict[str, Tensor] = self.reconstruction(targets, result.waves, spectral)
        if result.quantized is not None:
            quantized = result.quantized
            found |= quantizer_terms(quantized, stage.codebooks.balanced, commitment_scale)
        if judged is not None:
            found["adversarial"] = generator_loss(judged.decoded, stage.adversarial_loss)
            found["feature_matching"] = feature_matching_loss(
                judged.real, judged.decoded, stage.relative_features
            )
        found |= {name: term() for name, term in result.losses.items() if name in wanted}
        missing = [name for name in wanted if name not in found]
        if missing:
            raise UserError(f"stage {stage.name}: the network gives no loss '{missing[0]}' here")
        return {name: found[name] for name in wanted}


def quantizer_terms(quantized: Quantized, balanced: bool, scale: float) -> dict[str, Tensor]:
    """Return commitment and codebook loss, means over the layers.

    Under plain quantizer dropout an item counts in the layers that it uses, so that deep layers
    learn little. Balanced, every codebook learns from every item, and the encoder is held by the
    items that use a layer, all layers in use alike.

    Parameters
    ----------
    quantized : Quantized
    balanced : bool
    scale : float
        What both are divided by.
    """
    used = quantized.used.float()
    if balanced:
        commitment = (quantized.commitment * used).sum(0) / used.sum(0).clamp(min=1)
        codebook = quantized.codebook_loss
    else:
        commitment, codebook = quantized.commitment * used, quantized.codebook_loss * used
    return {"commitment": commitment.mean() / scale, "codebook": codebook.mean() / scale}


@dataclass(frozen=True)
class Judged:
    """What discriminators make of a batch.

    Parameters
    ----------
    real : list of DiscriminatorOutput
        Of the targets.
    decoded : list of DiscriminatorOutput
        Of the decoded signals, with gradients to these.
    """

    real: list[DiscriminatorOutput]
    decoded: list[DiscriminatorOutput]


def judge(discriminators: nn.Module, targets: Tensor, decoded: Tensor) -> Judged:
    """Let discriminators, which get no gradient from it, judge a batch for the generator."""
    with torch.no_grad():
        real = discriminators(targets[:, None])
    discriminators.requires_grad_(False)
    judged = Judged(real, discriminators(decoded[:, None]))
    discriminators.requires_grad_(True)
    return judged


def discriminators_loss(
    discriminators: nn.Module, targets: Tensor, decoded: Tensor, stage: StageConfig
) -> Tensor:
    """Return what the discriminators minimize."""
    real = discriminators(targets[:, None])
    fake = discriminators(decoded.detach()[:, None])
    return discriminator_loss(real, fake, stage.adversarial_loss)


def balancer_of(stage: StageConfig) -> GradientBalancer | None:
    """Return the balancer of a stage's terms at the network's output; None without `balance`."""
    if not stage.balance:
        return None
    return GradientBalancer(_at_output(stage.weights))


def to_descend(
    terms: Mapping[str, Tensor],
    weights: Mapping[str, float],
    waves: Tensor,
    balancer: GradientBalancer | None,
) -> Tensor:
    """Return the scalar whose gradient is followed: the weighted sum, balanced or not."""
    if balancer is None:
        return weighted_sum(terms, weights)
    at_output = _at_output(terms)
    others = {name: term for name, term in terms.items() if name not in at_output}
    balanced = balancer.balanced(at_output, waves)
    return balanced + weighted_sum(others, weights) if others else balanced


def _at_output(values: Mapping[str, Value]) -> dict[str, Value]:
    """Keep what belongs to terms that reach the network through its output alone."""
    names = (*ReconstructionLosses.NAMES, *ADVERSARIAL_TERMS)
    return {name: value for name, value in values.items() if name in names}


def weighted_sum(terms: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    """Add up terms by weight."""
    return torch.stack([weights[name] * term.float() for name, term in terms.items()]).sum()
