"""UnivNet's multi-resolution discriminator of magnitude spectra (MRD)."""

from __future__ import annotations

import pydantic
from torch import Tensor, nn

from ..sizes import Channels, Samples, Window
from ..spectrum import Resolution
from .layers import Judge, SpectralDiscriminator, weight_norm

_STRIDES = (1, 2, 2, 2)
_SLOPE = 0.2
_FLOOR = 1e-4


class MultiResolutionConfig(pydantic.BaseModel):
    """One network a resolution; the defaults are UnivNet's."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    resolutions: tuple[tuple[Window, Samples, Window], ...] = pydantic.Field(
        default=((1024, 120, 600), (2048, 240, 1200), (512, 50, 240)), min_length=1
    )
    """Samples of Fourier transform, hop and window."""
    channels: Channels = 32
    """Of all layers."""

    @pydantic.field_validator("resolutions")
    @classmethod
    def _windows_fit(cls, value: tuple[tuple[int, int, int], ...]) -> tuple[tuple[int, ...], ...]:
        if any(window > fft for fft, _, window in value):
            raise ValueError("windows must not be longer than their Fourier transforms")
        return value


class MultiResolutionDiscriminator(SpectralDiscriminator):
    """Convolutions strided in frequency over magnitudes.

    Outputs have shape (batch, channels, frames, lines).

    Parameters
    ----------
    config : MultiResolutionConfig

    References
    ----------
    UnivNet (arXiv 2106.07889), Section 2.
    """

    def __init__(self, config: MultiResolutionConfig) -> None:
        resolutions = [Resolution(*numbers) for numbers in config.resolutions]
        super().__init__(resolutions, [_judge(config.channels) for _ in resolutions])

    def view(self, spectrum: Tensor) -> Tensor:
        """Return magnitudes in one channel."""
        return _magnitude(spectrum)[:, None]


def _magnitude(spectrum: Tensor) -> Tensor:
    """Return magnitudes whose gradient is finite at silence."""
    return (spectrum.real.square() + spectrum.imag.square() + _FLOOR**2).sqrt()


def _judge(channels: int) -> Judge:
    layers = []
    before = 1
    for stride in _STRIDES:
        layers.append(weight_norm(nn.Conv2d(before, channels, (3, 9), (1, stride), padding=(1, 4))))
        before = channels
    layers.append(weight_norm(nn.Conv2d(channels, channels, 3, padding=1)))
    return Judge(layers, weight_norm(nn.Conv2d(channels, 1, 3, padding=1)), _SLOPE)
