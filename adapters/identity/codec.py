"""16-bit PCM at the evaluation rate: the upper anchor of every table."""

from __future__ import annotations

import numpy as np

from ...audio import Audio
from ...bitstream import Bitstream, Packet
from ...codec import Codec, CodecCard


class IdentityCodec(Codec):
    """Sends 16-bit samples; what comes back differs by rounding alone."""

    name = "identity"
    keeps_bitstreams = False

    @property
    def card(self) -> CodecCard:
        """The card of this configuration."""
        return CodecCard(
            name=self.name,
            title="PCM 16 bit",
            description="16-bit linear PCM at the evaluation rate; the upper anchor.",
            licence="Apache-2.0",
            causal=True,
            algorithmic_latency_ms=0.0,
        )

    def encode(self, audio: Audio) -> Bitstream:
        """Round to 16 bits (little-endian); samples beyond full scale are clipped."""
        scaled = np.round(audio.samples.astype(np.float64) * 32768.0)
        pcm = np.clip(scaled, -32768, 32767).astype("<i2")
        return self.bitstream(audio, [Packet.whole(pcm.tobytes())])

    def decode(self, bitstream: Bitstream) -> Audio:
        """Read the 16-bit samples."""
        pcm = np.frombuffer(b"".join(packet.data for packet in bitstream.packets), "<i2")
        return Audio(pcm.astype(np.float32) / np.float32(32768.0), bitstream.sample_rate)
