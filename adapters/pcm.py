"""16-bit PCM and frames: what codecs of whole frames have in common."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..audio import Audio, Samples
from ..bitstream import Bitstream, Packet
from ..errors import BitstreamError

Pcm = npt.NDArray[np.int16]

FULL_SCALE = 32768.0


def to_int16(samples: npt.NDArray[np.floating]) -> Pcm:
    """Round to 16 bits; samples beyond full scale are clipped."""
    scaled = np.round(samples.astype(np.float64) * FULL_SCALE)
    return np.clip(scaled, -32768, 32767).astype(np.int16)


def from_int16(pcm: npt.NDArray[np.int16]) -> Samples:
    """Undo `to_int16`, full scale being [-1, 1)."""
    return pcm.astype(np.float32) / np.float32(FULL_SCALE)


def pcm_packet(samples: npt.NDArray[np.floating]) -> Packet:
    """Make a packet of 16-bit little-endian PCM."""
    return Packet.whole(to_int16(samples).astype("<i2").tobytes())


def read_pcm(bitstream: Bitstream) -> Audio:
    """Read the packets as 16-bit little-endian PCM.

    Raises
    ------
    BitstreamError
        If they end inside a sample or hold fewer samples than were coded.
    """
    data = b"".join(packet.data for packet in bitstream.packets)
    if len(data) % 2:
        raise BitstreamError("16-bit PCM of an odd number of bytes")
    require_samples(bitstream, len(data) // 2)
    return Audio(from_int16(np.frombuffer(data, "<i2")), bitstream.sample_rate)


def framed(signal: npt.NDArray[np.generic], size: int, delay: int) -> npt.NDArray[np.generic]:
    """Cut a signal into frames, zeros at its end, so that a codec with `delay` gets it all through.

    Parameters
    ----------
    signal : array, shape (samples,)
    size : int
        Samples of a frame.
    delay : int
        Samples by which the decoder's output lags.

    Returns
    -------
    array, shape (ceil((samples + delay) / size), size)
    """
    frames = -(-(len(signal) + delay) // size)
    return np.pad(signal, (0, frames * size - len(signal))).reshape(frames, size)


def require_samples(bitstream: Bitstream, available: int, delay: int = 0) -> None:
    """Refuse a bitstream whose packets hold fewer samples than it claims.

    Raises
    ------
    BitstreamError
    """
    if available < bitstream.samples + delay:
        raise BitstreamError(
            f"the packets hold {available} samples where {bitstream.samples + delay} are needed"
        )


def packet_data(bitstream: Bitstream, bits: int) -> list[bytes]:
    """Return the packets' bytes, all of which must have `bits` bits.

    Raises
    ------
    BitstreamError
    """
    for number, packet in enumerate(bitstream.packets):
        if packet.bits != bits:
            raise BitstreamError(f"packet {number} has {packet.bits} bits; {bits} are needed")
    return [packet.data for packet in bitstream.packets]
