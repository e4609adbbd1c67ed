"""The model of packet loss: what it reads, what it loses, and whom it refuses."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codecbench import protocol
from codecbench.audio import Audio
from codecbench.errors import CodecError, UserError
from codecbench.packet_loss import PacketLoss, require_streaming
from codecbench.registry import CODECS, codec_of, component_class, names
from codecbench.streaming import StreamingCodec

losses = st.builds(
    PacketLoss,
    rate=st.floats(0.01, 0.5),
    burst=st.none() | st.floats(1, 50),
    seed=st.integers(0, 2**32 - 1),
)


@pytest.mark.parametrize(
    ("text", "expected", "shown"),
    [
        ("5%", {"rate": 0.05}, "5%"),
        ("0.05", {"rate": 0.05}, "5%"),
        (" 0.3 % ", {"rate": 0.003}, "0.3%"),
        ("rate=0.25,seed=7", {"rate": 0.25, "seed": 7}, "25%,seed=7"),
        ("5%,burst=2.5,seed=1", {"rate": 0.05, "burst": 2.5, "seed": 1}, "5%,burst=2.5,seed=1"),
    ],
)
def test_a_rate_is_read_with_its_keys(text, expected, shown):
    loss = PacketLoss.parse(text)
    assert loss == PacketLoss(**expected)
    assert str(loss) == shown
    assert PacketLoss.parse(shown) == loss


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0", "above 0 and below 1, such as 5% or 0.05 \\(got 0\\)"),
        ("1", "above 0 and below 1"),
        ("100%", "above 0 and below 1"),
        ("5", "above 0 and below 1"),
        ("-1%", "above 0 and below 1"),
        ("nan", "above 0 and below 1"),
        ("x%", "such as 5%"),
        ("%", "such as 5%"),
        ("often", "valid number"),
        ("5%,burst=0.5", "burst"),
        ("90%,burst=2", "at this rate, burst is 9 or more"),
        ("5%,seed=-1", "seed"),
        ("5%,bust=3", "unknown key 'bust'"),
        ("5%,rate=6%", "gives the rate twice"),
        ("5%|10%", "sweep"),
        ("burst=3", "needs the key rate"),
    ],
)
def test_what_is_no_rate_is_refused(text, message):
    with pytest.raises(UserError, match=message):
        PacketLoss.parse(text)


@given(losses, st.integers(0, 300), st.integers(0, 300), st.text(max_size=5))
def test_longer_streams_lose_the_same_and_more(loss, first, second, key):
    few, many = sorted((first, second))
    of_many = loss.draw(many, [key])
    assert loss.draw(few, [key]) == {position for position in of_many if position < few}
    assert all(0 <= position < many for position in of_many)


def test_what_is_lost_depends_on_seed_and_utterance():
    loss = PacketLoss(rate=0.1)
    drawn = loss.draw(1000, ("demo", "test", "a"))
    assert drawn == PacketLoss(rate=0.1).draw(1000, ("demo", "test", "a"))
    assert drawn != loss.draw(1000, ("demo", "test", "b"))
    assert drawn != PacketLoss(rate=0.1, seed=1).draw(1000, ("demo", "test", "a"))


def test_what_is_lost_is_the_same_in_every_version():
    lost = PacketLoss(rate=0.2).draw(20, ("demo", "", "first"))
    assert sorted(lost) == [5, 13, 14]


@pytest.mark.parametrize("burst", [None, 1.0, 3.0, 10.0])
@pytest.mark.parametrize("rate", [0.05, 0.3])
def test_rate_and_burst_are_kept_on_average(rate, burst):
    packets = 200_000
    lost = PacketLoss(rate=rate, burst=burst).draw(packets)
    runs = [
        len(list(run))
        for is_lost, run in itertools.groupby(range(packets), lost.__contains__)
        if is_lost
    ]
    assert len(lost) / packets == pytest.approx(rate, rel=0.1)
    assert np.mean(runs) == pytest.approx(1 / (1 - rate) if burst is None else burst, rel=0.1)


def test_the_first_packet_is_lost_as_often_as_others():
    loss = PacketLoss(rate=0.2, burst=5)
    first = sum(0 in loss.draw(1, [str(key)]) for key in range(5000))
    assert first / 5000 == pytest.approx(0.2, abs=0.02)


def test_codecs_that_cannot_lose_packets_are_named_with_those_that_can():
    codecs = [codec_of(name) for name in ("identity", "lowpass:hz=1000", "lc3", "mulaw")]
    with pytest.raises(UserError) as refused:
        require_streaming(codecs)
    message = str(refused.value)
    assert "packets cannot be lost with identity, lowpass:hz=1000, mulaw: " in message
    streaming = [n for n in names(CODECS) if issubclass(component_class(CODECS, n), StreamingCodec)]
    assert f"({', '.join(streaming)})" in message
    assert "lc3" in streaming
    assert len(message.splitlines()) == 1


def test_audio_decoded_elsewhere_cannot_lose_packets(tmp_path):
    with pytest.raises(UserError, match="packets cannot be lost with decoded:"):
        require_streaming([codec_of(f"decoded:dir={tmp_path}")])


def test_codecs_that_stream_pass():
    require_streaming([codec_of("lc3"), codec_of("lc3:kbps=64")])


def test_the_protocol_counts_what_was_sent_and_says_what_was_lost():
    pytest.importorskip("lc3")
    codec = codec_of("lc3")
    reference = Audio(0.1 * np.random.default_rng(0).standard_normal(8000), 16000)
    encoded = protocol.encode(codec, reference)
    whole = protocol.decode(codec, encoded, reference)
    torn = protocol.decode(codec, encoded, reference, draw_lost=lambda packets: range(packets // 2))
    assert (whole.lost_packets, torn.lost_packets) == (0, 25)
    assert torn.main_bits == whole.main_bits
    assert len(torn.audio) == len(reference)
    assert not np.array_equal(torn.audio.samples, whole.audio.samples)


def test_the_protocol_loses_no_packets_of_other_codecs():
    codec = codec_of("identity")
    reference = Audio(np.ones(100), 16000)
    encoded = protocol.encode(codec, reference)
    with pytest.raises(CodecError, match="packet by packet"):
        protocol.decode(codec, encoded, reference, draw_lost=lambda packets: ())
