"""Encoder and decoder in the manner of SEANet and SoundStream."""

from __future__ import annotations

import math
from typing import Literal

import pydantic
from torch import nn

from .blocks import activation, residual_units
from .conv import Conv1d, ConvTranspose1d
from .mdct import start_as_mdct
from .sizes import Channels, Samples
from .streaming import Chain, Pointwise, StreamingModule

_MOST_BLOCKS = 32
_LONGEST_HOP = 65_536
_LONGEST_REACH = 1 << 20


class SeanetConfig(pydantic.BaseModel):
    """Shape of an encoder and its mirrored decoder."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    strides: tuple[Samples, ...] = pydantic.Field(default=(2, 4, 5, 8), max_length=_MOST_BLOCKS)
    """Down-sampling of each block; the decoder takes them in reverse."""
    encoder_channels: tuple[Channels, ...] = (32, 64, 128, 256, 512)
    """After the first convolution and after each block."""
    decoder_channels: tuple[Channels, ...] = (32, 64, 128, 256, 512)
    """The same of the decoder, from the waveform's side."""
    latent_channels: Channels = 256
    """Channels of the latents between encoder and quantizer."""
    kernel_size: Samples = 7
    """Of the first convolution of the encoder and the last one of the decoder."""
    first_stride: Samples = 1
    """Stride of these two: above 1 they work on patches of the waveform."""
    residual_kernel_size: Samples = 7
    """Of the dilated convolutions."""
    dilations: tuple[Samples, ...] = pydantic.Field(default=(1, 3, 9), max_length=_MOST_BLOCKS)
    """Of the residual units of each block."""
    causal: bool = True
    """Whether nothing looks ahead."""
    zero_start: bool = False
    """Start residual units as the identity."""
    mdct_start: bool = False
    """Start the outer convolutions as an MDCT and its inverse (kernel = 2 x first stride)."""
    linear_path: bool | Literal["encoder_blocks"] = False
    """Keep activations to the residual units: the path from convolution to convolution is linear,
    so that a network can start as a transform coder and stay one while the units learn;
    ``encoder_blocks``: before the encoder's blocks only."""
    biases: Literal["all", "strided"] = "all"
    """Which convolutions have biases: all, or those that change the rate."""
    frame_end: Literal["last", "first"] = "last"
    """Sample of their stride with which frames of causal convolutions end; see `Conv1d`."""
    transposed_past: Literal["silence", "repeat"] = "silence"
    """What transposed convolutions take to lie before the first frame."""
    output_activation: Literal["none", "tanh"] = "none"
    """At the decoder's end."""

    @pydantic.model_validator(mode="after")
    def _check(self) -> SeanetConfig:
        blocks = len(self.strides)
        if {len(self.encoder_channels), len(self.decoder_channels)} != {blocks + 1}:
            raise ValueError(f"{blocks} strides need {blocks + 1} encoder and decoder channels")
        if self.hop_length > _LONGEST_HOP:
            raise ValueError(f"strides make a hop of {self.hop_length}; at most {_LONGEST_HOP}")
        reach = (self.residual_kernel_size - 1) * max(self.dilations, default=1)
        if reach > _LONGEST_REACH:
            raise ValueError(f"residual kernels reach over {reach} samples, above {_LONGEST_REACH}")
        if self.kernel_size < self.first_stride:
            raise ValueError(
                f"a kernel_size of {self.kernel_size} does not cover a first_stride of"
                f" {self.first_stride}"
            )
        if self.mdct_start and self.kernel_size != 2 * self.first_stride:
            raise ValueError("mdct_start needs kernel_size = 2 * first_stride")
        if self.mdct_start and self.first_stride > min(
            self.encoder_channels[0], self.decoder_channels[0]
        ):
            raise ValueError("mdct_start needs at least first_stride channels")
        if not self.causal and (self.transposed_past == "repeat" or self.frame_end == "first"):
            raise ValueError("transposed_past = repeat and frame_end = first need causal = true")
        return self

    @property
    def hop_length(self) -> int:
        """Samples a frame."""
        return self.first_stride * math.prod(self.strides)

    @property
    def delay_samples(self) -> int:
        """By how much the decoder's output lags: the overlap of the MDCT, else nothing."""
        return self.first_stride if self.mdct_start else 0

    @property
    def latency_samples(self) -> int:
        """Samples from the last one that an output sample depends on to itself, both counted."""
        return self.delay_samples + (self.hop_length if self.frame_end == "last" else 1)


class SeanetEncoder(Chain):
    """Waveform (batch, 1, samples) to latents (batch, latent_channels, frames).

    Parameters
    ----------
    config : SeanetConfig
    """

    def __init__(self, config: SeanetConfig) -> None:
        channels = config.encoder_channels
        first = Conv1d(
            1,
            channels[0],
            config.kernel_size,
            config.first_stride,
            bias=_bias(config, config.first_stride),
            causal=config.causal,
            frame_end=config.frame_end,
        )
        if config.mdct_start:
            start_as_mdct(first.conv.weight, config.first_stride)
        layers: list[StreamingModule] = [first]
        for before, after, stride in zip(channels, channels[1:], config.strides, strict=False):
            layers += [
                *_units(before, config),
                *_between(config.linear_path is not False),
                Conv1d(
                    before,
                    after,
                    2 * stride,
                    stride,
                    causal=config.causal,
                    frame_end=config.frame_end,
                ),
            ]
        layers += [
            *_between(config.linear_path is True),
            Conv1d(
                channels[-1],
                config.latent_channels,
                3,
                bias=_bias(config),
                causal=config.causal,
            ),
        ]
        super().__init__(layers)


class SeanetDecoder(Chain):
    """Latents (batch, latent_channels, frames) to waveform (batch, 1, samples).

    Parameters
    ----------
    config : SeanetConfig
    """

    def __init__(self, config: SeanetConfig) -> None:
        channels = config.decoder_channels[::-1]
        layers: list[StreamingModule] = [
            Conv1d(config.latent_channels, channels[0], 7, bias=_bias(config), causal=config.causal)
        ]
        for before, after, stride in zip(
            channels, channels[1:], config.strides[::-1], strict=False
        ):
            layers += [
                *_between(config.linear_path is True),
                ConvTranspose1d(
                    before,
                    after,
                    2 * stride,
                    stride,
                    causal=config.causal,
                    past=config.transposed_past,
                ),
                *_units(after, config),
            ]
        layers += _between(config.linear_path is True or config.mdct_start)
        layers.append(_last(channels[-1], config))
        if config.output_activation == "tanh":
            layers.append(Pointwise(nn.Tanh()))
        super().__init__(layers)


def _units(channels: int, config: SeanetConfig) -> list[StreamingModule]:
    return residual_units(
        channels,
        config.residual_kernel_size,
        config.dilations,
        config.causal,
        config.zero_start,
        _bias(config),
    )


def _bias(config: SeanetConfig, stride: int = 1) -> bool:
    return config.biases == "all" or stride > 1


def _between(linear: bool) -> list[StreamingModule]:
    """Return what stands between two convolutions of the main path."""
    return [] if linear else [activation()]


def _last(channels: int, config: SeanetConfig) -> StreamingModule:
    if config.first_stride == 1:
        bias = _bias(config)
        return Conv1d(channels, 1, config.kernel_size, bias=bias, causal=config.causal)
    last = ConvTranspose1d(
        channels, 1, config.kernel_size, config.first_stride, causal=config.causal
    )
    if config.mdct_start:
        start_as_mdct(last.conv.weight, config.first_stride)
    return last
