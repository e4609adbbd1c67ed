"""Raw FFmpeg coders: availability, sample formats and errors."""

from dataclasses import replace

import numpy as np
import pytest

from codecbench.adapters.g722 import G722Codec
from codecbench.adapters.pyav_coder import Coder, pcm16, whole_bytes
from codecbench.audio import Audio
from codecbench.bitstream import Packet
from codecbench.errors import BitstreamError, CodecError, UnavailableError
from codecbench.registry import codec_of

from .codec_signals import voice


class NoSuchEncoder(G722Codec):
    encoder = "libnothing"


class NoSuchDecoder(G722Codec):
    decoder = "libnothing"


@pytest.mark.parametrize("codec", [NoSuchEncoder, NoSuchDecoder])
def test_a_build_without_the_coder_is_named_in_one_line(codec):
    with pytest.raises(UnavailableError, match=r"g722 cannot run here.*libnothing") as caught:
        codec().check_available()
    assert "\n" not in str(caught.value)


def test_sixteen_bits_are_rounded_and_clipped():
    samples = np.array([0, 0.49 / 32768, 0.51 / 32768, 1.0, -1.0, 7.0, -7.0], np.float32)
    assert pcm16(samples).tolist() == [0, 0, 1, 32767, -32768, 32767, -32768]


def test_sixteen_bits_make_the_round_trip():
    coder = Coder("pcm_s16le", "pcm_s16le", 8_000)
    audio = voice(1_000, 8_000)
    packets, header = coder.encode(audio.samples)
    assert header == b""
    assert np.array_equal(coder.decode(packets) * 32768, pcm16(audio.samples))


def test_packets_that_end_inside_a_byte_are_refused():
    assert whole_bytes([Packet.whole(b"ab"), Packet.whole(b"")]) == [b"ab", b""]
    with pytest.raises(BitstreamError, match="packet 1 has 7 bits"):
        whole_bytes([Packet.whole(b"a"), Packet(b"\xfe", 7)])


def test_an_encoder_that_refuses_its_settings_is_a_codec_error():
    with pytest.raises(CodecError, match="libopus cannot encode"):
        Coder("libopus", "libopus", 44_100, "flt").encode(np.zeros(960, np.float32))


def test_a_packet_that_the_decoder_refuses_is_named():
    codec = codec_of("mp3")
    coded = codec.encode(voice(8_000, 16_000))
    packets = (*coded.packets[:2], Packet.whole(bytes(100)), *coded.packets[3:])
    with pytest.raises(BitstreamError, match="mp3float cannot decode packet 2: Invalid data"):
        codec.decode(replace(coded, packets=packets))


def test_a_packet_of_another_stream_is_refused():
    faster = codec_of("mp3:rate=24000").encode(voice(8_000, 24_000))
    codec = codec_of("mp3")
    with pytest.raises(BitstreamError, match=r"24000 Hz and 1 channel\(s\); this stream is mono"):
        codec.decode(replace(faster, sample_rate=16_000))


@pytest.mark.parametrize(
    "spec",
    ["aac:kbps=24", "amr-nb:kbps=5.9", "g722", "g726:kbps=24", "mp3:kbps=24", "opus:kbps=16"],
)
def test_ten_seconds_cost_no_more_bits_than_their_rate(spec):
    codec = codec_of(spec)
    rate = codec.card.sample_rate
    bitstream = codec.encode(Audio(voice(10 * rate, rate).samples, rate))
    assert bitstream.bits / bitstream.seconds / 1000 == pytest.approx(
        codec.card.nominal_kbps, rel=0.12
    )
