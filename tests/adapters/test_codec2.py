"""Codec 2: exact bits of every mode, pycodec2's own bits, decoding that forgets the past."""

import subprocess
import sys

import numpy as np
import pytest

from codecbench.audio import read_audio
from codecbench.bitstream import Bitstream, Packet
from codecbench.errors import BitstreamError, UserError
from codecbench.registry import codec_of, load_codec

from .codec_signals import voice

pycodec2 = pytest.importorskip("pycodec2")

MODES = {
    700: (320, 28),
    1200: (320, 48),
    1300: (320, 52),
    1400: (320, 56),
    1600: (320, 64),
    2400: (160, 48),
    3200: (160, 64),
}
"""Samples and bits of a frame (codec2.h)."""

DELAYS = {bps: 239 if bps == 700 else 159 for bps in MODES}

_DECODE_WITH_PYCODEC2 = """
import sys
import pycodec2
bps, size = int(sys.argv[1]), int(sys.argv[2])
decoder = pycodec2.Codec2(bps)
data = sys.stdin.buffer.read()
for start in range(0, len(data), size):
    sys.stdout.buffer.write(decoder.decode(data[start : start + size]).tobytes())
"""


@pytest.fixture(scope="module", params=MODES)
def bps(request):
    return request.param


@pytest.fixture(scope="module")
def codec(bps):
    return load_codec(f"codec2:bps={bps}")


@pytest.mark.parametrize("samples", [1, 80, 81, 160, 161, 320, 321, 8_000])
def test_main_bits_are_frames_times_the_standards_bits(codec, bps, samples):
    frame, bits = MODES[bps]
    bitstream = codec.encode(voice(samples, 8_000))
    frames = -(-(samples + DELAYS[bps]) // frame)
    assert [packet.bits for packet in bitstream.packets] == [bits] * frames
    assert bitstream.main_bits == frames * bits
    assert bitstream.side_bits == 0


def test_the_card_names_the_modes_nominal_rate(codec, bps):
    assert codec.card.nominal_kbps == bps / 1000
    assert codec.card.delay_samples == DELAYS[bps]


def test_packets_are_those_of_pycodec2(codec, bps):
    audio = voice(8_000, 8_000)
    frame, _ = MODES[bps]
    encoder = pycodec2.Codec2(bps)
    pcm = np.round(audio.samples.astype(np.float64) * 32768).clip(-32768, 32767).astype(np.int16)
    expected = [encoder.encode(pcm[at : at + frame]) for at in range(0, 8_000, frame)]
    packets = codec.encode(audio).packets
    assert [packet.data for packet in packets[: len(expected)]] == expected


def test_decoding_is_that_of_pycodec2_in_a_new_process_whatever_was_decoded_before(codec, bps):
    bitstream = codec.encode(voice(4_000, 8_000))
    data = [packet.data for packet in bitstream.packets]
    command = [sys.executable, "-c", _DECODE_WITH_PYCODEC2, str(bps), str(len(data[0]))]
    done = subprocess.run(command, input=b"".join(data), capture_output=True, check=True)
    expected = np.frombuffer(done.stdout, np.int16).astype(np.float32) / 32768
    here = pycodec2.Codec2(bps)
    for packet in data:
        here.decode(packet)
    for _ in range(2):
        assert np.array_equal(codec.decode(bitstream).samples, expected)


def test_packets_of_another_mode_are_refused():
    bitstream = load_codec("codec2:bps=1300").encode(voice(4_000, 8_000))
    with pytest.raises(BitstreamError, match="52 bits"):
        load_codec("codec2:bps=1200").decode(bitstream)


def test_fewer_packets_than_samples_are_refused():
    packets = (Packet(bytes(8), 64),)
    with pytest.raises(BitstreamError, match="160 samples"):
        load_codec("codec2").decode(Bitstream("codec2:bps=3200", 2_000_000_000, 8_000, packets))


def test_an_unknown_mode_is_refused_with_the_modes_there_are():
    with pytest.raises(UserError, match=r"codec2: bps: .*1300"):
        codec_of("codec2:bps=450")


def test_declared_delay_gives_the_best_stoi_on_real_speech(codec, data_root):
    from pystoi import stoi

    files = sorted(data_root.glob("LibriSpeech/test-*/*/*/*.flac"))[::9][:5]
    if not files:
        pytest.skip("no LibriSpeech below CODECBENCH_DATA")
    delay = codec.card.delay_samples
    scores = {0: 0.0, -64: 0.0, 64: 0.0}
    for file in files:
        audio = read_audio(file).resampled(8_000).fitted(5 * 8_000)
        decoded = codec.decode(codec.encode(audio))
        for shift in scores:
            shifted = decoded.advanced(delay + shift).fitted(len(audio))
            scores[shift] += stoi(audio.samples, shifted.samples, 8_000) / len(files)
    assert scores[0] > max(scores[-64], scores[64]), scores
