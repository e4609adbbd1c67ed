"""Low-pass anchor: a sharp linear-phase filter without net delay, sent as 16-bit PCM."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pydantic

from ...audio import Audio
from ...bitstream import Bitstream
from ...codec import Codec, CodecCard
from ...component import Config
from ...errors import CodecError
from ..pcm import pcm_packet, read_pcm

STOP_BAND_DB = 80.0
MAX_TRANSITION_HZ = 500.0
MIN_TRANSITION_HZ = 50.0
"""Narrower than this below half the sample rate, the filter would ring for tens of ms."""


def transition_hz(pass_hz: float, sample_rate: float) -> float:
    """Return the width of the transition band that starts at `pass_hz`."""
    return min(MAX_TRANSITION_HZ, pass_hz / 2, sample_rate / 2 - pass_hz)


def lowpass_kernel(pass_hz: float, sample_rate: int) -> npt.NDArray[np.float64]:
    """Design a symmetric FIR low-pass (windowed sinc, Kaiser window, unit gain at 0 Hz).

    Parameters
    ----------
    pass_hz : float
        Edge of the pass band; the stop band (-80 dB) begins one transition band above it.
    sample_rate : int
        In Hz.

    Returns
    -------
    array, odd length

    Raises
    ------
    CodecError
        If there is next to nothing to cut off at this sample rate.
    """
    width = transition_hz(pass_hz, sample_rate)
    if width < min(MIN_TRANSITION_HZ, pass_hz / 2):
        raise CodecError(f"at {sample_rate} Hz there is nothing above {pass_hz:g} Hz to cut off")
    beta = 0.1102 * (STOP_BAND_DB - 8.7)
    taps = (STOP_BAND_DB - 7.95) / (2.285 * 2 * np.pi * width / sample_rate)
    half = int(np.ceil(taps / 2))
    time = np.arange(-half, half + 1)
    cutoff = 2 * (pass_hz + width / 2) / sample_rate
    sinc = np.sinc(cutoff * time) * np.kaiser(2 * half + 1, beta)
    kernel: npt.NDArray[np.float64] = sinc / sinc.sum()
    return kernel


class LowpassConfig(Config):
    """Configuration of `LowpassCodec`."""

    hz: float = pydantic.Field(default=3500.0, ge=20, le=90_000)
    """Edge of the pass band in Hz."""


class LowpassCodec(Codec):
    """Everything above a frequency removed, nothing else changed."""

    name = "lowpass"
    keeps_bitstreams = False
    Config = LowpassConfig
    config: LowpassConfig

    @property
    def card(self) -> CodecCard:
        """The card of this configuration."""
        hz = self.config.hz
        return CodecCard(
            name=self.name,
            title=f"Low-pass {hz / 1000:g} kHz",
            description="Linear-phase low-pass, then 16-bit PCM; a low anchor, not a codec.",
            licence="Apache-2.0",
            anchor=True,
            paper="ITU-R BS.1534 (MUSHRA): anchors of 3.5 and 7 kHz",
            bandwidth_hz=hz,
            causal=False,
            notes=("its rate is that of 16-bit PCM at the evaluation rate",),
        )

    def encode(self, audio: Audio) -> Bitstream:
        """Filter (zeros before and after the signal) and round to 16 bits."""
        from scipy.signal import oaconvolve

        kernel = lowpass_kernel(self.config.hz, audio.sample_rate)
        half = len(kernel) // 2
        filtered = oaconvolve(audio.samples.astype(np.float64), kernel)
        return self.bitstream(audio, [pcm_packet(filtered[half : half + len(audio)])])

    def decode(self, bitstream: Bitstream) -> Audio:
        """Read the 16-bit samples."""
        return read_pcm(bitstream)
