"""Companding: what is loud is compressed before the quantizer and expanded behind it.

A codebook that minimizes squared error spends its entries on loud frames and bands, while
listeners and perceptual metrics judge every level alike. The map scales each frame, or each band
of a frame, by a function of its own magnitude, so that it is undone exactly, frame by frame.
Bands are those of a transform such as the MDCT; quantization noise then follows the spectrum of
the moment.
"""

from __future__ import annotations

import abc

import pydantic
import torch
from torch import Tensor

from .streaming import Memoryless

_TINY = 1e-8


class CompandingConfig(pydantic.BaseModel):
    """How strongly magnitudes are compressed."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    exponent: float = pydantic.Field(0.4, ge=0.05, le=1)
    """Magnitudes far above the knee go with this power of the frame's own; 1: unchanged."""
    knee: float = pydantic.Field(0.005, ge=1e-6, le=1e3)
    """Root mean square over the channels of a frame or band below which the map is linear."""
    bands: int | None = pydantic.Field(None, ge=1, le=65_536)
    """None: frames of latents are companded, at the quantizer. A number: the channels behind the
    first convolution are, in this many groups, each by its own magnitude."""


class _Companding(Memoryless):
    def __init__(self, config: CompandingConfig) -> None:
        super().__init__()
        self.config = config

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, channels, frames), band by band."""
        batch, channels, frames = x.shape
        count = self.config.bands or 1
        bands = _precise(x).reshape(batch, count, channels // count, frames)
        power = bands.square().mean(2, keepdim=True)
        return (bands * self._gain(power)).flatten(1, 2)

    @abc.abstractmethod
    def _gain(self, power: Tensor) -> Tensor:
        """Return what frames or bands of this power are multiplied by."""


class Compressor(_Companding):
    """Compress the magnitude m of each frame or band to sqrt((1 + (m / knee)²) ** exponent - 1).

    Parameters
    ----------
    config : CompandingConfig
    """

    def _gain(self, power: Tensor) -> Tensor:
        power = power / self.config.knee**2 + _TINY
        compressed = torch.expm1(self.config.exponent * torch.log1p(power))
        return (compressed / power).sqrt() / self.config.knee


class Expander(_Companding):
    """Undo a `Compressor`.

    Parameters
    ----------
    config : CompandingConfig
    """

    def _gain(self, power: Tensor) -> Tensor:
        compressed = power + _TINY
        power = torch.expm1(torch.log1p(compressed) / self.config.exponent)
        return (power / compressed).sqrt() * self.config.knee


def _precise(x: Tensor) -> Tensor:
    """Leave autocast's short floats: powers of small numbers need 32 bits."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
