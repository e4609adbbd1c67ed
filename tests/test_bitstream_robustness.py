"""Ten thousand damaged and hostile containers: refused, or read and decoded; nothing else."""

import struct
import time
import tracemalloc
import zlib
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from codecbench import protocol
from codecbench.audio import Audio
from codecbench.bitstream import _HEADER, _LENGTH, MAGIC, Bitstream, Packet
from codecbench.errors import BitstreamError, CodecbenchError, CodecError
from codecbench.registry import codec_of, load_codec
from codecbench.streaming import StreamingCodec

from .adapters.codec_damage import damaged
from .adapters.codec_signals import voice
from .adapters.neural_fixtures import spec_text
from .adapters.neural_specs import STREAMING, TINY

NOISES, CUTS, FLIPS, HEADERS, SPECS, DECODED = 2000, 1500, 3000, 1500, 500, 1500
SECONDS_A_CASE = 2.0
BYTES_A_BYTE, BYTES_AT_LEAST = 60, 200_000
"""A packet without bits costs four bytes in the file and an object of Python's in memory."""

CLASSICAL = ("mulaw", "identity", "g722", "lc3")
ENTROPY = "svcodec:entropy=on"


def test_there_are_ten_thousand_cases():
    assert NOISES + CUTS + FLIPS + HEADERS + SPECS + DECODED == 10_000


@cache
def real():
    """Return real containers: PCM in one packet, frames of bytes, frames of bits."""
    neural = (spec_text(TINY[0]), spec_text(TINY[4]), ENTROPY)
    codecs = [load_codec(spec) for spec in (*CLASSICAL, *neural)]
    signals = [voice(200 + 150 * number, 16_000, number) for number in range(3)]
    return [protocol.encode(codec, signal).data for codec in codecs for signal in signals]


def repaired(data):
    """Give a damaged container its right checksum, so that what lies behind it is read."""
    body = data[:-4]
    return body + struct.pack("<I", zlib.crc32(body))


def read(data):
    """Read a container within bounds of time and memory; return it, or None if refused.

    What is read must be all that is there: written again, it gives the same bytes.
    """
    refusal = ""
    tracemalloc.start()
    start = time.thread_time()
    try:
        bitstream = Bitstream.from_bytes(data)
    except BitstreamError as error:
        bitstream, refusal = None, str(error)
    finally:
        seconds = time.thread_time() - start
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert len(refusal) < 200
    assert len(refusal.splitlines()) <= 1
    assert seconds < SECONDS_A_CASE
    assert peak < BYTES_A_BYTE * len(data) + BYTES_AT_LEAST
    assert bitstream is None or bitstream.to_bytes() == data
    return bitstream


def test_noise_is_refused():
    rng = np.random.default_rng(1)
    for number in range(NOISES):
        data = rng.bytes(int(rng.integers(0, 400)))
        if number % 2:
            data = repaired(MAGIC + data)
        assert read(data) is None


def test_cut_containers_are_refused():
    rng = np.random.default_rng(2)
    for number in range(CUTS):
        whole = real()[number % len(real())]
        cut = whole[: int(rng.integers(0, len(whole)))]
        assert read(cut) is None
        if number % 2 and len(cut) > 8:
            assert read(repaired(cut)) is None


def test_flipped_bits_are_noticed_and_survived_behind_a_right_checksum():
    rng = np.random.default_rng(3)
    read_again = 0
    for number in range(FLIPS):
        data = bytearray(real()[number % len(real())])
        # Half of the flips hit the header, spec and lengths, where they do most harm.
        end = min(80, len(data)) if number % 2 else len(data)
        for position in rng.integers(0, 8 * end, int(rng.integers(1, 5))):
            data[position // 8] ^= 1 << (position % 8)
        if bytes(data) == real()[number % len(real())]:
            continue
        assert read(bytes(data)) is None
        read_again += read(repaired(bytes(data))) is not None
    assert read_again > FLIPS / 10, "nothing got behind the checksum"


EXTREMES = (0, 1, 2, 159, 0x7F, 0xFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def hostile_container(rng):
    """Make a container with a right checksum whose header lies."""
    spec = [b"mulaw", b"", b"\xff\xfe\x80", b"soundstream:weights=nano", rng.bytes(5)]
    chosen = spec[rng.integers(len(spec))]
    samples, rate, packets, side = (int(EXTREMES[rng.integers(len(EXTREMES))]) for _ in range(4))
    told = int(rng.choice([len(chosen), 0xFFFF, 0])) if rng.random() < 0.3 else len(chosen)
    header = _HEADER.pack(told, samples, rate, packets) + _LENGTH.pack(side)
    lengths = [EXTREMES[rng.integers(len(EXTREMES))] for _ in range(rng.integers(0, 6))]
    table = b"".join(_LENGTH.pack(length) for length in lengths)
    return repaired(MAGIC + header + chosen + table + rng.bytes(int(rng.integers(0, 60))) + b"1234")


def test_hostile_headers_are_refused_or_read():
    rng = np.random.default_rng(4)
    for _ in range(HEADERS):
        bitstream = read(hostile_container(rng))
        if bitstream is not None:
            assert bitstream.seconds <= 3600
            assert bitstream.bits >= 0


def test_packets_without_bits_are_read_in_time():
    count = 50_000
    header = _HEADER.pack(5, 160, 8000, count) + _LENGTH.pack(0)
    data = repaired(MAGIC + header + b"mulaw" + bytes(4 * count) + b"1234")
    bitstream = read(data)
    assert len(bitstream.packets) == count
    with pytest.raises(BitstreamError):
        protocol.restore(load_codec("mulaw"), bitstream)


def test_specs_of_strangers_name_a_codec_or_are_refused():
    rng = np.random.default_rng(5)
    pieces = [
        *("mulaw", "opus", "lc3", "codec2", "soundstream", "external", "decoded", "nobody"),
        *(":", ",", "=", "|", '"', "\\", "\x1b[31m", "\0", "\n", " ", "é", "\u202e"),
        *("kbps", "rate", "weights", "dir", "encode", "hz", "nan", "inf", "-1", "1e999", "9" * 999),
        *("/etc/passwd", "../..", "http://example.org/x", "on", "8000", "16", "32"),
    ]
    for number in range(SPECS):
        text = "".join(rng.choice(pieces, int(rng.integers(1, 9))))
        if number % 2:
            text = f"{rng.choice(pieces[:7])}:{rng.choice(pieces[20:24])}={rng.choice(pieces)}"
        start = time.process_time()
        try:
            codec = codec_of(text)
            outside = codec.names_outside_sources
        except CodecbenchError:
            outside = None
        assert time.process_time() - start < SECONDS_A_CASE
        assert outside or "/etc" not in text or outside is None


@cache
def neural():
    """Return tiny neural codecs, each with a bitstream of its own."""
    pairs = []
    for spec in (*map(spec_text, TINY), ENTROPY):
        codec = load_codec(spec)
        audio = voice(12 * codec.hop_length + 7, codec.card.sample_rate, 1)
        pairs.append((codec, codec.encode(audio)))
    return pairs


def broken(bitstream, rng):
    """Damage a bitstream so that its container is still one."""
    packets = list(bitstream.packets)
    kind = rng.integers(6)
    if kind == 0:
        for index in rng.integers(0, len(packets), int(rng.integers(1, 6))):
            bits = packets[index].bits
            size = -(-bits // 8)
            noise = int.from_bytes(rng.bytes(size)) >> (-bits % 8) << (-bits % 8)
            packets[index] = Packet(noise.to_bytes(size), bits)
    elif kind == 1:
        del packets[rng.integers(len(packets)) :]
    elif kind == 2:
        packets.insert(int(rng.integers(len(packets))), Packet.whole(rng.bytes(3)))
    elif kind == 3:
        samples = int(rng.choice([0, 1, bitstream.samples - 1, bitstream.samples + 31, 10**7]))
        return replace(bitstream, samples=samples)
    elif kind == 4:
        return replace(bitstream, sample_rate=int(rng.choice([1, 8000, 16_000, 768_000])))
    else:
        return replace(bitstream, side_information=(Packet.whole(rng.bytes(9)),))
    return replace(bitstream, packets=tuple(packets))


def can_lose(codec):
    """Tell whether packets of a codec may be lost: not the only one of an utterance."""
    return isinstance(codec, StreamingCodec) and codec.card.causal and not codec.config.entropy


def decoded(codec, bitstream, lost=None):
    """Decode; return the audio, which must be finite and whole, or None if refused."""
    start = time.process_time()
    try:
        audio = protocol.restore(codec, bitstream, lost)
    except (BitstreamError, CodecError):
        return None
    finally:
        assert time.process_time() - start < SECONDS_A_CASE
    assert isinstance(audio, Audio)
    assert audio.is_finite
    assert (len(audio), audio.sample_rate) == (bitstream.samples, codec.card.sample_rate)
    return audio


def test_what_can_be_read_is_decoded_or_refused():
    rng = np.random.default_rng(6)
    done = refused = 0
    for number in range(DECODED):
        codec, whole = neural()[number % len(neural())]
        bitstream = Bitstream.from_bytes(broken(whole, rng).to_bytes())
        loses = can_lose(codec) and number % 3 == 0
        lost = set(rng.integers(0, 15, 3).tolist()) if loses else None
        audio = decoded(codec, bitstream, lost)
        done, refused = done + (audio is not None), refused + (audio is None)
    assert done > DECODED / 10
    assert refused > DECODED / 10


@pytest.mark.parametrize("row", TINY, ids=lambda row: row.id)
def test_losses_and_damage_meet(row):
    codec, whole = neural()[TINY.index(row)]
    for _, bitstream in damaged(whole):
        decoded(codec, bitstream)
        if codec.card.causal:
            decoded(codec, bitstream, range(0, len(bitstream.packets), 3))


@pytest.mark.parametrize("row", STREAMING, ids=lambda row: row.id)
def test_missing_packets_are_no_lost_packets(row):
    codec, whole = neural()[TINY.index(row)]
    cut = replace(whole, packets=whole.packets[:-1])
    with pytest.raises(BitstreamError, match="packets"):
        codec.decode_with_losses(cut, [])
    assert decoded(codec, whole, range(len(whole.packets))) is not None
