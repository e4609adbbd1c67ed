"""G.711 mu-law (ITU-T, 1988): the law of the Recommendation's table, 8 bits a sample."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pydantic

from ...audio import Audio, Samples
from ...bitstream import Bitstream, Packet
from ...codec import Codec, CodecCard
from ...component import Config
from ..pcm import require_samples

FULL_SCALE = 8192.0
"""G.711 numbers its values in steps of 14-bit PCM."""


def decision_values() -> npt.NDArray[np.float64]:
    """Return the 127 decision values above 0 of G.711, table 2a: 1, 3, 5 … 31, 35 … 7903.

    In steps of 14-bit PCM. Eight segments of 16 intervals, each twice as wide as those of the
    segment before; only the interval at zero is half as wide as its neighbours.
    """
    segment, step = np.divmod(np.arange(1, 128), 16)
    values: npt.NDArray[np.float64] = (2.0 * step + 32.0) * 2.0**segment - 33.0
    return values


def output_values() -> npt.NDArray[np.float64]:
    """Return the 128 quantized values of G.711, table 2a: 0, 2, 4 … 30, 33 … 8031.

    In steps of 14-bit PCM; each is the middle of its interval, except for 0.
    """
    segment, step = np.divmod(np.arange(128), 16)
    values: npt.NDArray[np.float64] = (2.0 * step + 33.0) * 2.0**segment - 33.0
    return values


def compress(samples: npt.NDArray[np.floating]) -> npt.NDArray[np.uint8]:
    """Code samples with full scale [-1, 1] as G.711 sends them (all bits inverted).

    A sample on a decision value goes to the interval above it (towards positive values).
    """
    steps = samples.astype(np.float64) * FULL_SCALE
    thresholds = decision_values()
    is_positive = steps >= 0
    magnitude = np.abs(steps)
    above = np.searchsorted(thresholds, magnitude, side="right")
    below = np.searchsorted(thresholds, magnitude, side="left")
    interval = np.where(is_positive, above, below)
    return ((0x7F - interval) | np.where(is_positive, 0x80, 0)).astype(np.uint8)


def expand(codes: npt.NDArray[np.uint8]) -> Samples:
    """Undo `compress`, to the quantized values of the Recommendation."""
    magnitude = output_values()[0x7F - (codes & 0x7F)]
    signed: Samples = np.where(codes & 0x80, magnitude, -magnitude).astype(np.float32)
    return signed / np.float32(FULL_SCALE)


class MulawConfig(Config):
    """Configuration of `MulawCodec`."""

    rate: int | None = pydantic.Field(default=None, ge=4000, le=192_000)
    """Sample rate in Hz (telephony: 8000); the evaluation rate if not given."""


class MulawCodec(Codec):
    """Mu-law at the evaluation rate or a rate of its own."""

    name = "mulaw"
    keeps_bitstreams = False
    Config = MulawConfig
    config: MulawConfig

    @property
    def card(self) -> CodecCard:
        """The card of this configuration."""
        rate = self.config.rate
        return CodecCard(
            name=self.name,
            title="G.711 mu-law",
            description="Logarithmic 8-bit PCM, sample by sample.",
            licence="Apache-2.0",
            paper="ITU-T G.711, Pulse code modulation of voice frequencies, 1988",
            sample_rate=rate,
            frame_rate=None if rate is None else float(rate),
            causal=True,
            algorithmic_latency_ms=0.0,
            anchor=True,
            nominal_kbps=None if rate is None else 8 * rate / 1000,
            notes=() if rate else ("the law of G.711 at the evaluation rate, not only at 8 kHz",),
        )

    def encode(self, audio: Audio) -> Bitstream:
        """Code each sample in 8 bits; samples beyond the law's range take its last interval."""
        return self.bitstream(audio, [Packet.whole(compress(audio.samples).tobytes())])

    def decode(self, bitstream: Bitstream) -> Audio:
        """Look up each code's value."""
        codes = np.frombuffer(b"".join(packet.data for packet in bitstream.packets), np.uint8)
        require_samples(bitstream, len(codes))
        return Audio(expand(codes), bitstream.sample_rate)
