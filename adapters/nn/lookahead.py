"""How far a chain of convolutions looks ahead, found from its layers; nothing is run."""

from __future__ import annotations

import math

from torch import nn

from .conv import Conv1d, ConvTranspose1d
from .hifigan import MultiReceptiveField, ResidualBlock
from .streaming import Chain, Memoryless

_FAR = 1_000
"""Frames from the beginning at which a chain is looked at; any number behind its past."""


def lookahead_samples(encoder: nn.Module, decoder: nn.Module, hop: int, between: int = 0) -> float:
    """Return the latency of a network: 1 for one whose outputs depend on nothing later.

    Parameters
    ----------
    encoder, decoder : Chain
        May be on the device ``meta``.
    hop : int
        Samples a frame.
    between : int
        Frames that what lies between them looks ahead.

    Returns
    -------
    float
        Samples from an output sample to the last input sample that it depends on, both counted,
        where the output's delay is left in; infinite if a layer hears the whole signal.

    Raises
    ------
    TypeError
        If a layer is of a kind that is not known here.
    """
    first = _FAR * hop
    lasts = [
        last_input(encoder, last_input(decoder, place) + between) - place + 1
        for place in range(first, first + hop)
    ]
    return max(lasts)


def last_input(module: nn.Module, index: float) -> float:
    """Return the last place of a module's input that a place of its output depends on."""
    if isinstance(module, Chain):
        for layer in reversed(module.layers):
            index = last_input(layer, index)
        return index
    if isinstance(module, ResidualBlock):
        for branch in reversed(module.branches):
            index = max(index, last_input(branch, index))
        return index
    if isinstance(module, MultiReceptiveField):
        return max(last_input(block, index) for block in module.blocks)
    if isinstance(module, Conv1d):
        return index * module.stride + module.stride - 1 + module.future
    if isinstance(module, ConvTranspose1d):
        return index if math.isinf(index) else (index + module.early) // module.stride
    if isinstance(module, Memoryless):
        hears_all = any(isinstance(part, nn.GroupNorm) for part in module.modules())
        return math.inf if hears_all else index
    raise TypeError(f"how far {type(module).__name__} looks ahead is not known")
