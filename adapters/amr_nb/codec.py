"""AMR-NB in its eight modes, through OpenCORE's fixed-point coder inside FFmpeg."""

from __future__ import annotations

from typing import Annotated

from ...audio import Audio
from ...bitstream import Bitstream, Packet
from ...codec import CodecCard
from ...component import Config
from ...errors import BitstreamError, CodecError
from ..pyav_coder import Coder, PyavCodec, one_of

RATE = 8_000
FRAME = 160
DELAY = 40
"""Samples: the encoder's look-ahead of 5 ms; the decoder adds none."""

FRAME_BITS = {4.75: 95, 5.15: 103, 5.9: 118, 6.7: 134, 7.4: 148, 7.95: 159, 10.2: 204, 12.2: 244}
"""Speech bits of a 20 ms frame, by kbit/s, in the order of frame types 0 to 7 (TS 26.101)."""

_GOOD_FRAME = 0x04
"""The quality bit of the storage format's octet (RFC 4867, 5.3)."""


class AmrNbConfig(Config):
    """Configuration of AMR-NB."""

    kbps: Annotated[float, one_of(*FRAME_BITS)] = 12.2
    """Mode: speech bits a second / 1000."""


class AmrNbCodec(PyavCodec):
    """AMR narrowband with discontinuous transmission off."""

    name = "amr-nb"
    Config = AmrNbConfig
    config: AmrNbConfig
    encoder = decoder = "libopencore_amrnb"

    @property
    def card(self) -> CodecCard:
        """The card of this configuration."""
        return CodecCard(
            name=self.name,
            title=f"AMR-NB {self.config.kbps:g}",
            description="Adaptive multi-rate narrowband speech codec (ACELP), 20 ms frames.",
            licence="Apache-2.0 (opencore-amr); the standard was covered by patents",
            paper="3GPP TS 26.071, TS 26.090",
            sample_rate=RATE,
            frame_rate=RATE / FRAME,
            causal=True,
            delay_samples=DELAY,
            algorithmic_latency_ms=25.0,
            nominal_kbps=self.config.kbps,
            notes=("Its high-pass filter turns the phase below 300 Hz; SI-SDR says little.",),
        )

    @property
    def _coder(self) -> Coder:
        bit_rate = round(1000 * self.config.kbps)
        options = {"dtx": "0"}
        return Coder(self.encoder, self.decoder, RATE, "s16", bit_rate, options)

    @property
    def _octet(self) -> bytes:
        frame_type = list(FRAME_BITS).index(self.config.kbps)
        return bytes([frame_type << 3 | _GOOD_FRAME])

    def encode(self, audio: Audio) -> Bitstream:
        """Encode; a packet is a frame's speech bits, without the storage format's octet."""
        samples, frames = self.padded(audio, FRAME)
        stored, _ = self._coder.encode(samples)
        return self.bitstream(audio, [self._speech_bits(frame) for frame in stored[:frames]])

    def _speech_bits(self, stored: bytes) -> Packet:
        if stored[:1] != self._octet:
            raise CodecError(f"the AMR encoder left its mode: frame octet {stored[:1].hex()}")
        return Packet(stored[1:], FRAME_BITS[self.config.kbps])

    def decode(self, bitstream: Bitstream) -> Audio:
        """Rebuild the stored frames and decode them."""
        self.accept(bitstream)
        bits = FRAME_BITS[self.config.kbps]
        for index, packet in enumerate(bitstream.packets):
            if packet.bits != bits:
                raise BitstreamError(
                    f"frame {index} has {packet.bits} bits; {self.spec} sends {bits}"
                )
        stored = [self._octet + packet.data for packet in bitstream.packets]
        return self.finished(self._coder.decode(stored), bitstream)
