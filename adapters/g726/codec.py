"""G.726 ADPCM at 16, 24, 32 and 40 kbit/s, through FFmpeg's own coder."""

from __future__ import annotations

from typing import Annotated

from ...audio import Audio
from ...bitstream import Bitstream, Packet
from ...codec import CodecCard
from ...component import Config
from ...errors import BitstreamError
from ..pyav_coder import Coder, PyavCodec, one_of

RATE = 8_000
PACKET_SAMPLES = 160
"""20 ms; whole bytes at every rate."""


class G726Config(Config):
    """Configuration of G.726."""

    kbps: Annotated[int, one_of(16, 24, 32, 40)] = 32
    """Bits a second / 1000: 2, 3, 4 or 5 bits a sample."""


class G726Codec(PyavCodec):
    """Adaptive differential PCM, sample by sample and without delay."""

    name = "g726"
    Config = G726Config
    config: G726Config
    encoder = decoder = "g726"

    @property
    def card(self) -> CodecCard:
        """The card of this configuration."""
        return CodecCard(
            name=self.name,
            title=f"G.726 {self.config.kbps}",
            description="Adaptive differential PCM, narrowband, sample by sample.",
            licence="LGPL-2.1-or-later (FFmpeg)",
            paper="ITU-T G.726",
            sample_rate=RATE,
            frame_rate=float(RATE),
            causal=True,
            delay_samples=0,
            algorithmic_latency_ms=1000 / RATE,
            nominal_kbps=float(self.config.kbps),
        )

    @property
    def _sample_bits(self) -> int:
        return 1000 * self.config.kbps // RATE

    @property
    def _coder(self) -> Coder:
        return Coder(
            self.encoder,
            self.decoder,
            RATE,
            "s16",
            1000 * self.config.kbps,
            decoder_options={"bits_per_coded_sample": str(self._sample_bits)},
        )

    def encode(self, audio: Audio) -> Bitstream:
        """Encode; packets of 20 ms, the last as short as the signal."""
        samples, _ = self.padded(audio, 1)
        coded = b"".join(self._coder.encode(samples)[0])
        bits = self._sample_bits
        size = PACKET_SAMPLES * bits // 8
        packets = []
        for start in range(0, len(samples), PACKET_SAMPLES):
            count = min(PACKET_SAMPLES, len(samples) - start)
            first = start * bits // 8
            packets.append(Packet(coded[first : first + size], count * bits))
        return self.bitstream(audio, packets)

    def decode(self, bitstream: Bitstream) -> Audio:
        """Decode; what the bits after the last sample decode to is dropped."""
        self.accept(bitstream)
        bits = self._sample_bits
        if any(packet.bits % bits for packet in bitstream.packets):
            raise BitstreamError(f"a packet ends inside a sample of {bits} bits")
        if any(packet.bits % 8 for packet in bitstream.packets[:-1]):
            raise BitstreamError("a packet before the last ends inside a byte")
        samples = self._coder.decode([packet.data for packet in bitstream.packets])
        return self.finished(samples[: bitstream.main_bits // bits], bitstream)
