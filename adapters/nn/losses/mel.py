"""Losses between mel spectra."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import functional as F

from .spectra import MelScale, SpectrumPair


def mel(pair: SpectrumPair, scales: Iterable[MelScale]) -> Tensor:
    """Return the L1 distance of mel magnitudes: mean over bins, frames, items; sum over scales."""
    return _sum(F.l1_loss(*pair.mels(scale)) for scale in scales)


def log_mel(pair: SpectrumPair, scales: Iterable[MelScale], floor: float) -> Tensor:
    """Return the L1 distance of log(mel + floor): mean over bins, frames, items; sum over scales.

    Normalization and floor decide whether it trains. Quiet bins have gradients of up to 1 / floor
    times the filter's weights: with filters of peak 1, spectra divided by the root of the window's
    energy and a floor of 0.03 these stand beside a waveform's loss. With filters of area 1
    (Slaney) and a floor of 0.001 they are 50 times the waveform's gradient, and training fails.
    """
    return _sum(_log_l1(pair, scale, floor) for scale in scales)


def _log_l1(pair: SpectrumPair, scale: MelScale, floor: float) -> Tensor:
    reference, decoded = pair.mels(scale)
    return F.l1_loss((reference + floor).log(), (decoded + floor).log())


def multi_scale_mel(pair: SpectrumPair, scales: Iterable[MelScale], floor: float) -> Tensor:
    """Return SoundStream's reconstruction loss.

    For every window length s and frame: the L1 norm of the difference of mel magnitudes plus
    sqrt(s / 2) times the L2 norm of the difference of their logarithms; summed over frames and
    windows, divided by the number of samples (so that it does not depend on the crop), averaged
    over items. Spectra are not normalized: that factor of the logarithms makes up for
    magnitudes that grow like the root of s.

    At small windows some of the filters hold no line of the spectrum; see
    `codecbench.adapters.nn.losses.spectra.mel_filterbank`.

    References
    ----------
    SoundStream (arXiv 2107.03312), Equations 4 and 5; the normalization is not in the paper.
    """
    return _sum(_soundstream(pair, scale, floor) for scale in scales)


def _soundstream(pair: SpectrumPair, scale: MelScale, floor: float) -> Tensor:
    norm = pair.window_norm(scale.resolution)
    reference, decoded = (norm * mels for mels in pair.mels(scale))
    alpha = math.sqrt(scale.resolution.window / 2)
    linear = (reference - decoded).abs().sum(-1)
    logarithmic: Tensor = torch.linalg.vector_norm(
        (reference + floor).log() - (decoded + floor).log(), dim=-1
    )
    return (linear + alpha * logarithmic).sum(-1).mean() / pair.samples


def hifigan_mel(pair: SpectrumPair, scale: MelScale, floor: float) -> Tensor:
    """Return the L1 distance of log-mel spectra as HiFi-GAN's and AudioDec's generators have it.

    Natural logarithm of unnormalized magnitudes through filters of area 1 (Slaney), raised to
    `floor`.

    References
    ----------
    HiFi-GAN (arXiv 2010.05646), Section 2.4.
    """
    norm = pair.window_norm(scale.resolution)
    reference, decoded = (norm * mels for mels in pair.mels(scale, floor=1e-6))
    return F.l1_loss(reference.clamp(min=floor).log(), decoded.clamp(min=floor).log())


def _sum(terms: Iterable[Tensor]) -> Tensor:
    return torch.stack(list(terms)).sum()
