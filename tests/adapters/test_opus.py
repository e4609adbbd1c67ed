"""Opus: what the card says of delay and bandwidth is what speech gets."""

from collections import Counter

import numpy as np
import pytest

from codecbench.adapters.opus.codec import OpusConfig, bandwidth_rate
from codecbench.audio import Audio, read_audio
from codecbench.errors import UserError
from codecbench.protocol import estimate_delay
from codecbench.registry import codec_of

from .codec_signals import voice

BANDWIDTH_HZ = {"NB": 4_000, "MB": 6_000, "WB": 8_000, "SWB": 12_000, "FB": 20_000}


def coded_as(packet):
    """Return coder and bandwidth from the first octet of an Opus packet (RFC 6716, table 2)."""
    configuration = packet.data[0] >> 3
    if configuration < 12:
        return "SILK", ("NB", "MB", "WB")[configuration // 4]
    if configuration < 16:
        return "hybrid", ("SWB", "FB")[(configuration - 12) // 2]
    return "CELT", ("NB", "WB", "SWB", "FB")[(configuration - 16) // 4]


@pytest.fixture(scope="module")
def speech(data_root):
    """Six seconds of the first test-clean utterance, at 48 kHz."""
    path = sorted((data_root / "LibriSpeech" / "test-clean").rglob("*.flac"))[0]
    return Audio(read_audio(path).samples[: 6 * 16_000], 16_000).resampled(48_000)


SPECS = [
    "opus:kbps=6",
    "opus:kbps=8.9",
    "opus:kbps=9",
    "opus:kbps=9.5,vbr=off",
    "opus:kbps=9.5,complexity=0",
    "opus:kbps=11,frame_ms=10",
    "opus",
    "opus:kbps=48",
    "opus:kbps=56",
    "opus:kbps=64",
    "opus:kbps=16,complexity=6",
    "opus:kbps=24,complexity=6",
    "opus:kbps=64,complexity=1",
    "opus:kbps=24,bandwidth=nb",
    "opus:kbps=40,frame_ms=60",
]


@pytest.mark.parametrize("spec", SPECS)
def test_bandwidth_and_delay_of_real_speech(spec, speech):
    codec = codec_of(spec)
    bitstream = codec.encode(speech)
    ((_, bandwidth), count), *_ = Counter(map(coded_as, bitstream.packets)).most_common()
    assert count > 0.9 * len(bitstream.packets)
    assert BANDWIDTH_HZ[bandwidth] == codec.card.bandwidth_hz
    late = estimate_delay(speech, codec.decode(bitstream))
    assert abs(late - codec.card.delay_samples) <= 1


def test_full_band_needs_full_band_speech_and_bits():
    assert codec_of("opus:kbps=12,bandwidth=fb").card.bandwidth_hz == 8_000
    assert codec_of("opus:kbps=24,bandwidth=fb").card.bandwidth_hz == 20_000
    codec = codec_of("opus:kbps=48,bandwidth=fb")
    rng = np.random.default_rng(2)
    audio = voice(96_000, 48_000)
    noisy = Audio(audio.samples + 0.02 * rng.standard_normal(96_000).astype("f4"), 48_000)
    widths = Counter(coded_as(packet)[1] for packet in codec.encode(noisy).packets)
    assert widths.most_common(1)[0][0] == "FB"


def test_constant_bit_rate_is_constant():
    bitstream = codec_of("opus:kbps=16,vbr=off").encode(voice(96_000, 48_000))
    assert {packet.bits for packet in bitstream.packets} == {16_000 // 50}


def test_no_frame_is_left_out_of_silence():
    bitstream = codec_of("opus").encode(Audio(np.zeros(96_000, np.float32), 48_000))
    assert len(bitstream.packets) == 101
    assert min(packet.bits for packet in bitstream.packets) > 16


@pytest.mark.parametrize(
    ("options", "rate"),
    [
        ({}, 24_000),
        ({"vbr": False}, 22_000),
        ({"frame_ms": 10}, 21_000),
        ({"complexity": 5}, 22_800),
        ({"complexity": 0}, 17_280),
    ],
)
def test_the_rate_that_decides_the_bandwidth(options, rate):
    assert bandwidth_rate(OpusConfig(**options)) == pytest.approx(rate)


@pytest.mark.parametrize("key", ["kbps=5", "kbps=65", "frame_ms=15", "complexity=11", "rate=16000"])
def test_what_opus_cannot_do_is_refused(key):
    with pytest.raises(UserError, match=key.split("=")[0]):
        codec_of(f"opus:{key}")
