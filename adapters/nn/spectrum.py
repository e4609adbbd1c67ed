"""Short-time spectra, for losses and discriminators alike."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


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
    spectrum = torch.stft(
        signal,
        n_fft=resolution.fft,
        hop_length=resolution.hop,
        win_length=resolution.window,
        window=window,
        return_complex=True,
    )
    return spectrum / window_norm(window)


def window_norm(window: Tensor) -> Tensor:
    """Return the root of a window's energy, a scalar."""
    return window.square().sum().sqrt()
