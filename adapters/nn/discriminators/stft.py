"""SoundStream's discriminator of complex short-time spectra."""

from __future__ import annotations

import pydantic
from torch import Tensor, nn
from torch.nn import functional as F

from ..sizes import Channels, Samples
from ..spectrum import Resolution
from .layers import Discriminator, Judge, Spectrum, real_and_imaginary, weight_norm
from .output import DiscriminatorOutput

_STRIDES = ((1, 2), (2, 2), (1, 2), (2, 2), (1, 2), (2, 2))
"""Of each block, over frames and lines."""
_WIDTHS = (1, 2, 4, 4, 8, 8)
"""Channels of each block's output, in multiples of the first layer's; not in the paper's text, so
those of public implementations."""
_SHRINKAGE = 2 ** len(_STRIDES)
_SLOPE = 0.2


class StftConfig(pydantic.BaseModel):
    """The defaults are SoundStream's."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    window: int = pydantic.Field(
        default=1024, ge=2 * _SHRINKAGE, le=65_536, multiple_of=2 * _SHRINKAGE
    )
    """Samples."""
    hop: Samples = 256
    """Samples."""
    channels: Channels = 32
    """Of the first layer."""


class StftDiscriminator(Discriminator):
    """Residual blocks over the real and the imaginary part of a spectrum.

    The line at half the sampling rate is left out, so that a power of two is left (512 lines at
    the default window) and the last layer covers all frequencies. The logits have shape
    (batch, 1, time, 1).

    Parameters
    ----------
    config : StftConfig

    References
    ----------
    SoundStream (arXiv 2107.03312), Section III-D.
    """

    def __init__(self, config: StftConfig) -> None:
        super().__init__()
        resolution = Resolution(config.window, config.hop, config.window)
        self.spectrum = Spectrum(resolution)
        first = weight_norm(nn.Conv2d(2, config.channels, 7, padding=3))
        layers: list[nn.Module] = [first]
        before = config.channels
        for width, stride in zip(_WIDTHS, _STRIDES, strict=True):
            layers.append(_ResidualBlock(before, width * config.channels, stride))
            before = width * config.channels
        lines = config.window // 2 // _SHRINKAGE
        self.judge = Judge(layers, weight_norm(nn.Conv2d(before, 1, (1, lines))), _SLOPE)
        frames = 2 ** sum(over_time == 2 for over_time, _ in _STRIDES)
        self.shortest = max(resolution.shortest, (frames - 1) * config.hop)

    def forward(self, waves: Tensor) -> list[DiscriminatorOutput]:
        """Judge waveforms (batch, 1, samples), one output."""
        return [self.judge(real_and_imaginary(self.spectrum(waves)[..., :-1]))]


class _ResidualBlock(nn.Module):
    """A 3 x 3 convolution, and one of kernel stride + 2 that shrinks by the stride."""

    def __init__(self, before: int, after: int, stride: tuple[int, int]) -> None:
        super().__init__()
        kernel_size = (stride[0] + 2, stride[1] + 2)
        self.stride = stride
        self.inner = weight_norm(nn.Conv2d(before, before, 3, padding=1))
        self.outer = weight_norm(nn.Conv2d(before, after, kernel_size, stride, padding=1))
        self.shortcut = weight_norm(nn.Conv2d(before, after, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Return the sum of both ways."""
        changed: Tensor = self.outer(F.leaky_relu(self.inner(x), _SLOPE))
        # Averaging needs whole groups of frames; the convolutions drop the rest too.
        kept: Tensor = self.shortcut(F.avg_pool2d(x, self.stride))
        return changed + kept
