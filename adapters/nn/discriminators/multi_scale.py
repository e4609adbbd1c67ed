"""Waveform discriminators at several scales: MelGAN's, SoundStream's, HiFi-GAN's MSD."""

from __future__ import annotations

from typing import Literal, Self

import pydantic
from torch import Tensor, nn
from torch.nn import functional as F

from ..sizes import Channels, Samples
from .layers import Discriminator, Judge, spectral_norm, weight_norm
from .output import DiscriminatorOutput


class MultiScaleConfig(pydantic.BaseModel):
    """One network a scale; the defaults are MelGAN's, which SoundStream has taken over.

    HiFi-GAN's has ``channels=128, widths=[1, 1, 2, 4, 8, 8, 8],
    kernel_sizes=[15, 41, 41, 41, 41, 41, 5], strides=[1, 2, 2, 4, 4, 1, 1],
    groups=[1, 4, 16, 16, 16, 16, 1], slope=0.1, first_norm="spectral"``.
    """

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    scales: int = pydantic.Field(default=3, ge=1, le=16)
    """Each but the first hears the one before at half its rate."""
    channels: Channels = 16
    """Of the first layer."""
    widths: tuple[Channels, ...] = (1, 4, 16, 64, 64, 64)
    """Channels of each layer, in multiples of `channels`."""
    kernel_sizes: tuple[Samples, ...] = (15, 41, 41, 41, 41, 5)
    """Odd."""
    strides: tuple[Samples, ...] = (1, 4, 4, 4, 4, 1)
    groups: tuple[Channels, ...] = (1, 4, 16, 64, 256, 1)
    slope: float = pydantic.Field(default=0.2, ge=0, le=1)
    """Of the leaky ReLU."""
    first_norm: Literal["weight", "spectral"] = "weight"
    """Normalization of the network at the full rate; the others have weight norm."""

    @pydantic.model_validator(mode="after")
    def _layers_fit(self) -> Self:
        lists = {
            "widths": self.widths,
            "kernel_sizes": self.kernel_sizes,
            "strides": self.strides,
            "groups": self.groups,
        }
        if len({len(values) for values in lists.values()}) != 1:
            raise ValueError(f"{', '.join(lists)} must be lists of the same length")
        before = 1
        for width, groups in zip(self.widths, self.groups, strict=True):
            channels = width * self.channels
            if before % groups or channels % groups:
                raise ValueError(f"{groups} groups cannot share {before} to {channels} channels")
            before = channels
        return self


class MultiScaleDiscriminator(Discriminator):
    """The same network at the full rate, half of it, a quarter of it.

    Outputs have shape (batch, channels, time).

    Parameters
    ----------
    config : MultiScaleConfig

    References
    ----------
    MelGAN (arXiv 1910.06711), Section 2.2; SoundStream (arXiv 2107.03312), Section III-D;
    HiFi-GAN (arXiv 2010.05646), Section 2.3.
    """

    def __init__(self, config: MultiScaleConfig) -> None:
        super().__init__()
        first = _judge(config, spectral=config.first_norm == "spectral")
        others = [_judge(config, spectral=False) for _ in range(1, config.scales)]
        self.judges = nn.ModuleList([first, *others])
        self.shortest = 2**config.scales

    def forward(self, waves: Tensor) -> list[DiscriminatorOutput]:
        """Judge waveforms (batch, 1, samples), one output a scale."""
        outputs = [self.judges[0](waves)]
        for judge in self.judges[1:]:
            waves = F.avg_pool1d(waves, 4, stride=2, padding=1, count_include_pad=False)
            outputs.append(judge(waves))
        return outputs


def _judge(config: MultiScaleConfig, spectral: bool) -> Judge:
    norm = spectral_norm if spectral else weight_norm
    layers = []
    before = 1
    for width, kernel_size, stride, groups in zip(
        config.widths, config.kernel_sizes, config.strides, config.groups, strict=True
    ):
        after = width * config.channels
        conv = nn.Conv1d(
            before, after, kernel_size, stride, padding=kernel_size // 2, groups=groups
        )
        layers.append(norm(conv))
        before = after
    return Judge(layers, norm(nn.Conv1d(before, 1, 3, padding=1)), config.slope)
