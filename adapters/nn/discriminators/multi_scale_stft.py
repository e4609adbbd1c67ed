"""EnCodec's discriminators of complex spectra at several resolutions (MS-STFTD)."""

from __future__ import annotations

import pydantic
from torch import Tensor, nn

from ..sizes import Channels, Window
from ..spectrum import Resolution
from .layers import Judge, SpectralDiscriminator, real_and_imaginary, weight_norm

_DILATIONS = (1, 2, 4)
_SLOPE = 0.2


class MultiScaleStftConfig(pydantic.BaseModel):
    """One network a window; the defaults are EnCodec's."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    windows: tuple[Window, ...] = pydantic.Field(default=(2048, 1024, 512, 256, 128), min_length=1)
    """Samples; the hop is a quarter."""
    channels: Channels = 32
    """Of all layers."""


class MultiScaleStftDiscriminator(SpectralDiscriminator):
    """Convolutions dilated in time and strided in frequency, over real and imaginary parts.

    Outputs have shape (batch, channels, frames, lines).

    Parameters
    ----------
    config : MultiScaleStftConfig

    References
    ----------
    EnCodec (arXiv 2210.13438), Section 3.4.
    """

    def __init__(self, config: MultiScaleStftConfig) -> None:
        resolutions = [Resolution(size, size // 4, size) for size in config.windows]
        super().__init__(resolutions, [_judge(config.channels) for _ in resolutions])

    def view(self, spectrum: Tensor) -> Tensor:
        """Return real and imaginary parts in two channels."""
        return real_and_imaginary(spectrum)


def _judge(channels: int) -> Judge:
    layers = [weight_norm(nn.Conv2d(2, channels, (3, 8), padding=(1, 4)))]
    for dilation in _DILATIONS:
        conv = nn.Conv2d(
            channels, channels, (3, 8), (1, 2), padding=(dilation, 4), dilation=(dilation, 1)
        )
        layers.append(weight_norm(conv))
    return Judge(layers, weight_norm(nn.Conv2d(channels, 1, 3, padding=1)), _SLOPE)
