"""G.722 sub-band ADPCM at 64 kbit/s, through FFmpeg's own coder."""

from __future__ import annotations

from ...audio import Audio
from ...bitstream import Bitstream, whole_packets
from ...codec import CodecCard
from ..pyav_coder import Coder, PyavCodec, whole_bytes

RATE = 16_000
FRAME = 2
"""Samples that one octet codes."""
DELAY = 22
"""Samples: the two quadrature mirror filters of 24 taps."""
PACKET_BYTES = 160
"""Octets of 20 ms, the usual packet."""


class G722Codec(PyavCodec):
    """G.722 in mode 1: 6 bits for the lower band and 2 for the upper, every 2 samples."""

    name = "g722"
    encoder = decoder = "g722"

    @property
    def card(self) -> CodecCard:
        """The card of this configuration."""
        return CodecCard(
            name=self.name,
            title="G.722",
            description="Sub-band ADPCM, wideband, 64 kbit/s.",
            licence="LGPL-2.1-or-later (FFmpeg)",
            paper="ITU-T G.722",
            sample_rate=RATE,
            frame_rate=RATE / FRAME,
            causal=True,
            delay_samples=DELAY,
            algorithmic_latency_ms=1000 * (DELAY + FRAME) / RATE,
            nominal_kbps=64.0,
        )

    @property
    def _coder(self) -> Coder:
        return Coder(self.encoder, self.decoder, RATE)

    def encode(self, audio: Audio) -> Bitstream:
        """Encode; packets of 20 ms, the last as short as the signal and its delay allow."""
        samples, octets = self.padded(audio, FRAME)
        coded = b"".join(self._coder.encode(samples)[0])[:octets]
        starts = range(0, octets, PACKET_BYTES)
        return self.bitstream(
            audio, whole_packets(coded[start : start + PACKET_BYTES] for start in starts)
        )

    def decode(self, bitstream: Bitstream) -> Audio:
        """Decode."""
        self.accept(bitstream)
        octets = whole_bytes(bitstream.packets)
        return self.finished(self._coder.decode(octets), bitstream)
