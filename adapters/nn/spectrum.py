"""Short-time spectra, for losses and discriminators alike."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F


class Resolution(NamedTuple):
    """Of a short-time spectrum, in samples."""

    fft: int
    hop: int
    window: int

    @property
    def shortest(self) -> int:
        """Samples that a signal needs at least."""
        return self.fft // 2 + 1


def stft(signal: Tensor, resolution: Resolution, window: Tensor) -> Tensor:
    """Return the spectra of frames centred on every hop, the signal reflected at its ends.

    They are divided by the root of the window's energy, so that white noise has the same level at
    every resolution: its standard deviation.

    Parameters
    ----------
    signal : Tensor, shape (batch, samples)
        At least `Resolution.shortest` samples.
    resolution : Resolution
    window : Tensor, shape (resolution.window,)

    Returns
    -------
    Tensor of complex64, shape (batch, fft // 2 + 1, 1 + samples // hop)
    """
    fft, length = resolution.fft, resolution.window
    before = (fft - length) // 2
    weights = F.pad(window / window_norm(window), (before, fft - length - before))
    padded = F.pad(signal[:, None], (fft // 2, fft // 2), mode="reflect")[:, 0]
    frames = padded.unfold(-1, fft, resolution.hop) * weights
    return real_fft(frames).transpose(1, 2)


def real_fft(frames: Tensor) -> Tensor:
    """Return `torch.fft.rfft` of real frames (..., n), with a gradient that costs a third."""
    spectrum: Tensor = _RealFft.apply(frames)  # type: ignore[no-untyped-call]
    return spectrum


class _RealFft(torch.autograd.Function):
    """The gradient is an inverse transform onto real numbers; torch takes a complex one."""

    @staticmethod
    def forward(ctx: Any, frames: Tensor) -> Tensor:
        ctx.size = frames.shape[-1]
        spectrum: Tensor = torch.fft.rfft(frames)
        return spectrum

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        # The inverse counts each line twice, for its conjugate, but the first and the middle one.
        share = torch.full_like(gradients[0].real, 0.5)
        share[..., 0] = 1.0
        if ctx.size % 2 == 0:
            share[..., -1] = 1.0
        gradient: Tensor = torch.fft.irfft(gradients[0] * share, ctx.size, norm="forward")
        return gradient


def window_norm(window: Tensor) -> Tensor:
    """Return the root of a window's energy, a scalar."""
    return window.square().sum().sqrt()
