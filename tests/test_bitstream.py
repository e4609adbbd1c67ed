import pytest
from hypothesis import given
from hypothesis import strategies as st

from codecbench.audio import MAX_SECONDS
from codecbench.bitstream import MAX_SAMPLE_RATE, Bitstream, Packet
from codecbench.errors import BitstreamError


@st.composite
def packets(draw):
    bits = draw(st.integers(0, 40))
    value = draw(st.integers(0, (1 << bits) - 1)) << (-bits % 8)
    return Packet(value.to_bytes(-(-bits // 8), "big"), bits)


@st.composite
def bitstreams(draw):
    rate = draw(st.integers(1, MAX_SAMPLE_RATE))
    return Bitstream(
        codec=draw(st.text(st.characters(exclude_categories=("Cs",)), max_size=30)),
        samples=draw(st.integers(0, min(2**32 - 1, int(MAX_SECONDS) * rate))),
        sample_rate=rate,
        packets=tuple(draw(st.lists(packets(), max_size=10))),
        side_information=tuple(draw(st.lists(packets(), max_size=3))),
    )


@given(bitstreams())
def test_the_container_gives_back_what_went_in(bitstream):
    again = Bitstream.from_bytes(bitstream.to_bytes())
    assert again == bitstream
    assert again.bits == sum(
        packet.bits for packet in bitstream.packets + bitstream.side_information
    )


@given(bitstreams(), st.data())
def test_every_flipped_byte_and_every_cut_is_noticed(bitstream, data):
    whole = bitstream.to_bytes()
    position = data.draw(st.integers(0, len(whole) - 1))
    flipped = bytearray(whole)
    flipped[position] ^= data.draw(st.integers(1, 255))
    for damaged in (bytes(flipped), whole[:position], whole + b"x"):
        with pytest.raises(BitstreamError):
            Bitstream.from_bytes(damaged)


@given(st.binary(max_size=60))
def test_noise_is_refused_without_a_crash(noise):
    with pytest.raises(BitstreamError):
        Bitstream.from_bytes(noise)


def test_counted_bits_leave_out_the_container():
    bitstream = Bitstream("c", 160, 8000, (Packet(b"\xff\xe0", 11),), (Packet(b"\x80", 1),))
    assert (bitstream.main_bits, bitstream.side_bits, bitstream.bits) == (11, 1, 12)
    assert len(bitstream.to_bytes()) * 8 > bitstream.bits


def test_bits_behind_the_end_of_a_packet_are_refused():
    with pytest.raises(BitstreamError, match="not zero"):
        Packet(b"\xff", 7)


@pytest.mark.parametrize(("samples", "rate"), [(1, 4_000_000_000), (2**32 - 1, 8000), (0, 0)])
def test_absurd_lengths_and_rates_are_refused(samples, rate):
    data = Bitstream("c", samples, rate, ()).to_bytes()
    with pytest.raises(BitstreamError, match="not speech"):
        Bitstream.from_bytes(data)
