"""Puts tensors into a network, or says which one does not fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ....errors import UserError

if TYPE_CHECKING:
    from torch import Tensor, nn

COUNTS = "entropy.counts"
"""Name of the tensor of code counts, int32 (codebooks, size): beside the network, none of its
state."""


def load_into(network: nn.Module, tensors: Mapping[str, Tensor], codec: str) -> None:
    """Load all tensors of a network; nothing is changed if one of them does not fit.

    Parameters
    ----------
    network : Module
    tensors : mapping of str to Tensor
        As `read_tensors` returns them: no more and no less than the network's state, but for
        `COUNTS`, which is passed over.
    codec : str
        Named in errors.

    Raises
    ------
    UserError
        See `check_fit`.
    """
    check_fit(network, tensors, codec)
    network.load_state_dict({name: tensor for name, tensor in tensors.items() if name != COUNTS})


def check_fit(network: nn.Module, tensors: Mapping[str, Tensor], codec: str) -> None:
    """Refuse tensors that are not a network's.

    Parameters
    ----------
    network : Module
        May be on the device ``meta``, where it takes no memory: a file may claim a network of any
        size.
    tensors, codec
        As of `load_into`.

    Raises
    ------
    UserError
        Names the first tensor that is missing, superfluous, misshapen or not finite.
    """
    wanted = network.state_dict()
    tensors = {name: tensor for name, tensor in tensors.items() if name != COUNTS}
    for name, state in wanted.items():
        fault = _fault(state, tensors.get(name))
        if fault:
            raise UserError(f"the weights do not fit {codec}: {name[:200]} {fault}")
    superfluous = next((name for name in tensors if name not in wanted), None)
    if superfluous is not None:
        raise UserError(f"the weights do not fit {codec}: its network has no {superfluous[:200]!a}")


def _fault(state: Tensor, tensor: Tensor | None) -> str | None:
    """Word what keeps a tensor from taking the place of a network's; None if nothing does."""
    import torch

    if tensor is None:
        return "is missing"
    if tensor.shape != state.shape:
        return f"has the shape {tuple(tensor.shape)}, needed is {tuple(state.shape)}"
    if tensor.is_floating_point() != state.is_floating_point():
        return f"has the type {tensor.dtype}, needed is {state.dtype}"
    if not torch.isfinite(tensor).all():
        return "holds values that are not finite"
    return None
