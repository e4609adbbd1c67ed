"""A signal through a streaming codec chunk by chunk, with its delay and its cost measured."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from .streaming import StreamingCodec

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Chunk:
    """What one chunk of input cost.

    Parameters
    ----------
    samples : int
        Of the input.
    bits : int
        Of the packets that it completed.
    encode_seconds, decode_seconds : float
        Elapsed.
    pending : int
        Samples that are still to come out when it has been dealt with.
    """

    samples: int
    bits: int
    encode_seconds: float
    decode_seconds: float
    pending: int


@dataclass
class LiveLink:
    """Encoder and decoder of one signal, side by side.

    Parameters
    ----------
    codec : StreamingCodec
        Loaded.
    sample_rate : int
        Of the signal, in Hz; the codec's own.
    """

    codec: StreamingCodec
    sample_rate: int
    chunks: list[Chunk] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.encoder = self.codec.encoder_stream()
        self.decoder = self.codec.decoder_stream()
        self._in = self._out = 0

    def push(self, samples: Samples) -> Samples:
        """Send a chunk through and return what comes out."""
        return self._send(samples, last=False)

    def finish(self) -> Samples:
        """End the signal and return the rest of it."""
        return self._send(np.zeros(0, np.float32), last=True)

    def _send(self, samples: Samples, last: bool) -> Samples:
        start = time.perf_counter()
        packets = self.encoder.finish() if last else self.encoder.push(samples)
        encoded = time.perf_counter()
        parts = [self.decoder.push(packet) for packet in packets]
        decoded = time.perf_counter()
        out = np.concatenate([np.zeros(0, np.float32), *parts])
        self._in, self._out = self._in + len(samples), self._out + len(out)
        if not last:
            self.chunks.append(
                Chunk(
                    len(samples),
                    sum(packet.bits for packet in packets),
                    encoded - start,
                    decoded - encoded,
                    max(0, self._in - self._out),
                )
            )
        return out

    def summary(self) -> dict[str, float | int]:
        """Return delay and cost over all chunks.

        The delay of a chunk is what lies between its first sample going in and its coming out: the
        chunk itself, the samples that are still held back and the time that coding took. Real-time
        factors are elapsed time over the chunk's length.
        """
        if not self.chunks:
            return {"chunks": 0}
        lengths = np.array([chunk.samples for chunk in self.chunks]) / self.sample_rate
        encode = np.array([chunk.encode_seconds for chunk in self.chunks])
        decode = np.array([chunk.decode_seconds for chunk in self.chunks])
        held = np.array([chunk.pending for chunk in self.chunks]) / self.sample_rate
        delay = 1000 * (np.maximum(lengths, held) + encode + decode)
        factor = (encode + decode) / lengths
        bits = sum(chunk.bits for chunk in self.chunks)
        return {
            "chunks": len(self.chunks),
            "seconds": round(float(lengths.sum()), 6),
            "chunk_ms": round(1000 * float(np.median(lengths)), 3),
            "kbps": round(bits / float(lengths.sum()) / 1000, 3),
            "delay_ms_median": round(float(np.median(delay)), 3),
            "delay_ms_95": round(float(np.quantile(delay, 0.95)), 3),
            "delay_ms_max": round(float(delay.max()), 3),
            "rtf_encode": round(float(encode.sum() / lengths.sum()), 4),
            "rtf_decode": round(float(decode.sum() / lengths.sum()), 4),
            "rtf_95": round(float(np.quantile(factor, 0.95)), 4),
            "late_chunks": int((factor > 1).sum()),
        }
