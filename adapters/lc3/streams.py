"""LC3 frame by frame."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...bitstream import Packet
from ...errors import BitstreamError
from ...streaming import DecoderStream, EncoderStream
from ..pcm import framed
from .coder import concealed, fresh_decoder, fresh_encoder


class Lc3EncoderStream(EncoderStream):
    """Encodes each frame as soon as its samples are there.

    Parameters
    ----------
    frame_ms : float
    rate : int
        In Hz.
    frame_bytes : int
    delay : int
        Samples by which the decoder's output lags.
    """

    def __init__(self, frame_ms: float, rate: int, frame_bytes: int, delay: int) -> None:
        self._encoder = fresh_encoder(frame_ms, rate)
        self._size = self._encoder.get_frame_samples()
        self._bytes = frame_bytes
        self._delay = delay
        self._pending = np.zeros(0, np.float32)

    def push(self, samples: npt.NDArray[np.float32]) -> list[Packet]:
        """Take samples, those beyond full scale being clipped; return the frames they complete."""
        clipped = np.clip(np.asarray(samples, np.float32), -1.0, 1.0)
        signal = np.concatenate([self._pending, clipped])
        ready = len(signal) // self._size * self._size
        self._pending = signal[ready:]
        return self._packets(signal[:ready].reshape(-1, self._size))

    def finish(self) -> list[Packet]:
        """Send the last samples and enough silence to bring them through the delay."""
        rest, self._pending = self._pending, self._pending[:0]
        return self._packets(framed(rest, self._size, self._delay))

    def _packets(self, frames: npt.NDArray[np.generic]) -> list[Packet]:
        coded = (self._encoder.encode(frame.tobytes(), self._bytes) for frame in frames)
        return [Packet.whole(data) for data in coded]


class Lc3DecoderStream(DecoderStream):
    """Decodes frame by frame; liblc3 conceals what is lost.

    Parameters
    ----------
    frame_ms : float
    rate : int
        In Hz.
    frame_bytes : int
    """

    def __init__(self, frame_ms: float, rate: int, frame_bytes: int) -> None:
        self._decoder = fresh_decoder(frame_ms, rate)
        self._bits = 8 * frame_bytes

    def push(self, packet: Packet | None) -> npt.NDArray[np.float32]:
        """Take the next packet, None if lost; return one frame of samples."""
        if packet is None:
            return concealed(self._decoder)
        if packet.bits != self._bits:
            raise BitstreamError(f"a packet has {packet.bits} bits; {self._bits} are needed")
        return np.asarray(self._decoder.decode(packet.data), np.float32)
