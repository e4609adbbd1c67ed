"""Companding of latents: loud frames are compressed before the quantizer and expanded behind it.

A codebook that minimizes squared error spends its entries on loud frames, while listeners and
perceptual metrics judge every level alike. The map scales each frame by a function of its own
magnitude, so that it is undone exactly, frame by frame.
"""

from __future__ import annotations

import pydantic
import torch
from torch import Tensor

from .streaming import Memoryless

_TINY = 1e-8


class CompandingConfig(pydantic.BaseModel):
    """How strongly magnitudes are compressed."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    exponent: float = pydantic.Field(0.4, gt=0, le=1)
    """Magnitudes far above the knee go with this power of the frame's own; 1: unchanged."""
    knee: float = pydantic.Field(0.005, gt=0)
    """Root mean square over the channels of a frame below which the map is linear."""


class _Companding(Memoryless):
    def __init__(self, config: CompandingConfig) -> None:
        super().__init__()
        self.config = config


class Compressor(_Companding):
    """Compress the magnitude m of each frame (batch, channels, frames) to
    sqrt((1 + (m / knee)²) ** exponent - 1).

    Parameters
    ----------
    config : CompandingConfig
    """

    def forward(self, x: Tensor) -> Tensor:
        """Compress."""
        x = _precise(x)
        power = x.square().mean(1, keepdim=True) / self.config.knee**2 + _TINY
        compressed = torch.expm1(self.config.exponent * torch.log1p(power))
        return x * (compressed / power).sqrt() / self.config.knee


class Expander(_Companding):
    """Undo a `Compressor`.

    Parameters
    ----------
    config : CompandingConfig
    """

    def forward(self, x: Tensor) -> Tensor:
        """Expand."""
        x = _precise(x)
        compressed = x.square().mean(1, keepdim=True) + _TINY
        power = torch.expm1(torch.log1p(compressed) / self.config.exponent)
        return x * (power / compressed).sqrt() * self.config.knee


def _precise(x: Tensor) -> Tensor:
    """Leave autocast's short floats: powers of small numbers need 32 bits."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
