"""The anchors: rounding of `identity`, G.711's law, the response of the low-pass."""

import numpy as np
import pytest

from codecbench.adapters.lowpass.codec import lowpass_kernel
from codecbench.adapters.mulaw.codec import compress, decision_values, expand, output_values
from codecbench.audio import Audio
from codecbench.bitstream import Bitstream, Packet
from codecbench.errors import BitstreamError, CodecError, UserError
from codecbench.protocol import decode, encode
from codecbench.registry import codec_of, load_codec

from .codec_signals import voice

ALL_PCM = np.arange(-32768, 32768)


def itu_ulaw_compress(pcm):
    """The integer arithmetic of the ITU-T Software Tool Library (G.191), one 16-bit sample."""
    magnitude = (~pcm >> 2) + 33 if pcm < 0 else (pcm >> 2) + 33
    magnitude = min(magnitude, 0x1FFF)
    segment, rest = 1, magnitude >> 6
    while rest:
        segment, rest = segment + 1, rest >> 1
    high, low = 0x8 - segment, 0xF - (magnitude >> segment & 0xF)
    return high << 4 | low | (0x80 if pcm >= 0 else 0)


def itu_ulaw_expand(code):
    sign = -1 if code < 0x80 else 1
    mantissa = ~code
    exponent = mantissa >> 4 & 0x7
    mantissa &= 0xF
    step = 4 << (exponent + 1)
    return sign * ((0x80 << exponent) + step * mantissa + step // 2 - 4 * 33)


def test_identity_differs_by_half_a_step_at_most():
    codec, audio = load_codec("identity"), voice(16_000, 16_000)
    bitstream = codec.encode(audio)
    assert bitstream.main_bits == 16 * 16_000
    error = np.abs(codec.decode(bitstream).samples.astype(np.float64) - audio.samples)
    assert 0 < error.max() <= 0.5 / 32768


@pytest.mark.parametrize("name", ["identity", "lowpass", "mulaw"])
def test_anchors_refuse_a_bitstream_that_claims_more_samples_than_it_holds(name):
    with pytest.raises(BitstreamError, match="4294967295 are needed"):
        load_codec(name).decode(Bitstream(name, 2**32 - 1, 16_000, (Packet.whole(b"1234"),)))


@pytest.mark.parametrize("name", ["identity", "lowpass"])
def test_half_a_sample_is_refused(name):
    with pytest.raises(BitstreamError, match="odd number of bytes"):
        load_codec(name).decode(Bitstream(name, 1, 16_000, (Packet.whole(b"123"),)))


def test_mulaw_is_the_itus_for_every_16_bit_sample():
    expected = np.array([itu_ulaw_compress(int(pcm)) for pcm in ALL_PCM], np.uint8)
    assert np.array_equal(compress(ALL_PCM / 32768.0), expected)


def test_mulaw_expands_to_the_itus_values():
    codes = np.arange(256, dtype=np.uint8)
    expected = np.array([itu_ulaw_expand(int(code)) for code in codes])
    assert np.array_equal(expand(codes) * 32768, expected)


def test_mulaw_has_the_recommendations_values():
    assert decision_values()[:18].tolist() == [*range(1, 32, 2), 35, 39]
    assert output_values()[:18].tolist() == [*range(0, 31, 2), 33, 37]
    ends = [31, 95, 223, 479, 991, 2015, 4063]
    assert decision_values()[15::16].tolist() == ends
    assert output_values()[[15, 31, 47, 63, 79, 95, 111, 127]].tolist() == [
        30, 93, 219, 471, 975, 1983, 3999, 8031,
    ]  # fmt: skip


def test_mulaw_sends_silence_as_all_ones_and_overload_as_the_last_interval():
    codes = compress(np.array([0.0, 1.0, 3.0, -1.0, -3.0]))
    assert codes.tolist() == [0xFF, 0x80, 0x80, 0x00, 0x00]


def test_mulaw_codes_survive_a_second_pass():
    codes = np.arange(256, dtype=np.uint8)
    again = compress(expand(codes))
    assert np.array_equal(again[codes != 0x7F], codes[codes != 0x7F])
    assert again[0x7F] == 0xFF, "minus zero becomes plus zero"


@pytest.mark.parametrize(("spec", "rate"), [("mulaw", 16_000), ("mulaw:rate=8000", 8_000)])
def test_mulaw_costs_8_bits_a_sample_at_its_rate(spec, rate):
    codec, reference = load_codec(spec), voice(16_000, 16_000)
    decoded = decode(codec, encode(codec, reference), reference)
    assert decoded.main_bits == 8 * rate
    assert decoded.bitstream.sample_rate == rate
    assert len(decoded.audio) == 16_000


def response_db(kernel, rate, low, high):
    spectrum = 20 * np.log10(np.abs(np.fft.rfft(kernel, 1 << 17)) + 1e-12)
    frequency = np.fft.rfftfreq(1 << 17, 1 / rate)
    return spectrum[(frequency >= low) & (frequency <= high)]


@pytest.mark.parametrize("rate", [16_000, 24_000, 44_100, 48_000])
def test_lowpass_meets_bs1534(rate):
    """Pass band within 0.1 dB up to 3.5 kHz, -25 dB at 4 kHz, -50 dB from 4.5 kHz on."""
    kernel = lowpass_kernel(3500.0, rate)
    assert np.abs(response_db(kernel, rate, 0, 3_500)).max() < 0.1
    assert response_db(kernel, rate, 4_000, 4_000.5).max() < -25
    assert response_db(kernel, rate, 4_500, rate / 2).max() < -50


@pytest.mark.parametrize(("hz", "rate"), [(3500, 8_000), (7000, 16_000), (100, 16_000)])
def test_lowpass_is_sharp_at_other_frequencies(hz, rate):
    kernel = lowpass_kernel(float(hz), rate)
    assert np.abs(response_db(kernel, rate, 0, hz)).max() < 0.1
    assert response_db(kernel, rate, min(1.5 * hz, hz + 500), rate / 2).max() < -75


def test_lowpass_moves_nothing_in_time_and_leaves_low_frequencies_alone():
    time = np.arange(16_000) / 16_000
    fade = np.minimum(1.0, 20 * np.minimum(time, time[::-1]))
    low, high = (fade * np.sin(2 * np.pi * hz * time) for hz in (1_000, 5_000))
    audio = Audio((0.3 * (low + high)).astype(np.float32), 16_000)
    codec = load_codec("lowpass:hz=3500")
    decoded = codec.decode(codec.encode(audio)).samples
    assert np.abs(decoded - 0.3 * low).max() < 1e-3


def test_lowpass_of_an_impulse_is_symmetric_about_it():
    impulse = np.zeros(1_001, np.float32)
    impulse[500] = 0.5
    decoded = codec_of("lowpass").decode(codec_of("lowpass").encode(Audio(impulse, 16_000)))
    assert np.array_equal(decoded.samples, decoded.samples[::-1])
    assert decoded.samples.argmax() == 500


@pytest.mark.parametrize(("hz", "rate"), [(3500, 7_000), (3500, 6_000), (3990, 8_000)])
def test_lowpass_that_would_change_nothing_says_so(hz, rate):
    with pytest.raises(CodecError, match=f"at {rate} Hz there is nothing above {hz} Hz"):
        codec_of(f"lowpass:hz={hz}").encode(voice(100, rate))


@pytest.mark.parametrize("spec", ["lowpass:hz=0", "lowpass:hz=nan", "lowpass:hz=x", "mulaw:rate=0"])
def test_impossible_values_are_refused(spec):
    with pytest.raises(UserError):
        codec_of(spec)
