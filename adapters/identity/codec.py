"""16-bit PCM at the evaluation rate: the upper anchor of every table."""

from __future__ import annotations

from ...audio import Audio
from ...bitstream import Bitstream
from ...codec import Codec, CodecCard
from ..pcm import pcm_packet, read_pcm


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
            anchor=True,
        )

    def encode(self, audio: Audio) -> Bitstream:
        """Round to 16 bits (little-endian); samples beyond full scale are clipped."""
        return self.bitstream(audio, [pcm_packet(audio.samples)])

    def decode(self, bitstream: Bitstream) -> Audio:
        """Read the 16-bit samples."""
        return read_pcm(bitstream)
