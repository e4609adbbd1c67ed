"""LC3 (Bluetooth SIG, Low Complexity Communication Codec 1.0): 7.5 or 10 ms MDCT frames."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pydantic

from ...audio import Audio
from ...bitstream import Bitstream, Packet
from ...codec import CodecCard
from ...component import Config, Requirement
from ...streaming import StreamingCodec
from ..pcm import require_samples
from .streams import Lc3DecoderStream, Lc3EncoderStream

SAMPLE_RATES = (8000, 16000, 24000, 32000, 48000)
MIN_FRAME_BYTES = 20
"""The specification has frames of 20 to 400 bytes; 320 kbps needs no more than 400."""

LOOK_AHEAD_MS = {7.5: 4.0, 10.0: 2.5}
"""By duration of a frame: overlap of the low-delay MDCT beyond the frame."""


class Lc3Config(Config):
    """Configuration of `Lc3Codec`."""

    kbps: float = pydantic.Field(default=32.0, ge=16, le=320)
    """Rate, rounded down to whole bytes a frame."""
    frame_ms: float = 10.0
    """Duration of a frame: 7.5 or 10."""
    rate: int = 16000
    """Sample rate in Hz: 8000, 16000, 24000, 32000 or 48000."""

    @pydantic.field_validator("frame_ms")
    @classmethod
    def _known_frame(cls, frame_ms: float) -> float:
        if frame_ms not in LOOK_AHEAD_MS:
            raise ValueError("LC3 has frames of 7.5 and 10 ms")
        return frame_ms

    @pydantic.field_validator("rate")
    @classmethod
    def _known_rate(cls, rate: int) -> int:
        if rate not in SAMPLE_RATES:
            raise ValueError(f"LC3 has the sample rates {', '.join(map(str, SAMPLE_RATES))}")
        return rate

    @pydantic.model_validator(mode="after")
    def _frame_size(self) -> Lc3Config:
        if self.frame_bytes < MIN_FRAME_BYTES:
            least = np.ceil(80 * MIN_FRAME_BYTES / self.frame_ms) / 10
            raise ValueError(
                f"a frame has at least {MIN_FRAME_BYTES} bytes: "
                f"with {self.frame_ms:g} ms, kbps is {least:g} or more"
            )
        return self

    @property
    def frame_bytes(self) -> int:
        """Bytes of a frame."""
        return round(1000 * self.kbps) * round(10 * self.frame_ms) // 80_000

    @property
    def frame_samples(self) -> int:
        """Samples of a frame."""
        return round(self.rate * self.frame_ms / 1000)


class Lc3Codec(StreamingCodec):
    """LC3 at a constant rate, one packet a frame of whole bytes."""

    name = "lc3"
    requirements = (Requirement("module", "lc3", "pip install lc3py"),)
    Config = Lc3Config
    config: Lc3Config

    @property
    def card(self) -> CodecCard:
        """The card of this configuration."""
        config = self.config
        look_ahead = LOOK_AHEAD_MS[config.frame_ms]
        return CodecCard(
            name=self.name,
            title="LC3",
            description="MDCT codec of Bluetooth LE Audio, constant rate, no bit reservoir.",
            licence="Apache-2.0 (liblc3, lc3py)",
            paper="Bluetooth SIG, Low Complexity Communication Codec (LC3) v1.0, 2020",
            sample_rate=config.rate,
            frame_rate=1000 / config.frame_ms,
            bandwidth_hz=min(config.rate / 2, 20_000.0),
            causal=True,
            delay_samples=round(config.rate * look_ahead / 1000),
            algorithmic_latency_ms=config.frame_ms + look_ahead,
            nominal_kbps=8 * config.frame_bytes / config.frame_ms,
        )

    def encode(self, audio: Audio) -> Bitstream:
        """Encode frame by frame from a fresh state; samples beyond full scale are clipped."""
        stream = self.encoder_stream()
        return self.bitstream(audio, [*stream.push(audio.samples), *stream.finish()])

    def decode(self, bitstream: Bitstream) -> Audio:
        """Decode frame by frame from a fresh state."""
        return self.decode_with_losses(bitstream, ())

    def decode_with_losses(self, bitstream: Bitstream, lost: Iterable[int]) -> Audio:
        """Decode while liblc3 conceals lost packets; see `StreamingCodec.decode_with_losses`."""
        samples = len(bitstream.packets) * self.config.frame_samples
        require_samples(bitstream, samples, self.card.delay_samples or 0)
        return super().decode_with_losses(bitstream, lost)

    def encoder_stream(self) -> Lc3EncoderStream:
        """Start to encode a signal."""
        config = self.config
        delay = self.card.delay_samples or 0
        return Lc3EncoderStream(config.frame_ms, config.rate, config.frame_bytes, delay)

    def decoder_stream(self, side_information: Sequence[Packet] = ()) -> Lc3DecoderStream:
        """Start to decode a signal; LC3 has no side information."""
        config = self.config
        return Lc3DecoderStream(config.frame_ms, config.rate, config.frame_bytes)
