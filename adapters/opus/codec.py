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

_BANDWIDTHS_HZ = {"nb": 4_000, "wb": 8_000, "swb": 12_000, "fb": 20_000}
"""Narrow, wide, super-wide and full band; FFmpeg's `cutoff` takes the same figures."""

_NEEDED_RATE = {"nb": 0, "wb": 9_000, "swb": 13_500, "fb": 14_000}
"""Equivalent bits a second from which on libopus codes speech with a bandwidth."""

_ANALYSIS_COMPLEXITY = 7
"""From here on libopus tells speech from music; below, ``audio`` is taken for rather music."""

_CELT_RATES = {True: 53_600, False: 17_600}
"""Equivalent bits a second from which on ``application=audio`` codes speech with CELT, with and
without that analysis: libopus's threshold of 10 (music) to 64 (voice) kbit/s, interpolated."""

_CELT_DELAY = 312
_SILK_DELAY = {"nb": 315, "wb": 310}
"""Measured, in samples at 48 kHz; the resamplers around SILK are off the nominal 312 by a
fraction of a sample at SILK's own 8 or 16 kHz."""


class OpusConfig(Config):
    """Configuration of Opus."""

    kbps: Annotated[float, pydantic.Field(ge=6, le=64)] = 24.0
    """Target bits a second / 1000."""
    application: Literal["audio", "voip"] = "audio"
    """What the encoder aims at: likeness to the input, or (`voip`) speech that was cleaned by a
    high-pass filter; both code speech as speech."""
    bandwidth: Literal["nb", "wb", "swb", "fb"] = "wb"
    """The most it may code: 4, 8, 12 or 20 kHz. `wb` is all that 16 kHz corpora hold."""
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
            bandwidth_hz=float(_BANDWIDTHS_HZ[speech_bandwidth(config)]),
            causal=True,
            delay_samples=speech_delay(config),
            algorithmic_latency_ms=config.frame_ms + LOOK_AHEAD_MS,
            nominal_kbps=config.kbps,
            notes=("Delay and bandwidth are those of the coder that speech gets.",),
        )

    @property
    def _coder(self) -> Coder:
        config = self.config
        options = {
            "application": config.application,
            "cutoff": str(_BANDWIDTHS_HZ[config.bandwidth]),
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


def mode_rate(config: OpusConfig) -> float:
    """Return the bits a second by which libopus decides between SILK and CELT.

    Its `compute_equiv_rate`: short frames, constant bit rate and low effort count as if fewer
    bits were there.
    """
    frames_a_second = 1000 / config.frame_ms
    rate = 1000 * config.kbps - max(0.0, 60 * (frames_a_second - 50))
    if not config.vbr:
        rate -= rate / 12
    return rate * (90 + config.complexity) / 100


def bandwidth_rate(config: OpusConfig) -> float:
    """Return the bits a second by which libopus decides SILK's bandwidth."""
    return mode_rate(config) * (0.8 if config.complexity < 2 else 1.0)


def speech_bandwidth(config: OpusConfig) -> str:
    """Return the bandwidth with which speech is coded: the largest allowed and affordable."""
    names = list(_BANDWIDTHS_HZ)
    allowed = names[: names.index(config.bandwidth) + 1]
    rate = bandwidth_rate(config)
    return [name for name in allowed if _NEEDED_RATE[name] <= rate][-1]


def speech_delay(config: OpusConfig) -> int:
    """Return the delay in samples at 48 kHz of the coder that speech gets.

    That is SILK, which also decides the delay of hybrid frames, or CELT at high rates.
    """
    has_analysis = config.complexity >= _ANALYSIS_COMPLEXITY
    if config.application == "audio" and mode_rate(config) >= _CELT_RATES[has_analysis]:
        return _CELT_DELAY
    return _SILK_DELAY["nb" if speech_bandwidth(config) == "nb" else "wb"]
