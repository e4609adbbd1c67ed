"""Convolutions over time, causal or centred, with exact streaming.

Lengths follow one rule: a convolution of stride s turns n samples into ceil(n / s) frames, and a
transposed one turns n frames into n * s samples, so that a chain never needs to be trimmed.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .streaming import State, StreamingModule


class Conv1d(StreamingModule):
    """Convolution that turns `stride` samples into a frame.

    Parameters
    ----------
    in_channels, out_channels, kernel_size, stride, dilation, groups, bias
        As of `torch.nn.Conv1d`; the kernel must be at least as long as the stride.
    causal : bool
        Pad the past only; else the padding is split between past and future.
    frame_end : {"last", "first"}
        Sample of its stride with which a causal frame ends: frame t hears the input up to sample
        (t + 1) * stride - 1, or up to t * stride.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        dilation: int = 1,
        groups: int = 1,
        bias: bool = True,
        causal: bool = True,
        frame_end: Literal["last", "first"] = "last",
    ) -> None:
        super().__init__()
        if frame_end == "first" and not causal:
            raise ValueError("only causal frames end with their first sample")
        self.conv = nn.Conv1d(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            dilation=dilation,
            groups=groups,
            bias=bias,
        )
        padding = (kernel_size - 1) * dilation + 1 - stride
        if padding < 0:
            raise ValueError(f"a kernel of {kernel_size} does not cover a stride of {stride}")
        self.stride = stride
        self.future = 0 if causal else padding // 2
        self.past = padding - self.future
        if frame_end == "first":
            self.past += stride - 1

    def forward(self, x: Tensor) -> Tensor:
        """Convolve (batch, in_channels, n) into (batch, out_channels, ceil(n / stride))."""
        missing = -x.shape[-1] % self.stride
        y: Tensor = self.conv(F.pad(x, (self.past, self.future + missing)))
        return y

    def initial_state(self, batch: int, device: torch.device | str = "cpu") -> State:
        """Return `past` samples of silence."""
        if self.future:
            raise TypeError("a centred convolution looks ahead and cannot stream")
        weight = self.conv.weight
        return torch.zeros(batch, self.conv.in_channels, self.past, dtype=weight.dtype).to(device)

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Convolve one chunk after the samples remembered from before."""
        if x.shape[-1] % self.stride:
            raise ValueError(f"a chunk of {x.shape[-1]} is no multiple of the stride {self.stride}")
        x = torch.cat([state, x], dim=-1)
        return self.conv(x), x[..., x.shape[-1] - self.past :]


class ConvTranspose1d(StreamingModule):
    """Transposed convolution that turns frame t into samples from t * stride on.

    Parameters
    ----------
    in_channels, out_channels, kernel_size, stride, groups, bias
        As of `torch.nn.ConvTranspose1d`; the kernel must be at least as long as the stride.
    causal : bool
        Drop the tail; else the overhang is dropped at both ends alike.
    past : {"silence", "repeat"}
        What a causal layer takes to lie before the first frame: silence, or the first frame again.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int,
        groups: int = 1,
        bias: bool = True,
        causal: bool = True,
        past: Literal["silence", "repeat"] = "silence",
    ) -> None:
        super().__init__()
        if past == "repeat" and not causal:
            raise ValueError("a centred transposed convolution does not know what was before")
        self.conv = nn.ConvTranspose1d(
            in_channels, out_channels, kernel_size, stride, groups=groups, bias=bias
        )
        self.overhang = kernel_size - stride
        if self.overhang < 0:
            raise ValueError(f"a kernel of {kernel_size} does not cover a stride of {stride}")
        self.stride = stride
        self.early = 0 if causal else self.overhang // 2
        self.repeats = past == "repeat" and self.overhang > 0

    def forward(self, x: Tensor) -> Tensor:
        """Turn (batch, in_channels, n) into (batch, out_channels, n * stride)."""
        if self.repeats:
            return self.step(x, None)[0]
        y: Tensor = self.conv(x)
        return y[..., self.early : self.early + x.shape[-1] * self.stride]

    def initial_state(self, batch: int, device: torch.device | str = "cpu") -> State:
        """Return an empty tail to add to the next chunk; None if it is the first frame's."""
        if self.early:
            raise TypeError("a centred transposed convolution looks ahead and cannot stream")
        if self.repeats:
            return None
        weight = self.conv.weight
        shape = (batch, self.conv.out_channels, self.overhang)
        return torch.zeros(shape, dtype=weight.dtype).to(device)

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Convolve one chunk and add the tail that the chunks before left."""
        y = self._without_bias(x)
        state = self._tail_of_the_first(x) if state is None else state
        y = torch.cat([y[..., : self.overhang] + state, y[..., self.overhang :]], dim=-1)
        ready = x.shape[-1] * self.stride
        out, tail = y[..., :ready], y[..., ready:]
        if self.conv.bias is not None:
            out = out + self.conv.bias[:, None]
        return out, tail

    def _without_bias(self, x: Tensor) -> Tensor:
        groups = self.conv.groups
        return F.conv_transpose1d(x, self.conv.weight, None, self.conv.stride, groups=groups)

    def _tail_of_the_first(self, x: Tensor) -> Tensor:
        """Return what the first frame leaves over if it has always been there."""
        frames = -(-self.overhang // self.stride)
        y = self._without_bias(x[..., :1].expand(*x.shape[:-1], frames))
        return y[..., frames * self.stride :]
