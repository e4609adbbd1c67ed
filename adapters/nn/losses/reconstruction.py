"""All reconstruction losses by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ....errors import UserError
from .config import LossesConfig
from .mel import hifigan_mel, log_mel, mel, multi_scale_mel
from .spectra import SpectralAnalysis, SpectrumPair
from .stft import complex_stft, stft
from .waveform import emphasized_sdr, waveform_sdr


class ReconstructionLosses(nn.Module):
    """Distances of a decoded signal from its reference, for training.

    Parameters
    ----------
    config : LossesConfig
    sample_rate : int
        In Hz.
    """

    NAMES: ClassVar[dict[str, str]] = {
        "waveform_l1": "mean absolute difference of samples",
        "waveform_l2": "mean squared difference of samples",
        "waveform_sdr": "minus the signal-to-distortion ratio in dB, clamped to -20..30 dB",
        "emphasized_sdr": "the same after pre-emphasis",
        "mel": "L1 of mel magnitudes over several windows",
        "log_mel": "L1 of log-mel magnitudes over several windows",
        "multi_scale_mel": "SoundStream's L1 of mel and L2 of log-mel magnitudes over six windows",
        "stft": "spectral convergence and L1 of log magnitudes at several resolutions",
        "complex_stft": "squared difference of power-compressed spectra, with and without phase",
        "hifigan_mel": "HiFi-GAN's and AudioDec's L1 of one log-mel spectrum",
    }
    """Every term and its meaning."""

    def __init__(self, config: LossesConfig, sample_rate: int) -> None:
        super().__init__()
        self.config = config
        scales = (*config.mel.scales, *config.multi_scale_mel.scales, config.hifigan_mel.scale)
        resolutions = (*config.stft.resolutions, *config.complex_stft.resolutions)
        self.analysis = SpectralAnalysis(resolutions, scales, sample_rate)

    def forward(
        self, reference: Tensor, decoded: Tensor, names: Iterable[str]
    ) -> dict[str, Tensor]:
        """Compute the named terms in float32, each short-time spectrum once.

        Parameters
        ----------
        reference, decoded : Tensor, shape (batch, samples)
            Gradients reach `decoded` only.
        names : iterable of str
            Of `NAMES`.

        Returns
        -------
        dict of str to Tensor
            Scalars, in the order of `names`.

        Raises
        ------
        UserError
            If a name is unknown, or signals are too short for a term's spectrum.
        ValueError
            If signals differ in shape.
        """
        names = list(names)
        self._check(reference, decoded, names)
        with torch.autocast(decoded.device.type, enabled=False):
            reference, decoded = reference.detach().float(), decoded.float()
            pair = SpectrumPair(self.analysis, reference, decoded)
            return {name: self._term(name, reference, decoded, pair) for name in names}

    def _term(self, name: str, reference: Tensor, decoded: Tensor, pair: SpectrumPair) -> Tensor:
        if name in _WAVEFORM_TERMS:
            return _WAVEFORM_TERMS[name](reference, decoded)
        return _SPECTRAL_TERMS[name](pair, self.config)

    def _check(self, reference: Tensor, decoded: Tensor, names: list[str]) -> None:
        if reference.shape != decoded.shape or reference.ndim != 2:
            shapes = f"{tuple(reference.shape)} and {tuple(decoded.shape)}"
            raise ValueError(f"reference and decoded must both be (batch, samples), not {shapes}")
        for name in names:
            if name not in self.NAMES:
                raise UserError(f"no loss is called {name!r}; there are {', '.join(self.NAMES)}")
            shortest = shortest_signal(name, self.config)
            if reference.shape[-1] < shortest:
                raise UserError(
                    f"loss {name!r} needs at least {shortest} samples, not {reference.shape[-1]}"
                )


_WAVEFORM_TERMS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "waveform_l1": F.l1_loss,
    "waveform_l2": F.mse_loss,
    "waveform_sdr": waveform_sdr,
    "emphasized_sdr": emphasized_sdr,
}
_SPECTRAL_TERMS: dict[str, Callable[[SpectrumPair, LossesConfig], Tensor]] = {
    "mel": lambda pair, config: mel(pair, config.mel.scales),
    "log_mel": lambda pair, config: log_mel(pair, config.mel.scales, config.mel.floor),
    "multi_scale_mel": lambda pair, config: multi_scale_mel(
        pair, config.multi_scale_mel.scales, config.multi_scale_mel.floor
    ),
    "stft": lambda pair, config: stft(pair, config.stft.resolutions),
    "complex_stft": lambda pair, config: complex_stft(
        pair,
        config.complex_stft.resolutions,
        config.complex_stft.power,
        config.complex_stft.floor,
    ),
    "hifigan_mel": lambda pair, config: hifigan_mel(
        pair, config.hifigan_mel.scale, config.hifigan_mel.floor
    ),
}


def shortest_signal(name: str, config: LossesConfig) -> int:
    """Return the samples that a term needs at least; 1 for terms that are not of a spectrum."""
    if name not in _SPECTRAL_TERMS:
        return 1
    longest = {
        "mel": max(config.mel.windows),
        "log_mel": max(config.mel.windows),
        "multi_scale_mel": max(config.multi_scale_mel.windows),
        "stft": max(config.stft.fft),
        "complex_stft": max(config.complex_stft.windows),
        "hifigan_mel": config.hifigan_mel.fft,
    }[name]
    return longest // 2 + 1
