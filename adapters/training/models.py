"""Everything that learns in a training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from ..nn.network import CodecNetwork
from .averaging import WeightAverage
from .codebooks import Codebooks


@dataclass(frozen=True)
class Models:
    """The network and what is trained beside it.

    Parameters
    ----------
    network : CodecNetwork
    codebooks : Codebooks
    discriminators : nn.Module or None
    average : WeightAverage or None
    side_codebooks : dict of str to Codebooks
        Of the network's `side_quantizers`.
    """

    network: CodecNetwork
    codebooks: Codebooks
    discriminators: nn.Module | None
    average: WeightAverage | None
    side_codebooks: dict[str, Codebooks] = field(default_factory=dict)

    @property
    def judged(self) -> CodecNetwork:
        """The network that is judged and handed over."""
        if self.average is None:
            return self.network
        assert isinstance(self.average.network, CodecNetwork)
        return self.average.network

    def state_dict(self) -> dict[str, Any]:
        """Return what `load_state_dict` takes."""
        return {name: part.state_dict() for name, part in self._parts().items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a saved state."""
        for name, part in self._parts().items():
            part.load_state_dict(state[name])

    def _parts(self) -> dict[str, Any]:
        parts = {
            "network": self.network,
            "codebooks": self.codebooks,
            "discriminators": self.discriminators,
            "average": self.average,
            **{f"side_codebooks/{name}": one for name, one in self.side_codebooks.items()},
        }
        return {name: part for name, part in parts.items() if part is not None}
