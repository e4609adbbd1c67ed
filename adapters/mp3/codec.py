"""MP3: LAME's encoder and FFmpeg's decoder."""

from __future__ import annotations

from typing import Annotated

import pydantic

from ...audio import Audio
from ...bitstream import Bitstream, whole_packets
from ...codec import CodecCard
from ...component import Config
from ..pyav_coder import Coder, PyavCodec, one_of, whole_bytes

DELAY = 1_105
"""Samples: 576 in LAME and 529 in the decoder's filter bank."""

_MPEG1_KBPS = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_MPEG2_KBPS = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_FRAMES = {**dict.fromkeys((16_000, 22_050, 24_000), 576)}
_FRAMES |= dict.fromkeys((32_000, 44_100, 48_000), 1_152)

_LOWPASS_HZ = {8: 3_000, 16: 5_500, 24: 5_850, 32: 8_250, 40: 10_500, 48: 11_250, 56: 15_000}
_LOWPASS_HZ |= {64: 16_500}
"""LAME's low-pass filter for mono at constant bit rate, by kbit/s; none is needed above."""


class Mp3Config(Config):
    """Configuration of MP3."""

    kbps: int = 32
    """Constant bit rate, bits a second / 1000; one of the standard's for the sample rate."""
    rate: Annotated[int, one_of(*_FRAMES)] = 16_000
    """Sample rate in Hz; 32000 and above is MPEG-1, below it MPEG-2."""

    @pydantic.model_validator(mode="after")
    def _is_in_the_standard(self) -> Mp3Config:
        allowed = _MPEG1_KBPS if self.rate >= 32_000 else _MPEG2_KBPS
        if self.kbps not in allowed:
            rates = ", ".join(map(str, allowed))
            raise ValueError(f"kbps={self.kbps} does not exist at {self.rate} Hz (use {rates})")
        return self


class Mp3Codec(PyavCodec):
    """MP3 at a constant bit rate, with LAME's bit reservoir."""

    name = "mp3"
    Config = Mp3Config
    config: Mp3Config
    encoder = "libmp3lame"
    decoder = "mp3float"

    @property
    def card(self) -> CodecCard:
        """The card of this configuration."""
        config = self.config
        frame = _FRAMES[config.rate]
        return CodecCard(
            name=self.name,
            title=f"MP3 {config.kbps}",
            description="MPEG audio layer III, constant bit rate, mono.",
            licence="LGPL-2.0-or-later (LAME), LGPL-2.1-or-later (FFmpeg)",
            paper="ISO/IEC 11172-3, 13818-3",
            sample_rate=config.rate,
            frame_rate=config.rate / frame,
            bandwidth_hz=bandwidth(config.kbps, config.rate),
            causal=True,
            delay_samples=DELAY,
            algorithmic_latency_ms=1000 * (DELAY + frame) / config.rate,
            nominal_kbps=float(config.kbps),
        )

    @property
    def _coder(self) -> Coder:
        rate, kbps = self.config.rate, self.config.kbps
        return Coder(self.encoder, self.decoder, rate, "fltp", 1000 * kbps)

    def encode(self, audio: Audio) -> Bitstream:
        """Encode; a packet is an MP3 frame with its header, which the decoder needs."""
        samples, frames = self.padded(audio, _FRAMES[self.config.rate])
        packets, _ = self._coder.encode(samples)
        return self.bitstream(audio, whole_packets(packets[:frames]))

    def decode(self, bitstream: Bitstream) -> Audio:
        """Decode."""
        self.accept(bitstream)
        return self.finished(self._coder.decode(whole_bytes(bitstream.packets)), bitstream)


def bandwidth(kbps: int, rate: int) -> float:
    """Return in Hz where LAME's low-pass filter lies; its highest sub-bands are never used."""
    return min(_LOWPASS_HZ.get(kbps, rate), 29 / 32 * rate / 2)
