"""Bitstreams that were damaged on their way, yet are valid containers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from codecbench.audio import MAX_SECONDS
from codecbench.bitstream import Bitstream, Packet

FLIP_RATES = (0.001, 0.01, 0.1, 0.5)


def damaged(bitstream: Bitstream) -> Iterator[tuple[str, Bitstream]]:
    """Yield named variants of a bitstream: flipped bits, lost and odd packets, false claims."""
    packets, side = bitstream.packets, bitstream.side_information
    for seed, rate in enumerate(FLIP_RATES * 2):
        rng = np.random.default_rng(seed)
        flipped = tuple(_flip(packet, rate, rng) for packet in packets)
        yield f"flips-{seed}", replace(bitstream, packets=flipped)
        if side:
            flipped = tuple(_flip(packet, rate, rng) for packet in side)
            yield f"side-flips-{seed}", replace(bitstream, side_information=flipped)
    middle = len(packets) // 2
    sequences = {
        "none": (),
        "half": packets[:middle],
        "first-lost": packets[1:],
        "middle-lost": packets[:middle] + packets[middle + 1 :],
        "reversed": packets[::-1],
        "doubled": packets * 2,
        "empty-packet": (*packets[:middle], Packet(b"", 0), *packets[middle + 1 :]),
        "all-empty": (Packet(b"", 0),) * len(packets),
        "bit-short": (*packets[:-1], _cut(packets[-1], packets[-1].bits - 1)),
        "half-packet": tuple(_cut(packet, packet.bits // 2) for packet in packets),
        "byte-long": (*packets[:-1], Packet.whole(packets[-1].data + b"\xff")),
        "zeros": tuple(Packet(bytes(len(p.data)), p.bits) for p in packets),
        "ones": tuple(_ones(packet.bits) for packet in packets),
    }
    for name, sequence in sequences.items():
        yield name, replace(bitstream, packets=sequence)
    if side:
        yield "side-lost", replace(bitstream, side_information=())
    yield "side-extra", replace(bitstream, side_information=(*side, Packet.whole(b"\x00" * 40)))
    yield "side-odd", replace(bitstream, side_information=(Packet.whole(b"\x14\x88\xff"),))
    yield "one-sample", replace(bitstream, samples=1)
    longest = int(MAX_SECONDS) * bitstream.sample_rate  # the container refuses more
    yield "an-hour-of-samples", replace(bitstream, samples=longest)
    yield "other-rate", replace(bitstream, sample_rate=11_025)


def _flip(packet: Packet, rate: float, rng: np.random.Generator) -> Packet:
    bits = np.unpackbits(np.frombuffer(packet.data, np.uint8))
    bits[: packet.bits] ^= (rng.random(packet.bits) < rate).astype(np.uint8)
    return Packet(np.packbits(bits).tobytes(), packet.bits)


def _cut(packet: Packet, bits: int) -> Packet:
    bits = max(0, bits)
    kept = np.unpackbits(np.frombuffer(packet.data, np.uint8))[:bits]
    return Packet(np.packbits(kept).tobytes(), bits)


def _ones(bits: int) -> Packet:
    return Packet(np.packbits(np.ones(bits, np.uint8)).tobytes(), bits)
