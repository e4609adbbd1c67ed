"""HiFi-GAN's generator, causal or centred: features of frames to a waveform."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import pydantic
import torch
from torch import Tensor, nn

from .conv import Conv1d, ConvTranspose1d
from .mdct import start_as_mdct
from .sizes import Channels, Samples
from .streaming import Chain, Memoryless, Pointwise, State, StreamingModule

Dilations = Annotated[tuple[Samples, ...], pydantic.Field(min_length=1, max_length=16)]


class HifiganConfig(pydantic.BaseModel):
    """Shape of a HiFi-GAN generator."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    channels: Channels = 512
    """Behind the first convolution."""
    stage_channels: tuple[Channels, ...] | None = None
    """Behind each up-sampling; half as many as before it if not given."""
    strides: tuple[Samples, ...] = pydantic.Field(default=(5, 5, 4, 3), min_length=1, max_length=16)
    """Of the transposed convolutions."""
    stride_kernels: tuple[Samples, ...] | None = None
    """Kernel sizes of these; twice the strides if not given."""
    kernel_size: Samples = 7
    """Of the first and the last convolution."""
    last_stride: Samples = 1
    """Above 1, the last convolution is a transposed one, whose kernel is twice as long: each frame
    becomes a patch of the waveform."""
    kernel_sizes: tuple[Samples, ...] = pydantic.Field(default=(11,), min_length=1, max_length=16)
    """Of the residual blocks behind each up-sampling."""
    dilations: tuple[Dilations, ...] = pydantic.Field(default=((1, 3, 5),), max_length=16)
    """Of the convolutions of each residual block."""
    groups: int = pydantic.Field(default=1, ge=1, le=64)
    """Groups of the residual convolutions. Above 1 with a single kernel size, each group works on
    a copy of all channels and a last convolution brings them together."""
    undilated: bool = True
    """Whether each dilated convolution is followed by one without dilation."""
    bias: bool = True
    """Of the residual convolutions."""
    transposed_past: Literal["silence", "repeat"] = "repeat"
    """What the up-samplings take to lie before the first frame."""
    activation: Literal["leaky_relu", "elu"] = "leaky_relu"
    negative_slope: float = pydantic.Field(default=0.1, ge=0, le=1)
    """Of the leaky rectifiers, but for the last one, whose slope is 0.01."""
    linear_path: bool = False
    """Keep activations to the residual blocks: a path through all convolutions is linear."""
    causal: bool = True
    """Whether nothing looks ahead; the last convolution with a `last_stride` is causal always, and
    its output lags by that stride."""
    zero_start: bool = False
    """Start residual blocks as the identity."""
    mdct_start: bool = False
    """Start the last convolution as an inverse MDCT of size `last_stride`."""
    scaled_input: bool = True
    """Whether the first layer is an `InputScale`."""
    output_activation: Literal["none", "tanh"] = "tanh"
    """At the end."""

    @pydantic.model_validator(mode="after")
    def _check(self) -> HifiganConfig:
        if len(self.kernel_sizes) != len(self.dilations):
            raise ValueError(
                f"{len(self.kernel_sizes)} kernel sizes need as many lists of dilations"
            )
        if self.stage_channels is None and self.channels % 2 ** len(self.strides):
            raise ValueError(f"{self.channels} channels cannot be halved {len(self.strides)} times")
        if len(self.widths) != len(self.strides):
            raise ValueError(f"{len(self.strides)} strides need as many stage_channels")
        if len(self.transposed_kernels) != len(self.strides):
            raise ValueError(f"{len(self.strides)} strides need as many stride_kernels")
        if not self.causal and self.transposed_past == "repeat":
            raise ValueError("causal = false needs transposed_past = silence")
        if self.mdct_start and not 1 < self.last_stride <= self.widths[-1]:
            raise ValueError("mdct_start needs a last_stride above 1 and at least as many channels")
        uneven = [width for width in self.widths if width % self.groups and not self.copies]
        if uneven:
            raise ValueError(f"{uneven[0]} channels cannot be split in {self.groups} groups")
        return self

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels behind each up-sampling."""
        if self.stage_channels is not None:
            return self.stage_channels
        return tuple(self.channels >> count for count in range(1, len(self.strides) + 1))

    @property
    def transposed_kernels(self) -> tuple[int, ...]:
        """Kernel sizes of the up-samplings."""
        if self.stride_kernels is not None:
            return self.stride_kernels
        return tuple(2 * stride for stride in self.strides)

    @property
    def copies(self) -> bool:
        """Whether each group works on a copy of all channels."""
        return self.groups > 1 and len(self.kernel_sizes) == 1

    @property
    def hop_length(self) -> int:
        """Samples a frame."""
        return self.last_stride * math.prod(self.strides)


class HifiganGenerator(Chain):
    """Features (batch, in_channels, frames) to a waveform (batch, 1, samples).

    Parameters
    ----------
    in_channels : int
    config : HifiganConfig

    References
    ----------
    HiFi-GAN (arXiv 2010.05646), Section 2.2; causal and with groups: AudioDec (arXiv 2305.16608).
    """

    def __init__(self, in_channels: int, config: HifiganConfig) -> None:
        channels = config.channels
        layers: list[StreamingModule] = [
            *([InputScale(in_channels)] if config.scaled_input else []),
            Conv1d(in_channels, channels, config.kernel_size, causal=config.causal),
        ]
        for stride, kernel, width in zip(
            config.strides, config.transposed_kernels, config.widths, strict=True
        ):
            layers += [
                *_between(config, config.negative_slope),
                ConvTranspose1d(
                    channels,
                    width,
                    kernel,
                    stride,
                    causal=config.causal,
                    past=config.transposed_past,
                ),
                _fusion(width, config),
            ]
            channels = width
        layers += [*_between(config, 0.01), _last(channels, config)]
        if config.output_activation == "tanh":
            layers.append(Pointwise(nn.Tanh()))
        super().__init__(layers)


def _last(channels: int, config: HifiganConfig) -> StreamingModule:
    """Return what makes the waveform."""
    if config.last_stride == 1:
        return Conv1d(channels, 1, config.kernel_size, causal=config.causal)
    last = ConvTranspose1d(channels, 1, 2 * config.last_stride, config.last_stride)
    if config.mdct_start:
        start_as_mdct(last.conv.weight, config.last_stride)
    return last


class InputScale(Memoryless):
    """Subtract a mean and divide by a scale, channel by channel; 0 and 1 until they are set.

    Parameters
    ----------
    channels : int
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("scale", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Scale (batch, channels, frames)."""
        return (x - self.mean[:, None]) / self.scale[:, None]


class ResidualBlock(StreamingModule):
    """For each dilation: x + convolutions of the rectified x.

    Parameters
    ----------
    channels, kernel_size : int
    dilations : sequence of int
    config : HifiganConfig
    """

    def __init__(
        self, channels: int, kernel_size: int, dilations: tuple[int, ...], config: HifiganConfig
    ) -> None:
        super().__init__()

        def convolution(dilation: int) -> list[StreamingModule]:
            conv = Conv1d(
                channels,
                channels,
                kernel_size,
                dilation=dilation,
                groups=config.groups,
                bias=config.bias,
                causal=config.causal,
            )
            return [_activation(config, config.negative_slope), conv]

        second = [1] if config.undilated else []
        self.branches = nn.ModuleList(
            Chain([layer for one in (dilation, *second) for layer in convolution(one)])
            for dilation in dilations
        )
        if config.zero_start:
            for branch in self._chains:
                _zero_last(branch)

    def forward(self, x: Tensor) -> Tensor:
        """Return a tensor of the shape of `x`, (batch, channels, time)."""
        for branch in self.branches:
            x = x + branch(x)
        return x

    def initial_state(self, batch: int, device: torch.device | str = "cpu") -> State:
        """Return one state a branch."""
        return [branch.initial_state(batch, device) for branch in self._chains]

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Process one chunk."""
        states = []
        for branch, before in zip(self._chains, state, strict=True):
            y, after = branch.step(x, before)
            x = x + y
            states.append(after)
        return x, states

    @property
    def _chains(self) -> list[Chain]:
        return [branch for branch in self.branches if isinstance(branch, Chain)]


def _zero_last(branch: Chain) -> None:
    """Let a branch start as zero."""
    last = branch.layers[-1]
    assert isinstance(last, Conv1d)
    for parameter in last.parameters():
        nn.init.zeros_(parameter)


class MultiReceptiveField(StreamingModule):
    """The mean of residual blocks of different kernel sizes.

    Parameters
    ----------
    blocks : list of ResidualBlock
    """

    def __init__(self, blocks: list[ResidualBlock]) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)

    def forward(self, x: Tensor) -> Tensor:
        """Return a tensor of the shape of `x`, (batch, channels, time)."""
        return _mean([block(x) for block in self.blocks])

    def initial_state(self, batch: int, device: torch.device | str = "cpu") -> State:
        """Return one state a block."""
        return [block.initial_state(batch, device) for block in self._blocks]

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Process one chunk."""
        steps = [block.step(x, one) for block, one in zip(self._blocks, state, strict=True)]
        return _mean([y for y, _ in steps]), [one for _, one in steps]

    @property
    def _blocks(self) -> list[ResidualBlock]:
        return [block for block in self.blocks if isinstance(block, ResidualBlock)]


def _mean(parts: list[Tensor]) -> Tensor:
    return torch.stack(parts).mean(0)


class Copies(Memoryless):
    """Repeat all channels, group after group.

    Parameters
    ----------
    groups : int
    """

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, x: Tensor) -> Tensor:
        """Turn (batch, channels, time) into (batch, groups * channels, time)."""
        return x.repeat(1, self.groups, 1)


def _fusion(channels: int, config: HifiganConfig) -> StreamingModule:
    """Return what stands behind an up-sampling."""
    pairs = zip(config.kernel_sizes, config.dilations, strict=True)
    if not config.copies:
        return MultiReceptiveField(
            [ResidualBlock(channels, size, dilations, config) for size, dilations in pairs]
        )
    size, dilations = next(pairs)
    wide = channels * config.groups
    return Chain(
        [
            Copies(config.groups),
            ResidualBlock(wide, size, dilations, config),
            Conv1d(wide, channels, 1, bias=False),
        ]
    )


def _between(config: HifiganConfig, slope: float) -> list[StreamingModule]:
    """Return what stands before a convolution of the main path."""
    return [] if config.linear_path else [_activation(config, slope)]


def _activation(config: HifiganConfig, slope: float) -> Pointwise:
    return Pointwise(nn.ELU() if config.activation == "elu" else nn.LeakyReLU(slope))
