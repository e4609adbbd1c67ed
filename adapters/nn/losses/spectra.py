"""Spectra of a reference and a decoded signal, each computed once for all losses."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable, Iterable
from typing import Literal, NamedTuple, TypeVar, cast

import librosa
import torch
from torch import Tensor, nn

from ..spectrum import Resolution, stft, window_norm

Both = tuple[Tensor, Tensor]
"""Of the reference and of the decoded signal."""

_T = TypeVar("_T")


class MelScale(NamedTuple):
    """A mel filterbank at a resolution."""

    resolution: Resolution
    bins: int
    norm: Literal["slaney"] | None = None
    """None: filters have peak 1; "slaney": area 1 over Hz."""


class SpectralAnalysis(nn.Module):
    """Hann windows and mel filterbanks.

    Parameters
    ----------
    resolutions : iterable of Resolution
        Those of `scales` need not be among them.
    scales : iterable of MelScale
    sample_rate : int
        In Hz.
    """

    def __init__(
        self,
        resolutions: Iterable[Resolution],
        scales: Iterable[MelScale],
        sample_rate: int,
    ) -> None:
        super().__init__()
        scales = list(scales)
        for size in {r.window for r in (*resolutions, *(scale.resolution for scale in scales))}:
            self.register_buffer(f"window_{size}", torch.hann_window(size), persistent=False)
        for scale in scales:
            filters = mel_filterbank(scale, sample_rate)
            self.register_buffer(_buffer_name(scale), filters, persistent=False)

    def window(self, size: int) -> Tensor:
        """Return the Hann window of that many samples."""
        return cast(Tensor, getattr(self, f"window_{size}"))

    def filters(self, scale: MelScale) -> Tensor:
        """Return the filterbank, shape (fft // 2 + 1, filters)."""
        return cast(Tensor, getattr(self, _buffer_name(scale)))


class SpectrumPair:
    """Spectra of a reference and a decoded signal, remembered.

    Parameters
    ----------
    analysis : SpectralAnalysis
    reference, decoded : Tensor, shape (batch, samples)
    """

    def __init__(self, analysis: SpectralAnalysis, reference: Tensor, decoded: Tensor) -> None:
        self._analysis = analysis
        self._signals = (reference, decoded)
        self._remembered: dict[Hashable, Both] = {}

    @property
    def samples(self) -> int:
        """Length of the signals."""
        return self._signals[0].shape[-1]

    def window_norm(self, resolution: Resolution) -> Tensor:
        """Return what spectra were divided by, a scalar: the root of the window's energy."""
        return window_norm(self._analysis.window(resolution.window))

    def spectra(self, resolution: Resolution) -> Both:
        """Return normalized complex spectra, shape (batch, fft // 2 + 1, frames)."""
        window = self._analysis.window(resolution.window)
        return self._once(resolution, lambda x: stft(x, resolution, window), self._signals)

    def magnitudes(self, resolution: Resolution, floor: float = 1e-4) -> Both:
        """Return sqrt(re² + im² + floor²), whose gradient is finite at silence."""

        def magnitude(spectrum: Tensor) -> Tensor:
            power = spectrum.real.square() + spectrum.imag.square()
            return (power + floor**2).sqrt()

        return self._once((resolution, floor), magnitude, self.spectra(resolution))

    def mels(self, scale: MelScale, floor: float = 1e-4) -> Both:
        """Return mel magnitudes, shape (batch, frames, filters)."""
        filters = self._analysis.filters(scale)
        magnitudes = self.magnitudes(scale.resolution, floor)
        return self._once((scale, floor), lambda x: x.transpose(1, 2) @ filters, magnitudes)

    def _once(self, key: Hashable, function: Callable[[Tensor], Tensor], inputs: Both) -> Both:
        if key not in self._remembered:
            self._remembered[key] = (function(inputs[0]), function(inputs[1]))
        return self._remembered[key]


def mel_filterbank(scale: MelScale, sample_rate: int) -> Tensor:
    """Return triangular mel filters from 0 Hz to half the rate, shape (fft // 2 + 1, filters).

    Filters narrower than the spacing of the spectrum's lines may hold none. They are left out:
    they say nothing, yet would count in means over bins. The rest still covers all frequencies,
    since neighbouring triangles overlap.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Empty filters")
        filters = librosa.filters.mel(
            sr=sample_rate,
            n_fft=scale.resolution.fft,
            n_mels=scale.bins,
            norm=scale.norm,
            dtype="float64",
        )
    return torch.from_numpy(filters[filters.max(axis=1) > 0]).float().T.contiguous()


def _buffer_name(scale: MelScale) -> str:
    return f"mel_{scale.resolution.fft}_{scale.bins}_{scale.norm}"
