"""Exponential moving average of a network's weights."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import nn


class WeightAverage:
    """A copy of a network that follows it slowly.

    The decay grows with the updates, as (1 + n) / (10 + n) up to `decay`, so that the start is
    soon forgotten.

    Parameters
    ----------
    network : nn.Module
    decay : float
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self.decay = decay
        self.updates = 0

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Move towards the network's weights and codebooks by one step."""
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        self.updates += 1
        for mine, its in self._pairs(network):
            if mine.is_floating_point():
                mine.lerp_(its, 1 - decay)
            else:
                mine.copy_(its)

    @torch.no_grad()
    def restart(self, network: nn.Module) -> None:
        """Take the network's weights as they are."""
        self.updates = 0
        for mine, its in self._pairs(network):
            mine.copy_(its)

    def _pairs(self, network: nn.Module) -> list[tuple[torch.Tensor, torch.Tensor]]:
        mine = [*self.network.parameters(), *self.network.buffers()]
        its = [*network.parameters(), *network.buffers()]
        return list(zip(mine, its, strict=True))

    def state_dict(self) -> dict[str, Any]:
        """Return what `load_state_dict` takes."""
        return {"network": self.network.state_dict(), "updates": self.updates}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved state."""
        self.network.load_state_dict(state["network"])
        self.updates = state["updates"]
