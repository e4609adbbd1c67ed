"""Codec 2 (David Rowe): a harmonic sinusoidal vocoder at 8 kHz; 700 means mode 700C."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pydantic

from ...audio import Audio
from ...bitstream import Bitstream, Packet
from ...codec import Codec, CodecCard
from ...component import Config, Requirement
from ..pcm import framed, from_int16, packet_data, require_samples, to_int16
from .library import PrivateLibrary, library_path

SAMPLE_RATE = 8000
"""In Hz."""


@dataclass(frozen=True)
class Mode:
    """One mode of Codec 2.

    Parameters
    ----------
    number : int
        As ``codec2_create`` takes it.
    bits, samples : int
        Of a frame.
    delay : int
        Samples from the centre of the analysis window to that of the synthesis window.
    """

    number: int
    bits: int
    samples: int
    delay: int = 159


MODES = {
    700: Mode(8, 28, 320, delay=239),
    1200: Mode(5, 48, 320),
    1300: Mode(4, 52, 320),
    1400: Mode(3, 56, 320),
    1600: Mode(2, 64, 320),
    2400: Mode(1, 48, 160),
    3200: Mode(0, 64, 160),
}
"""By nominal bit/s."""


class Codec2Config(Config):
    """Configuration of `Codec2Codec`."""

    bps: int = 3200
    """Bits a second: 700 (mode 700C), 1200, 1300, 1400, 1600, 2400 or 3200."""

    @pydantic.field_validator("bps")
    @classmethod
    def _known(cls, bps: int) -> int:
        if bps not in MODES:
            raise ValueError(f"Codec 2 has the modes {', '.join(map(str, MODES))}")
        return bps


class Codec2Codec(Codec):
    """Codec 2 in one of its modes, one packet a frame of exactly the mode's bits."""

    name = "codec2"
    requirements = (Requirement("module", "pycodec2", "pip install pycodec2"),)
    Config = Codec2Config
    config: Codec2Config

    @property
    def mode(self) -> Mode:
        """The mode that is used."""
        return MODES[self.config.bps]

    @property
    def card(self) -> CodecCard:
        """The card of this configuration."""
        mode = self.mode
        return CodecCard(
            name=self.name,
            title="Codec 2 " + ("700C" if self.config.bps == 700 else str(self.config.bps)),
            description="Harmonic sinusoidal vocoder; phases are synthesized, not sent.",
            licence="LGPL-2.1 (libcodec2), BSD-2-Clause (pycodec2)",
            paper="D. Rowe, Techniques for Harmonic Sinusoidal Coding, PhD thesis, 1997; libcodec2",
            sample_rate=SAMPLE_RATE,
            frame_rate=SAMPLE_RATE / mode.samples,
            bandwidth_hz=4000.0,
            causal=True,
            delay_samples=mode.delay,
            algorithmic_latency_ms=1000 * (mode.samples + mode.delay) / SAMPLE_RATE,
            nominal_kbps=mode.bits * SAMPLE_RATE / mode.samples / 1000,
            notes=("waveform metrics (SI-SDR) mean nothing for a vocoder",),
        )

    def check_available(self) -> None:
        """Raise `UnavailableError` if pycodec2 or its libcodec2 is not here."""
        super().check_available()
        library_path()

    def encode(self, audio: Audio) -> Bitstream:
        """Encode frame by frame from a fresh state; samples beyond full scale are clipped."""
        import pycodec2

        mode = self.mode
        encoder = pycodec2.Codec2(self.config.bps)
        frames = framed(to_int16(audio.samples), mode.samples, mode.delay)
        return self.bitstream(audio, [Packet(encoder.encode(f), mode.bits) for f in frames])

    def decode(self, bitstream: Bitstream) -> Audio:
        """Decode frame by frame from a fresh state, noise generator included."""
        mode = self.mode
        packets = packet_data(bitstream, mode.bits)
        require_samples(bitstream, len(packets) * mode.samples, mode.delay)
        with PrivateLibrary() as library:
            pcm = library.decode(mode.number, packets, mode.samples)
        return Audio(from_int16(np.frombuffer(pcm, np.int16)), bitstream.sample_rate)
