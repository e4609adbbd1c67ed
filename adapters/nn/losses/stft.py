"""Losses between short-time spectra."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import functional as F

from ..spectrum import Resolution
from .spectra import SpectrumPair


def stft(pair: SpectrumPair, resolutions: Iterable[Resolution]) -> Tensor:
    """Return the multi-resolution STFT loss: spectral convergence plus L1 of log magnitudes.

    Averaged over resolutions. Spectral convergence, the Frobenius norm of the difference of
    magnitudes over that of the reference, is taken over the whole batch, so that a silent item
    does not divide by nothing.

    References
    ----------
    Parallel WaveGAN (arXiv 1910.11480), Section 2.2.
    """
    return _mean(_stft(pair, resolution) for resolution in resolutions)


def _stft(pair: SpectrumPair, resolution: Resolution) -> Tensor:
    reference, decoded = pair.magnitudes(resolution)
    distance: Tensor = torch.linalg.vector_norm(reference - decoded)
    convergence: Tensor = distance / torch.linalg.vector_norm(reference)
    return convergence + F.l1_loss(reference.log(), decoded.log())


def complex_stft(
    pair: SpectrumPair, resolutions: Iterable[Resolution], power: float, floor: float
) -> Tensor:
    """Return the mean squared distance of power-compressed spectra, with and without phase.

    Magnitudes are raised to `power`, phases stay; the squared distance of the complex spectra and
    that of the magnitudes are added, and averaged over lines, frames, items and resolutions.
    Magnitudes are sqrt(re² + im² + floor²), so that the gradient is finite at silence.

    References
    ----------
    Ephrat et al. (arXiv 1804.03619), Section 4 (compression); Braun and Tashev
    (arXiv 2008.06412), who weigh the two parts.
    """
    return _mean(_complex_stft(pair, resolution, power, floor) for resolution in resolutions)


def _complex_stft(pair: SpectrumPair, resolution: Resolution, power: float, floor: float) -> Tensor:
    spectra = pair.spectra(resolution)
    magnitudes = pair.magnitudes(resolution, floor)
    gains = [magnitude ** (power - 1) for magnitude in magnitudes]
    reference, decoded = (
        torch.view_as_real(spectrum) * gain[..., None]
        for spectrum, gain in zip(spectra, gains, strict=True)
    )
    with_phase = (reference - decoded).square().sum(-1).mean()
    magnitude_only = F.mse_loss(magnitudes[0] * gains[0], magnitudes[1] * gains[1])
    return with_phase + magnitude_only


def _mean(terms: Iterable[Tensor]) -> Tensor:
    return torch.stack(list(terms)).mean()
