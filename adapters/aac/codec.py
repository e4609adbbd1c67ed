"""AAC-LC through FFmpeg's own encoder and decoder."""

from __future__ import annotations

from typing import Annotated

import pydantic

from ...audio import Audio
from ...bitstream import Bitstream, Packet, whole_packets
from ...codec import CodecCard
from ...component import Config
from ..pyav_coder import Coder, PyavCodec, one_of, whole_bytes

FRAME = 1_024
DELAY = 1_024
"""Samples: one overlap of the transform."""
RATES = (8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
MAX_FRAME_BITS = 6_144
"""A frame of one channel may not hold more (ISO/IEC 14496-3)."""


class AacConfig(Config):
    """Configuration of AAC."""

    kbps: Annotated[float, pydantic.Field(ge=8)] = 32.0
    """Target bits a second / 1000."""
    rate: Annotated[int, one_of(*RATES)] = 16_000
    """Sample rate in Hz."""

    @pydantic.model_validator(mode="after")
    def _fits_the_standard(self) -> AacConfig:
        limit = MAX_FRAME_BITS * self.rate / FRAME / 1000
        if self.kbps > limit:
            raise ValueError(f"kbps must be at most {limit:g} at {self.rate} Hz")
        return self


class AacCodec(PyavCodec):
    """AAC low complexity, FFmpeg's rate control."""

    name = "aac"
    Config = AacConfig
    config: AacConfig
    encoder = decoder = "aac"

    @property
    def card(self) -> CodecCard:
        """The card of this configuration."""
        config = self.config
        return CodecCard(
            name=self.name,
            title=f"AAC-LC {config.kbps:g}",
            description="MPEG-4 AAC low complexity, mono, FFmpeg's encoder.",
            licence="LGPL-2.1-or-later (FFmpeg)",
            paper="ISO/IEC 14496-3",
            sample_rate=config.rate,
            frame_rate=config.rate / FRAME,
            bandwidth_hz=bandwidth(config.kbps, config.rate),
            causal=True,
            delay_samples=DELAY,
            algorithmic_latency_ms=1000 * (DELAY + FRAME) / config.rate,
            nominal_kbps=config.kbps,
        )

    @property
    def _coder(self) -> Coder:
        rate, bit_rate = self.config.rate, round(1000 * self.config.kbps)
        return Coder(self.encoder, self.decoder, rate, "fltp", bit_rate)

    def encode(self, audio: Audio) -> Bitstream:
        """Encode; packets are raw data blocks, AudioSpecificConfig is side information."""
        samples, frames = self.padded(audio, FRAME)
        packets, header = self._coder.encode(samples)
        return self.bitstream(audio, whole_packets(packets[:frames]), [Packet.whole(header)])

    def decode(self, bitstream: Bitstream) -> Audio:
        """Decode with the AudioSpecificConfig that was sent."""
        self.accept(bitstream, side_packets=1)
        (header,) = whole_bytes(bitstream.side_information)
        packets = whole_bytes(bitstream.packets)
        return self.finished(self._coder.decode(packets, header), bitstream)


def bandwidth(kbps: float, rate: int) -> float:
    """Return in Hz up to where FFmpeg's encoder codes at a bit rate.

    The encoder's own rule (libavcodec, `AAC_CUTOFF_FROM_BITRATE`), which counts on noise
    substitution to make 15 % more of the bits; it rounds up to the next scale factor band.
    """
    bits = 1.15 * 1000 * kbps
    coded = min(max(bits / 5, bits * 15 / 32 - 5_500), 3_000 + bits / 4, 12_000 + bits / 16)
    return min(max(3_000.0, coded), 22_000.0, rate / 2)
