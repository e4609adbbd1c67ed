"""Attention as PSCodec's cascaded attention network needs it."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

START_SCALE = 0.1
"""Of the weights of last layers: what attention adds starts small beside what it is added to."""


class Attention(nn.Module):
    """Multi-head attention of a sequence to another one.

    Parameters
    ----------
    channels : int
        Of the sequence that asks, and of what is returned.
    context_channels : int
        Of the sequence that is asked.
    heads : int
        A divisor of `channels`.
    """

    def __init__(self, channels: int, context_channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(channels, channels)
        self.key_value = nn.Linear(context_channels, 2 * channels)
        self.out = small_linear(channels, channels)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        """Ask.

        Parameters
        ----------
        x : Tensor, shape (batch, time, channels)
        context : Tensor, shape (batch, items, context_channels)

        Returns
        -------
        Tensor, shape (batch, time, channels)
        """
        keys, values = self.key_value(context).chunk(2, dim=-1)
        found = F.scaled_dot_product_attention(
            self._split(self.query(x)), self._split(keys), self._split(values)
        )
        y: Tensor = self.out(found.transpose(1, 2).flatten(2))
        return y

    def _split(self, x: Tensor) -> Tensor:
        """Turn (batch, time, channels) into (batch, heads, time, channels / heads)."""
        return x.reshape(*x.shape[:2], self.heads, -1).transpose(1, 2)


class LocalSelfAttention(nn.Module):
    """Multi-head attention of every frame to the frames around it, with a bias for each distance.

    Works in blocks, so that time and memory grow with the length of the sequence only.

    Parameters
    ----------
    channels : int
    heads : int
        A divisor of `channels`.
    reach : int
        Frames to either side, 1 or more.
    """

    def __init__(self, channels: int, heads: int, reach: int) -> None:
        super().__init__()
        self.heads, self.reach = heads, reach
        self.query_key_value = nn.Linear(channels, 3 * channels)
        self.distance_bias = nn.Parameter(torch.zeros(heads, 2 * reach + 1))
        self.out = small_linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return a tensor of the shape of `x`, (batch, time, channels)."""
        batch, time, _ = x.shape
        queries, keys, values = self.query_key_value(x).chunk(3, dim=-1)
        found = F.scaled_dot_product_attention(
            self._blocks(queries, 0),
            self._blocks(keys, self.reach),
            self._blocks(values, self.reach),
            self._mask(time, x.dtype)[None].expand(batch, -1, -1, -1, -1).flatten(0, 1),
        )
        joined = found.transpose(1, 2).flatten(2).reshape(batch, -1, x.shape[-1])[:, :time]
        y: Tensor = self.out(joined)
        return y

    def _blocks(self, x: Tensor, around: int) -> Tensor:
        """Cut into blocks of `reach` frames and those `around`: (batch * blocks, heads, n, c)."""
        missing = -x.shape[1] % self.reach
        padded = F.pad(x, (0, 0, around, around + missing))
        blocks = padded.unfold(1, self.reach + 2 * around, self.reach).transpose(2, 3)
        joined = blocks.flatten(0, 1)
        return joined.reshape(*joined.shape[:2], self.heads, -1).transpose(1, 2)

    def _mask(self, time: int, dtype: torch.dtype) -> Tensor:
        """Return what is added to scores, shape (blocks, heads, reach, 3 * reach)."""
        reach, device = self.reach, self.distance_bias.device
        asking = torch.arange(reach, device=device)[:, None]
        distance = torch.arange(-reach, 2 * reach, device=device) - asking
        near = distance.abs() <= reach
        bias = self.distance_bias.to(dtype)[:, distance.clamp(-reach, reach) + reach]
        starts = torch.arange(0, time, reach, device=device)[:, None]
        frames = starts + torch.arange(-reach, 2 * reach, device=device)
        # The frame itself stays in reach beyond the end, where a row without any would be NaN.
        exists = ((frames >= 0) & (frames < time))[:, None] | (distance == 0)
        return bias[None].masked_fill(~(near & exists)[:, None], float("-inf"))


def small_linear(inputs: int, outputs: int) -> nn.Linear:
    """Return a linear layer that starts without bias and with small weights."""
    layer = nn.Linear(inputs, outputs)
    with torch.no_grad():
        layer.weight.mul_(START_SCALE)
        layer.bias.zero_()
    return layer
