"""The arithmetic coder of codes: round trips, counted bits, damage, exact models."""

import json
import math
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
from constriction import stream
from hypothesis import example, given, settings
from hypothesis import strategies as st

from codecbench.adapters.nn import entropy
from codecbench.adapters.nn.entropy import EntropyCoder
from codecbench.bitstream import Packet
from codecbench.errors import BitstreamError

SIZES = st.sampled_from([2, 3, 5, 64, 1000, 1024])
SEEDS = st.integers(0, 2**32 - 1)


def case(seed, codebooks, size, frames):
    """Draw counts of any peakedness, and codes that may or may not follow them."""
    rng = np.random.default_rng(seed)
    share = rng.dirichlet(np.full(size, rng.choice([0.01, 0.1, 1, 100])), codebooks)
    counts = (share * rng.choice([0, 50, 10**5, 2**31 - 1])).astype(np.int64)
    if rng.random() < 0.5:
        codes = rng.integers(0, size, (codebooks, frames))
    else:
        codes = np.stack([rng.choice(size, frames, p=row) for row in share])
    return counts, codes


class Lenient(EntropyCoder):
    """Decodes packets whatever follows their end."""

    def __init__(self, counts, packet):
        super().__init__(counts)
        self.packet = packet

    def encode(self, codes):
        return self.packet


def ideal_bits(counts, codes):
    """Cost of codes under the models, computed from fractions and independently of the coder.

    Also returns by how much frequencies that are whole numbers out of 2**24 may move it: a code's
    is less than two above its exact share of what is left when every code has 1.
    """
    bits = slack = 0.0
    for row, prior in zip(codes, np.asarray(counts), strict=True):
        total = 2 * int(prior.sum()) + len(prior)
        unit, frames = entropy._UNIT, entropy.PRIOR_FRAMES
        weights = [max(1, (2 * int(n) + 1) * frames * unit // total) for n in prior]
        for code in row:
            share = Fraction(weights[code], sum(weights))
            exact = share * 2**24
            bits -= math.log2(share)
            slack += math.log2((exact + 2) / exact) + len(prior) / 2**23
            weights[code] += unit
    return bits, slack


@given(SEEDS, st.integers(1, 9), SIZES, st.one_of(st.just(1), st.integers(1, 80)))
@settings(max_examples=150, deadline=None)
def test_what_is_encoded_is_decoded(seed, codebooks, size, frames):
    counts, codes = case(seed, codebooks, size, frames)
    coder = EntropyCoder(counts)
    packet = coder.encode(codes)
    np.testing.assert_array_equal(coder.decode(packet, frames), codes)
    assert coder.encode(codes) == packet  # nothing is kept from one utterance to the next


@given(SEEDS, SIZES, st.integers(1, 60), st.binary(max_size=12))
@settings(max_examples=100, deadline=None)
def test_what_follows_a_packet_does_not_change_what_it_says(seed, size, frames, following):
    counts, codes = case(seed, 2, size, frames)
    packet = EntropyCoder(counts).encode(codes)
    bits = np.unpackbits(np.frombuffer(packet.data, np.uint8))[: packet.bits]
    bits = np.concatenate([bits, np.unpackbits(np.frombuffer(following, np.uint8))])
    longer = Packet(np.packbits(bits).tobytes(), len(bits))
    np.testing.assert_array_equal(Lenient(counts, longer).decode(longer, frames), codes)


@given(SEEDS, st.integers(1, 4), SIZES, st.integers(1, 40))
@example(225687, 1, 1000, 7)  # codes so rare that rounding matters
@settings(max_examples=60, deadline=None)
def test_a_packet_costs_what_its_codes_say_and_less_than_two_bits_more(
    seed, codebooks, size, frames
):
    counts, codes = case(seed, codebooks, size, frames)
    ideal, slack = ideal_bits(counts, codes)
    bits = EntropyCoder(counts).encode(codes).bits
    assert ideal - slack <= bits <= ideal + 2 + slack


def test_even_codes_of_ten_bits_cost_ten_bits():
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 1024, (8, 250))
    bits = EntropyCoder(np.full((8, 1024), 200)).encode(codes).bits
    assert 1.0 < bits / (10 * codes.size) < 1.015  # learning from chance costs the rest


def test_peaky_codes_cost_their_entropy_and_three_hundredths_of_a_bit():
    rng = np.random.default_rng(1)
    share = rng.dirichlet(np.full(1024, 0.02), 4)
    codes = np.stack([rng.choice(1024, 400, p=row) for row in share])
    counts = np.stack([rng.multinomial(150_000, row) for row in share])
    bound = -sum(np.log2(row[code]).sum() for row, code in zip(share, codes, strict=True))
    bits = EntropyCoder(counts).encode(codes).bits
    assert bound < 0.55 * 10 * codes.size
    assert bits < bound + 0.03 * codes.size + 2


def test_adapting_pays_where_speech_is_unlike_the_training_speech():
    rng = np.random.default_rng(2)
    codes = rng.choice(1024, (1, 500), p=rng.dirichlet(np.full(1024, 0.02)))
    bits = EntropyCoder(np.full((1, 1024), 200)).encode(codes).bits
    assert bits < 0.9 * 10 * codes.size


def test_carries_through_many_words():
    # The middle code keeps the interval on both sides of one half: words stay undecided.
    coder = EntropyCoder([[2**30, 0, 2**30]])
    for frames in (5, 50, 500):
        for last in (0, 1, 2):
            codes = np.ones((1, frames), np.int64)
            codes[0, -1] = last
            np.testing.assert_array_equal(coder.decode(coder.encode(codes), frames), codes)


@given(SEEDS, SIZES)
@settings(max_examples=25, deadline=None)
def test_the_models_of_constriction_are_these_integers(seed, size):
    """Every code begins at the cumulative sum of the frequencies, to the last of 24 bits."""
    counts, codes = case(seed, 1, size, 20)
    models = entropy._AdaptiveModels(EntropyCoder(counts)._prior)
    for frame in codes.T:
        models.learn(frame)
    (above_one,) = models.above_one()
    assert (above_one >= 0).all()
    assert (above_one == np.floor(above_one)).all()
    assert above_one.sum() + size == 2**24
    model = stream.model.Categorical(above_one, perfect=False)
    step = (2**64 - 1) >> 24  # how the first code divides the decoder's state
    begin = 0
    for code, frequency in enumerate(above_one.astype(np.int64) + 1):
        for place, expected in ((begin, code), (begin + int(frequency) - 1, code)):
            state = place * step
            words = np.array([state >> 32, state & 0xFFFFFFFF], np.uint32)
            assert stream.queue.RangeDecoder(words).decode(model) == expected
        begin += int(frequency)


KNOWN_COUNTS = [[5, 0, 90, 1000, 3], [7, 7, 7, 7, 7]]
KNOWN_CODES = [[3, 3, 2, 3, 0, 4, 1, 3], [0, 1, 2, 3, 4, 4, 4, 0]]
KNOWN_PACKET = ("236f7b2fcd4180", 51)


def test_a_packet_written_elsewhere_is_read():
    data, bits = KNOWN_PACKET
    packet = Packet(bytes.fromhex(data), bits)
    coder = EntropyCoder(KNOWN_COUNTS)
    assert coder.encode(KNOWN_CODES) == packet
    np.testing.assert_array_equal(coder.decode(packet, 8), KNOWN_CODES)


def test_a_fresh_process_decodes_the_same():
    rng = np.random.default_rng(3)
    counts, codes = rng.integers(0, 1000, (3, 1024)), rng.integers(0, 1024, (3, 50))
    packet = EntropyCoder(counts).encode(codes)
    program = (
        "import json, sys\n"
        "from codecbench.adapters.nn.entropy import EntropyCoder\n"
        "from codecbench.bitstream import Packet\n"
        "counts, data, bits = json.load(sys.stdin)\n"
        "packet = Packet(bytes.fromhex(data), bits)\n"
        "print(json.dumps(EntropyCoder(counts).decode(packet, 50).tolist()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps([counts.tolist(), packet.data.hex(), packet.bits]),
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == codes.tolist()


@given(SEEDS, SIZES, st.binary(max_size=60), st.integers(0, 7), st.integers(0, 5000))
@settings(max_examples=300, deadline=None)
def test_any_bits_give_codes_or_a_bitstream_error(seed, size, data, spare, frames):
    counts, _ = case(seed, 2, size, 1)
    bits = max(0, 8 * len(data) - spare)
    kept = np.unpackbits(np.frombuffer(data, np.uint8))[:bits]
    packet = Packet(np.packbits(kept).tobytes(), bits)
    try:
        codes = EntropyCoder(counts).decode(packet, frames)
    except BitstreamError:
        return
    assert codes.shape == (2, frames)
    assert (codes >= 0).all()
    assert (codes < size).all()


@given(SEEDS, st.integers(2, 60), st.data())
@settings(max_examples=60, deadline=None)
def test_a_packet_of_another_length_is_refused(seed, frames, data):
    codes = np.random.default_rng(seed).integers(0, 1024, (2, frames))
    coder = EntropyCoder(np.ones((2, 1024)))
    packet = coder.encode(codes)
    bits = np.unpackbits(np.frombuffer(packet.data, np.uint8))[: packet.bits]
    cut = data.draw(st.integers(0, packet.bits - 1))
    longer = np.concatenate([bits, np.zeros(8, np.uint8)])
    for wrong in (bits[:cut], longer):
        with pytest.raises(BitstreamError, match="entropy-coded packet"):
            coder.decode(Packet(np.packbits(wrong).tobytes(), len(wrong)), frames)
    for count in (frames - 1, frames + 1, 10**7):
        with pytest.raises(BitstreamError, match="entropy-coded packet"):
            coder.decode(packet, count)
