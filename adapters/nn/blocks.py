"""Blocks between the convolutions of an encoder or decoder."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .conv import Conv1d
from .streaming import Chain, Pointwise, State, StreamingModule


class ResidualUnit(StreamingModule):
    """x + conv1x1(ELU(dilated conv(ELU(x)))), the unit of SEANet and SoundStream.

    Parameters
    ----------
    channels : int
    kernel_size, dilation : int
        Of the first convolution.
    causal : bool
    zero_start : bool
        Start the second convolution at zero, so that the unit starts as the identity.
    bias : bool
        Of both convolutions.
    """

    def __init__(
        self,
        channels: int,
        kernel_size: int = 7,
        dilation: int = 1,
        causal: bool = True,
        zero_start: bool = False,
        bias: bool = True,
    ) -> None:
        super().__init__()
        last = Conv1d(channels, channels, 1, bias=bias, causal=causal)
        if zero_start:
            nn.init.zeros_(last.conv.weight)
            if last.conv.bias is not None:
                nn.init.zeros_(last.conv.bias)
        first = Conv1d(channels, channels, kernel_size, dilation=dilation, bias=bias, causal=causal)
        self.branch = Chain([activation(), first, activation(), last])

    def forward(self, x: Tensor) -> Tensor:
        """Return a tensor of the shape of `x`, (batch, channels, time)."""
        y: Tensor = x + self.branch(x)
        return y

    def initial_state(self, batch: int, device: torch.device | str = "cpu") -> State:
        """Return the branch's state."""
        return self.branch.initial_state(batch, device)

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Process one chunk."""
        y, state = self.branch.step(x, state)
        return x + y, state


def activation() -> Pointwise:
    """Return the activation of all encoders and decoders here, an ELU."""
    return Pointwise(nn.ELU())


def residual_units(
    channels: int,
    kernel_size: int,
    dilations: Sequence[int],
    causal: bool,
    zero_start: bool,
    bias: bool = True,
) -> list[StreamingModule]:
    """Return one residual unit a dilation."""
    return [
        ResidualUnit(channels, kernel_size, dilation, causal, zero_start, bias)
        for dilation in dilations
    ]


class FeatureModulation(nn.Module):
    """FiLM: scale and shift every channel by a linear function of a condition in time.

    Parameters
    ----------
    channels : int
    conditions : int
        Length of the condition vector; 2 for a switch in one-hot form.

    References
    ----------
    SoundStream (arXiv 2107.03312), Section III-F.
    """

    def __init__(self, channels: int, conditions: int = 2) -> None:
        super().__init__()
        self.linear = nn.Linear(conditions, 2 * channels)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Modulate.

        Parameters
        ----------
        x : Tensor, shape (batch, channels, time)
        condition : Tensor, shape (batch, time, conditions)
            May change from frame to frame; a time of 1 holds for all frames.
        """
        scale, shift = self.linear(condition).transpose(1, 2).chunk(2, dim=1)
        modulated: Tensor = x * (1 + scale) + shift
        return modulated
