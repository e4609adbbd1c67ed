"""Ogg (RFC 3533): the packets of a file with one stream, and a file of given packets."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence

from ...errors import BitstreamError

_PAGE = struct.Struct("<4sBBqIIIB")
_CHECKSUM_AT = 22
_CONTINUED, _FIRST, _LAST = 1, 2, 4
_MAX_SEGMENTS = 255
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def read_packets(data: bytes) -> list[bytes]:
    """Return the packets of an Ogg file that holds one logical stream.

    Raises
    ------
    BitstreamError
        If it is not an Ogg file, is cut off or damaged.
    """
    packets: list[bytes] = []
    pending = b""
    for lengths, body in _pages(data):
        for length in lengths:
            pending, body = pending + body[:length], body[length:]
            if length < _MAX_SEGMENTS:
                packets.append(pending)
                pending = b""
    if pending:
        raise BitstreamError("the Ogg file ends inside a packet")
    return packets


def _pages(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    while data:
        if len(data) < _PAGE.size or data[:4] != b"OggS":
            raise BitstreamError("not an Ogg page")
        segments = data[_PAGE.size - 1]
        start = _PAGE.size + segments
        lengths = data[_PAGE.size : start]
        end = start + sum(lengths)
        if len(lengths) < segments or len(data) < end:
            raise BitstreamError("the Ogg file ends inside a page")
        checksum = struct.unpack_from("<I", data, _CHECKSUM_AT)[0]
        if checksum != _checksum(_without_checksum(data[:end])):
            raise BitstreamError("an Ogg page is damaged (its checksum does not match)")
        yield lengths, data[start:end]
        data = data[end:]


def write_packets(packets: Sequence[bytes], granules: Sequence[int]) -> bytes:
    """Write an Ogg file of one stream, each packet on a page (or pages) of its own.

    Parameters
    ----------
    packets : sequence of bytes
    granules : sequence of int
        Granule position at the end of each packet.
    """
    pages: list[bytes] = []
    for number, (packet, granule) in enumerate(zip(packets, granules, strict=True)):
        is_last = number == len(packets) - 1
        for flags, granule_here, lengths, body in _split(packet, granule):
            first = _FIRST if not pages else 0
            last = _LAST if is_last and granule_here >= 0 else 0
            header = (b"OggS", 0, flags | first | last, granule_here, 1, len(pages), 0)
            page = _PAGE.pack(*header, len(lengths)) + lengths + body
            checksum = struct.pack("<I", _checksum(page))
            pages.append(page[:_CHECKSUM_AT] + checksum + page[_CHECKSUM_AT + 4 :])
    return b"".join(pages)


def _split(packet: bytes, granule: int) -> Iterator[tuple[int, int, bytes, bytes]]:
    """Yield flags, granule position, lacing and body of the pages of one packet."""
    lacing = bytes([255] * (len(packet) // 255) + [len(packet) % 255])
    flags = 0
    while len(lacing) > _MAX_SEGMENTS:
        yield flags, -1, lacing[:_MAX_SEGMENTS], packet[: 255 * _MAX_SEGMENTS]
        lacing, packet = lacing[_MAX_SEGMENTS:], packet[255 * _MAX_SEGMENTS :]
        flags = _CONTINUED
    yield flags, granule, lacing, packet


def _without_checksum(page: bytes) -> bytes:
    return page[:_CHECKSUM_AT] + bytes(4) + page[_CHECKSUM_AT + 4 :]


def _checksum(page: bytes) -> int:
    """Ogg's CRC-32: the polynomial of zlib's, bits not reflected, start and end value zero."""
    reflected = zlib.crc32(page.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{reflected:032b}"[::-1], 2)
