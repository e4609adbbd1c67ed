"""Opus through libopus: raw packets, 48 kHz on both sides."""

from __future__ import annotations

from typing import Annotated, Literal

import pydantic

from ...audio import Audio
from ...bitstream import Bitstream, whole_packets
from ...codec import CodecCard
from ...component import Config
from ..pyav_coder import Coder, PyavCodec, one_of, whole_bytes

RATE = 48_000
"""libopus decodes at 48 kHz; encoding at the same rate leaves resampling to the protocol."""

LOOK_AHEAD_MS = 6.5

_BANDWIDTHS = {"nb": 4_000, "mb": 6_000, "wb": 8_000, "swb": 12_000, "fb": 20_000}
_CUTOFF = {**_BANDWIDTHS}
"""FFmpeg names the largest bandwidth by its frequency."""

_CELT_DELAY = 312
_SILK_DELAY = {"nb": 315, "mb": 309, "wb": 310}
"""Measured, in samples at 48 kHz; SILK's resamplers are off the nominal 312 by a fraction of a
sample at SILK's own rate."""


class OpusConfig(Config):
    """Configuration of Opus."""

    kbps: Annotated[float, pydantic.Field(ge=6, le=64)] = 24.0
    """Target bits a second / 1000."""
    application: Literal["voip", "audio"] = "voip"
    """What the encoder optimises for: intelligibility of speech, or likeness to the input."""
    bandwidth: Literal["nb", "mb", "wb", "swb", "fb"] = "wb"
    """The most it may code: 4, 6, 8, 12 or 20 kHz. `wb` is all that 16 kHz corpora hold."""
    frame_ms: Annotated[int, one_of(10, 20, 40, 60)] = 20
    """Duration of a packet in ms."""
    complexity: Annotated[int, pydantic.Field(ge=0, le=10)] = 10
    """The encoder's effort."""
    vbr: bool = True
    """Variable bit rate; off: every packet has the same size."""


class OpusCodec(PyavCodec):
    """Opus with discontinuous transmission and in-band error correction off."""

    name = "opus"
    Config = OpusConfig
    config: OpusConfig
    encoder = decoder = "libopus"

    @property
    def card(self) -> CodecCard:
        """The card of this configuration."""
        config = self.config
        return CodecCard(
            name=self.name,
            title=f"Opus {config.kbps:g}",
            description="Opus (SILK, CELT and hybrids of them), mono, by libopus.",
            licence="BSD-3-Clause (libopus)",
            paper="RFC 6716",
            sample_rate=RATE,
            frame_rate=1000 / config.frame_ms,
            bandwidth_hz=float(_BANDWIDTHS[speech_bandwidth(config)]),
            causal=True,
            delay_samples=speech_delay(config),
            algorithmic_latency_ms=config.frame_ms + LOOK_AHEAD_MS,
            nominal_kbps=config.kbps,
            notes=("Delay and bandwidth are those of the coder that speech gets at this rate.",),
        )

    @property
    def _coder(self) -> Coder:
        config = self.config
        options = {
            "application": config.application,
            "cutoff": str(_CUTOFF[config.bandwidth]),
            "frame_duration": str(config.frame_ms),
            "compression_level": str(config.complexity),
            "vbr": "on" if config.vbr else "off",
            "dtx": "0",
            "fec": "0",
        }
        bit_rate = round(1000 * config.kbps)
        floats = {"request_sample_fmt": "flt"}
        return Coder(self.encoder, self.decoder, RATE, "flt", bit_rate, options, floats)

    def encode(self, audio: Audio) -> Bitstream:
        """Encode; a packet is an Opus packet, with no Ogg page around it."""
        samples, frames = self.padded(audio, RATE * self.config.frame_ms // 1000)
        packets, _ = self._coder.encode(samples)
        return self.bitstream(audio, whole_packets(packets[:frames]))

    def decode(self, bitstream: Bitstream) -> Audio:
        """Decode in floating point."""
        self.accept(bitstream)
        return self.finished(self._coder.decode(whole_bytes(bitstream.packets)), bitstream)


def equivalent_rate(config: OpusConfig) -> float:
    """Return the bit rate with which libopus decides: short frames, CBR and low effort cost."""
    frames = 1000 / config.frame_ms
    rate = 1000 * config.kbps - max(0.0, 60 * (frames - 50))
    if not config.vbr:
        rate -= rate / 12
    rate *= (90 + config.complexity) / 100
    return 0.8 * rate if config.complexity < 2 else rate


def speech_bandwidth(config: OpusConfig) -> str:
    """Return the bandwidth that speech gets: narrow below 9 kbit/s, else the largest allowed."""
    return "nb" if equivalent_rate(config) < 9_000 else config.bandwidth


def speech_delay(config: OpusConfig) -> int:
    """Return the delay in samples at 48 kHz of the coder that speech gets.

    Speech goes to SILK (whose lower band also decides the delay of hybrid frames), except with
    ``application=audio`` from about 53 kbit/s on, where CELT takes over.
    """
    if config.application == "audio" and equivalent_rate(config) >= 53_600:
        return _CELT_DELAY
    return _SILK_DELAY.get(speech_bandwidth(config), _SILK_DELAY["wb"])
