"""What all discriminators are made of."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import TypeVar, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations

from ..spectrum import Resolution, stft
from .output import DiscriminatorOutput

_Conv = TypeVar("_Conv", nn.Conv1d, nn.Conv2d)


def weight_norm(conv: _Conv) -> _Conv:
    """Split a convolution's weights into directions and lengths (arXiv 1602.07868)."""
    return cast(_Conv, parametrizations.weight_norm(conv))


def spectral_norm(conv: _Conv) -> _Conv:
    """Divide a convolution's weights by their largest singular value (arXiv 1802.05957)."""
    return cast(_Conv, parametrizations.spectral_norm(conv))


class Discriminator(nn.Module, abc.ABC):
    """Judges waveforms in one or several views.

    Attributes
    ----------
    shortest : int
        Samples that a waveform needs at least.
    """

    shortest: int

    @abc.abstractmethod
    def forward(self, waves: Tensor) -> list[DiscriminatorOutput]:
        """Judge waveforms (batch, 1, samples), one output a view."""


class Judge(nn.Module):
    """Layers whose activations are features, and a last one for the logits.

    Parameters
    ----------
    layers : sequence of nn.Module
        Each followed by a leaky ReLU.
    last : nn.Module
        To one channel.
    slope : float
        Of the leaky ReLU for negative inputs.
    """

    def __init__(self, layers: Sequence[nn.Module], last: nn.Module, slope: float) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.last = last
        self.slope = slope

    def forward(self, x: Tensor) -> DiscriminatorOutput:
        """Run all layers."""
        features = []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), self.slope)
            features.append(x)
        return DiscriminatorOutput(self.last(x), features)


class Spectrum(nn.Module):
    """Complex spectra of waveforms; see `codecbench.adapters.nn.spectrum.stft`.

    Parameters
    ----------
    resolution : Resolution
    """

    window: Tensor

    def __init__(self, resolution: Resolution) -> None:
        super().__init__()
        self.resolution = resolution
        window = torch.hann_window(resolution.window)
        self.register_buffer("window", window, persistent=False)

    def forward(self, waves: Tensor) -> Tensor:
        """Turn waves (batch, 1, samples) into float32 spectra (batch, frames, lines) of complex."""
        with torch.autocast(waves.device.type, enabled=False):
            return stft(waves[:, 0].float(), self.resolution, self.window).transpose(1, 2)


class SpectralDiscriminator(Discriminator):
    """One judge for each of several resolutions of the short-time spectrum.

    Parameters
    ----------
    resolutions : sequence of Resolution
    judges : sequence of Judge
        Of (batch, channels, frames, lines).
    """

    def __init__(self, resolutions: Sequence[Resolution], judges: Sequence[Judge]) -> None:
        super().__init__()
        self.spectra = nn.ModuleList([Spectrum(resolution) for resolution in resolutions])
        self.judges = nn.ModuleList(judges)
        self.shortest = max(resolution.shortest for resolution in resolutions)

    def forward(self, waves: Tensor) -> list[DiscriminatorOutput]:
        """Judge waveforms (batch, 1, samples), one output a resolution."""
        return [
            judge(self.view(spectrum(waves)))
            for spectrum, judge in zip(self.spectra, self.judges, strict=True)
        ]

    @abc.abstractmethod
    def view(self, spectrum: Tensor) -> Tensor:
        """Turn complex spectra (batch, frames, lines) into (batch, channels, frames, lines)."""


def real_and_imaginary(spectrum: Tensor) -> Tensor:
    """Turn complex spectra (batch, frames, lines) into two real channels (batch, 2, ...)."""
    return torch.stack([spectrum.real, spectrum.imag], dim=1)
