"""The backbone of PSCodec, after HiFi-Codec: a convolutional encoder and HiFi-GAN's generator."""

from __future__ import annotations

import math
from typing import Literal

import pydantic
from torch import Tensor, nn

from ..nn.conv import Conv1d
from ..nn.hifigan import (
    Dilations,
    HifiganConfig,
    MultiReceptiveField,
    ResidualBlock,
)
from ..nn.mdct import start_as_mdct
from ..nn.sizes import Channels, Samples
from ..nn.streaming import Chain, Pointwise, StreamingModule

_CHANNELS_A_GROUP = 16
_NORM_EPSILON = 1e-6


class BackboneConfig(pydantic.BaseModel):
    """Shape of the encoder and of the generator that decodes; nothing in them is causal."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    strides: tuple[Samples, ...] = pydantic.Field(default=(2, 4, 5, 8), min_length=1, max_length=16)
    """Down-sampling of each stage of the encoder; the decoder takes them in reverse."""
    stride_kernels: tuple[Samples, ...] | None = (4, 8, 11, 16)
    """Kernel sizes of these; twice the strides if null."""
    encoder_channels: tuple[Channels, ...] = (32, 64, 128, 256, 512)
    """After the first convolution and after each stage."""
    decoder_channels: tuple[Channels, ...] = (32, 64, 128, 256, 512)
    """The same of the decoder, from the waveform's side."""
    latent_channels: Channels = 512
    kernel_size: Samples = 7
    """Of the first convolution of encoder and decoder and the decoder's last one; those that
    `first_stride` turns into transforms of whole frames have kernels of their own."""
    first_stride: Samples = 1
    """Above 1, the convolutions at the waveform work on whole frames of this length, with kernels
    twice as long; their overlap delays the output by one frame."""
    mdct_start: bool = False
    """Start these as an MDCT and its inverse."""
    kernel_sizes: tuple[Samples, ...] = pydantic.Field(
        default=(3, 7, 11), min_length=1, max_length=16
    )
    """Of the residual blocks behind each strided convolution."""
    dilations: tuple[Dilations, ...] = pydantic.Field(
        default=((1, 3, 5), (1, 3, 5), (1, 3, 5)), max_length=16
    )
    """Of the convolutions of each residual block."""
    groups: int = pydantic.Field(default=1, ge=1, le=64)
    """Groups of these convolutions."""
    norm: Literal["group", "none"] = "group"
    """Of the running sum of the encoder's residual blocks: after each of them, groups of 16
    channels are normalized over the whole signal; or their mean is taken as it is."""
    activation: Literal["leaky_relu", "elu"] = "leaky_relu"
    zero_start: bool = False
    """Start residual blocks as the identity."""
    linear_path: bool = False
    """Keep activations to the residual blocks, so that a network can start as a transform coder."""
    output_activation: Literal["none", "tanh"] = "tanh"
    """At the decoder's end."""

    @pydantic.model_validator(mode="after")
    def _check(self) -> BackboneConfig:
        stages = len(self.strides)
        if {len(self.encoder_channels), len(self.decoder_channels)} != {stages + 1}:
            raise ValueError(f"{stages} strides need {stages + 1} encoder and decoder channels")
        if any(kernel < stride for kernel, stride in zip(self.kernels, self.strides, strict=True)):
            raise ValueError("stride_kernels must not be below their strides")
        uneven = [count for count in self.encoder_channels[1:] if count % _CHANNELS_A_GROUP]
        if self.norm == "group" and uneven:
            raise ValueError(f"norm = group: {uneven[0]} channels are not in groups of 16")
        if self.groups > 1 and len(self.kernel_sizes) == 1:
            raise ValueError("groups above 1 need two kernel_sizes or more")
        split = [count for count in self.encoder_channels[1:] if count % self.groups]
        if split:
            raise ValueError(f"{split[0]} channels cannot be split in {self.groups} groups")
        if self.mdct_start and not 1 < self.first_stride <= self.encoder_channels[0]:
            raise ValueError(
                "mdct_start needs a first_stride above 1 and at least as many channels"
            )
        return self

    @property
    def kernels(self) -> tuple[int, ...]:
        """Kernel sizes of the encoder's strided convolutions."""
        return self.generator.transposed_kernels[::-1]

    @property
    def hop_length(self) -> int:
        """Samples a frame."""
        return self.first_stride * math.prod(self.strides)

    @property
    def delay_samples(self) -> int:
        """By how much the decoder's output lags: the overlap of whole frames, else nothing."""
        return self.first_stride if self.first_stride > 1 else 0

    @property
    def generator(self) -> HifiganConfig:
        """Shape of the decoder."""
        return HifiganConfig(
            channels=self.decoder_channels[-1],
            stage_channels=self.decoder_channels[-2::-1],
            strides=self.strides[::-1],
            stride_kernels=None if self.stride_kernels is None else self.stride_kernels[::-1],
            kernel_size=self.kernel_size,
            last_stride=self.first_stride,
            kernel_sizes=self.kernel_sizes,
            dilations=self.dilations,
            groups=self.groups,
            activation=self.activation,
            linear_path=self.linear_path,
            causal=False,
            transposed_past="silence",
            zero_start=self.zero_start,
            mdct_start=self.mdct_start,
            scaled_input=False,
            output_activation=self.output_activation,
        )


class BackboneEncoder(Chain):
    """Waveform (batch, 1, samples) to latents (batch, latent_channels, frames).

    Parameters
    ----------
    config : BackboneConfig

    References
    ----------
    HiFi-Codec (arXiv 2305.02765), Section 3.2; shapes of its published code.
    """

    def __init__(self, config: BackboneConfig) -> None:
        channels = config.encoder_channels
        layers: list[StreamingModule] = [_first(channels[0], config)]
        for before, after, stride, kernel in zip(
            channels, channels[1:], config.strides, config.kernels, strict=False
        ):
            layers += [
                *_between(config),
                Conv1d(before, after, kernel, stride, causal=False),
                _fusion(after, config),
            ]
        layers += [
            *_between(config),
            Conv1d(channels[-1], config.latent_channels, 3, causal=False),
        ]
        super().__init__(layers)


class NormalizedSum(nn.Module):
    """Running sum of residual blocks, normalized after each, over their number.

    Parameters
    ----------
    blocks : list of ResidualBlock
    channels : int
    """

    def __init__(self, blocks: list[ResidualBlock], channels: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.norms = nn.ModuleList(
            nn.GroupNorm(channels // _CHANNELS_A_GROUP, channels, _NORM_EPSILON) for _ in blocks
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return a tensor of the shape of `x`, (batch, channels, time)."""
        total = None
        for block, norm in zip(self.blocks, self.norms, strict=True):
            total = norm(block(x) if total is None else total + block(x))
        assert total is not None
        mean: Tensor = total / len(self.blocks)
        return mean


def _first(channels: int, config: BackboneConfig) -> Conv1d:
    if config.first_stride == 1:
        return Conv1d(1, channels, config.kernel_size, causal=False)
    stride = config.first_stride
    first = Conv1d(1, channels, 2 * stride, stride)
    if config.mdct_start:
        start_as_mdct(first.conv.weight, stride)
    return first


def _fusion(channels: int, config: BackboneConfig) -> StreamingModule:
    """Return what stands behind a strided convolution of the encoder, large kernels first."""
    pairs = list(zip(config.kernel_sizes, config.dilations, strict=True))[::-1]
    blocks = [
        ResidualBlock(channels, size, dilations, config.generator) for size, dilations in pairs
    ]
    if config.norm == "none":
        return MultiReceptiveField(blocks)
    return Pointwise(NormalizedSum(blocks, channels))


def _between(config: BackboneConfig) -> list[StreamingModule]:
    """Return what stands before a convolution of the main path."""
    if config.linear_path:
        return []
    return [Pointwise(nn.ELU() if config.activation == "elu" else nn.LeakyReLU(0.1))]
