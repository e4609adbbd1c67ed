"""What a network needs to run chunk by chunk with the same result as in one piece.

A streaming module offers three things: `forward` over a whole signal, `initial_state` for an
empty past, and `step`, which takes one chunk and the state left by the chunk before.
"""

from __future__ import annotations

import abc
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

State = Any
"""What a module remembers between chunks: a tensor, a list of states, or None."""


class StreamingModule(nn.Module, abc.ABC):
    """A causal map over time, shape (batch, channels, time), that can run chunk by chunk."""

    @abc.abstractmethod
    def initial_state(self, batch: int, device: torch.device | str = "cpu") -> State:
        """Return the state before the first sample: a past of silence.

        Raises
        ------
        TypeError
            If the module looks ahead and cannot stream.
        """

    @abc.abstractmethod
    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Process one chunk.

        Parameters
        ----------
        x : Tensor, shape (batch, channels, time)
            As long as a multiple of the module's stride.
        state : State
            From `initial_state` or from the step before; not modified.

        Returns
        -------
        y : Tensor, shape (batch, channels, time)
        state : State
        """


class Memoryless(StreamingModule):
    """A map whose output at a time depends on its input at that time alone."""

    def initial_state(self, batch: int, device: torch.device | str = "cpu") -> State:
        """Return None: there is nothing to remember."""
        return None

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Map one chunk."""
        return self(x), None


class Pointwise(Memoryless):
    """A plain module without memory of time, such as an activation.

    Parameters
    ----------
    module : nn.Module
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: Tensor) -> Tensor:
        """Apply the module."""
        y: Tensor = self.module(x)
        return y


class Chain(StreamingModule):
    """Streaming modules one after another.

    Parameters
    ----------
    modules : iterable of StreamingModule
    """

    def __init__(self, modules: Iterable[StreamingModule]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(modules)

    def forward(self, x: Tensor) -> Tensor:
        """Apply all modules in order."""
        for layer in self.layers:
            x = layer(x)
        return x

    def initial_state(self, batch: int, device: torch.device | str = "cpu") -> State:
        """Return one state a module."""
        return [_streaming(layer).initial_state(batch, device) for layer in self.layers]

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Pass one chunk through all modules."""
        states = []
        for layer, before in zip(self.layers, state, strict=True):
            x, after = _streaming(layer).step(x, before)
            states.append(after)
        return x, states


def _streaming(module: nn.Module) -> StreamingModule:
    assert isinstance(module, StreamingModule)
    return module
