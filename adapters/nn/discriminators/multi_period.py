"""HiFi-GAN's multi-period discriminator (MPD)."""

from __future__ import annotations

import pydantic
from torch import Tensor, nn
from torch.nn import functional as F

from ..sizes import Channels, Samples
from .layers import Discriminator, Judge, weight_norm
from .output import DiscriminatorOutput

_WIDTHS = (1, 4, 16, 32, 32)
_STRIDES = (3, 3, 3, 3, 1)
_SLOPE = 0.1


class MultiPeriodConfig(pydantic.BaseModel):
    """One network a period; the defaults are HiFi-GAN's."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    periods: tuple[Samples, ...] = pydantic.Field(default=(2, 3, 5, 7, 11), min_length=1)
    """In samples."""
    channels: Channels = 32
    """Of the first layer; those after it have 4, 16, 32 and 32 times as many."""


class MultiPeriodDiscriminator(Discriminator):
    """Networks that see every p-th sample only, for several periods p.

    Outputs have shape (batch, channels, time, period).

    Parameters
    ----------
    config : MultiPeriodConfig

    References
    ----------
    HiFi-GAN (arXiv 2010.05646), Section 2.3.
    """

    def __init__(self, config: MultiPeriodConfig) -> None:
        super().__init__()
        self.periods = config.periods
        self.judges = nn.ModuleList([_judge(config.channels) for _ in config.periods])
        self.shortest = max(config.periods)

    def forward(self, waves: Tensor) -> list[DiscriminatorOutput]:
        """Judge waveforms (batch, 1, samples), one output a period."""
        pairs = zip(self.judges, self.periods, strict=True)
        return [judge(_fold(waves, period)) for judge, period in pairs]


def _fold(waves: Tensor, period: int) -> Tensor:
    """Turn (batch, 1, samples) into (batch, 1, samples / period, period), reflecting the end."""
    missing = -waves.shape[-1] % period
    whole = F.pad(waves, (0, missing), mode="reflect")
    return whole.reshape(len(waves), 1, -1, period)


def _judge(channels: int) -> Judge:
    layers = []
    before = 1
    for width, stride in zip(_WIDTHS, _STRIDES, strict=True):
        after = width * channels
        layers.append(weight_norm(nn.Conv2d(before, after, (5, 1), (stride, 1), padding=(2, 0))))
        before = after
    return Judge(layers, weight_norm(nn.Conv2d(before, 1, (3, 1), padding=(1, 0))), _SLOPE)
