"""A vocoder that starts as a symmetric decoder and goes on learning with longer kernels.

HiFi-GAN's residual blocks hold SEANet's residual units as a special case: the same activations, and
kernels that are zero beyond the unit's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ...errors import UserError
from ..nn.blocks import ResidualUnit
from ..nn.conv import Conv1d, ConvTranspose1d
from ..nn.hifigan import MultiReceptiveField
from ..nn.network import SeanetNetwork
from ..nn.streaming import Chain
from ..nn.weights import load_into

Convolution = Conv1d | ConvTranspose1d
_PROBE_FRAMES = 32
_LARGEST_ERROR = 1e-4
"""In standard deviations of the decoder's output."""


@torch.no_grad()
def grow(network: SeanetNetwork, tensors: Mapping[str, Tensor]) -> None:
    """Write a symmetric decoder into a network's vocoder.

    Parameters
    ----------
    network : AudioDecNetwork
        With a vocoder.
    tensors : mapping of str to Tensor
        State of a network of the same configuration without a vocoder.

    Raises
    ------
    UserError
        If the vocoder cannot give what the decoder gives.
    """
    shape: Any = network.config
    small = type(network)(shape.model_copy(update={"vocoder": None})).to(network.device)
    load_into(small, tensors, "audiodec")
    try:
        for (conv, units), (other, fusions) in zip(
            _segments(small.decoder), _segments(network.decoder), strict=True
        ):
            _copy(conv, other)
            for fusion in fusions:
                _copy_units(units, fusion)
    except (ValueError, RuntimeError) as error:
        raise UserError(_unlike("another form")) from error
    _check(small, network, shape.latent_channels)


def _segments(decoder: Any) -> list[tuple[Convolution, list[nn.Module]]]:
    """Return the convolutions of the main path, each with the residual modules behind it."""
    found: list[tuple[Convolution, list[nn.Module]]] = []
    for layer in decoder.layers:
        if isinstance(layer, Convolution):
            found.append((layer, []))
        elif isinstance(layer, ResidualUnit | MultiReceptiveField):
            found[-1][1].append(layer)
    return found


def _copy_units(units: list[nn.Module], fusion: Any) -> None:
    """Let every block of a fusion, and so their mean, be the units one after another."""
    for block in fusion.blocks:
        for unit, branch in zip(units, block.branches, strict=True):
            pairs = zip(_convolutions(unit), _convolutions(branch), strict=True)
            for conv, other in pairs:
                _copy(conv, other)


def _convolutions(module: Any) -> list[Convolution]:
    chain: Chain = getattr(module, "branch", module)
    return [layer for layer in chain.layers if isinstance(layer, Convolution)]


def _copy(small: Convolution, large: Convolution) -> None:
    """Copy a kernel to the end of a longer one, which hears the present there."""
    weight = large.conv.weight
    nn.init.zeros_(weight)
    weight[..., weight.shape[-1] - small.conv.weight.shape[-1] :] = small.conv.weight
    if large.conv.bias is not None:
        nn.init.zeros_(large.conv.bias)
        if small.conv.bias is not None:
            large.conv.bias.copy_(small.conv.bias)


def _check(small: SeanetNetwork, large: SeanetNetwork, channels: int) -> None:
    """Refuse a vocoder that gives something else."""
    generator = torch.Generator().manual_seed(0)
    latents = torch.randn(1, channels, _PROBE_FRAMES, generator=generator).to(small.device)
    wanted, found = small.decode(latents), large.decode(latents)
    if (found - wanted).abs().max() > _LARGEST_ERROR * wanted.std():
        raise UserError(_unlike("other activations, dilations or paddings"))


def _unlike(what: str) -> str:
    return (
        f"start = symmetric_decoder: the vocoder has {what} than the decoder of the initial"
        " weights, so that it cannot start as that"
    )
