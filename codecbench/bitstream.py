"""`Bitstream`: what a sender sends, with exact bit counts, and its container file (``.cbs``).

Counted as rate: packets and side information. Not counted, alike for all codecs: the
container's magic, spec, sample count, packet lengths and checksum.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from .audio import MAX_SECONDS
from .errors import BitstreamError

MAX_SAMPLE_RATE = 768_000
"""In Hz; a higher one is a damaged or hostile file."""

MAGIC = b"CBS\x01"
_HEADER = struct.Struct("<HIII")
_LENGTH = struct.Struct("<I")
_CHECKSUM = struct.Struct("<I")
SUFFIX = ".cbs"


@dataclass(frozen=True, slots=True)
class Packet:
    """A run of bits that may end inside a byte.

    Parameters
    ----------
    data : bytes
        ceil(bits / 8) bytes; the bits after the last are zero.
    bits : int
    """

    data: bytes
    bits: int

    def __post_init__(self) -> None:
        if len(self.data) != -(-self.bits // 8):
            raise BitstreamError(f"{self.bits} bits do not fit exactly into {len(self.data)} bytes")
        spare = 8 * len(self.data) - self.bits
        if spare and self.data[-1] & ((1 << spare) - 1):
            raise BitstreamError("the bits after the end of a packet are not zero")

    @classmethod
    def whole(cls, data: bytes) -> Packet:
        """Make a packet of whole bytes."""
        return cls(bytes(data), 8 * len(data))


@dataclass(frozen=True, slots=True)
class Bitstream:
    """The bits of one coded signal.

    Parameters
    ----------
    codec : str
        Canonical spec of the codec.
    samples : int
        Length of the coded signal in samples at the codec's rate.
    sample_rate : int
        The codec's rate in Hz.
    packets : tuple of Packet
        What is sent, in order.
    side_information : tuple of Packet
        What is sent once (speaker embedding, prompt, stream header).
    """

    codec: str
    samples: int
    sample_rate: int
    packets: tuple[Packet, ...]
    side_information: tuple[Packet, ...] = field(default=())

    @property
    def main_bits(self) -> int:
        """Bits of all packets."""
        return sum(packet.bits for packet in self.packets)

    @property
    def side_bits(self) -> int:
        """Bits of the side information."""
        return sum(packet.bits for packet in self.side_information)

    @property
    def bits(self) -> int:
        """All counted bits."""
        return self.main_bits + self.side_bits

    @property
    def seconds(self) -> float:
        """Duration of the coded signal."""
        return self.samples / self.sample_rate

    def to_bytes(self) -> bytes:
        """Write the container: magic, header, packet lengths, packets, CRC-32."""
        spec = self.codec.encode()
        if len(spec) > 0xFFFF:
            raise BitstreamError("the codec's spec is longer than 65535 bytes")
        parts = [MAGIC, _HEADER.pack(len(spec), self.samples, self.sample_rate, len(self.packets))]
        parts += [_LENGTH.pack(len(self.side_information)), spec]
        everything = self.packets + self.side_information
        parts += [_LENGTH.pack(packet.bits) for packet in everything]
        parts += [packet.data for packet in everything]
        body = b"".join(parts)
        return body + _CHECKSUM.pack(zlib.crc32(body))

    @classmethod
    def from_bytes(cls, data: bytes) -> Bitstream:
        """Read the container.

        Raises
        ------
        BitstreamError
            If it is not one, is cut off, damaged, or of another version.
        """
        reader = _Reader(_checked_body(data))
        spec_length, samples, rate, count = _HEADER.unpack(reader.take(_HEADER.size))
        (side_count,) = _LENGTH.unpack(reader.take(_LENGTH.size))
        try:
            spec = reader.take(spec_length).decode()
        except UnicodeDecodeError as error:
            raise BitstreamError("the codec's spec is not UTF-8 text") from error
        table = reader.take(_LENGTH.size * (count + side_count))
        lengths = [bits for (bits,) in _LENGTH.iter_unpack(table)]
        packets = tuple(Packet(reader.take(-(-bits // 8)), bits) for bits in lengths)
        reader.expect_end()
        if not 0 < rate <= MAX_SAMPLE_RATE or samples > MAX_SECONDS * rate:
            raise BitstreamError(f"{samples} samples at {rate} Hz are not speech")
        return cls(spec, samples, rate, packets[:count], packets[count:])


def _checked_body(data: bytes) -> memoryview:
    if len(data) < len(MAGIC) or data[: len(MAGIC) - 1] != MAGIC[:-1]:
        raise BitstreamError("not a codecbench bitstream (its first bytes are not CBS)")
    if data[len(MAGIC) - 1] != MAGIC[-1]:
        raise BitstreamError(f"container version {data[len(MAGIC) - 1]}; this reads {MAGIC[-1]}")
    body, tail = memoryview(data)[: -_CHECKSUM.size], data[-_CHECKSUM.size :]
    if len(body) < len(MAGIC) or zlib.crc32(body) != _CHECKSUM.unpack(tail)[0]:
        raise BitstreamError("the bitstream is damaged or cut off (its checksum does not match)")
    return body[len(MAGIC) :]


class _Reader:
    def __init__(self, data: memoryview) -> None:
        self._data = data

    def take(self, size: int) -> bytes:
        if size > len(self._data):
            raise BitstreamError("the bitstream ends inside a field")
        taken, self._data = bytes(self._data[:size]), self._data[size:]
        return taken

    def expect_end(self) -> None:
        if len(self._data):
            raise BitstreamError(f"{len(self._data)} bytes follow the end of the bitstream")


def whole_packets(chunks: Iterable[bytes]) -> tuple[Packet, ...]:
    """Make packets of whole bytes."""
    return tuple(Packet.whole(chunk) for chunk in chunks)
