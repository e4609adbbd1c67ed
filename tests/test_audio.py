import os
import struct

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from codecbench.audio import Audio, read_audio, resample, write_audio
from codecbench.errors import AudioError


def tone(rate, seconds=0.5, hz=440.0):
    return Audio(0.5 * np.sin(2 * np.pi * hz * np.arange(int(rate * seconds)) / rate), rate)


@given(
    st.integers(1, 5000),
    st.sampled_from([8000, 16000, 22050, 24000, 48000]),
    st.sampled_from([8000, 16000, 22050, 24000, 48000]),
)
@settings(max_examples=40)
def test_resampling_gives_the_exact_length(length, from_rate, to_rate):
    assert len(resample(np.zeros(length), from_rate, to_rate)) == -(-length * to_rate // from_rate)


@pytest.mark.parametrize("rate", [8000, 22050, 48000])
def test_resampling_keeps_a_tone_in_place(rate):
    there = tone(16000).resampled(rate)
    middle = slice(rate // 8, rate * 3 // 8)
    np.testing.assert_allclose(there.samples[middle], tone(rate).samples[middle], atol=2e-4)


def test_audio_is_mono_float32_and_read_only():
    audio = Audio(np.zeros(4), 16000)
    assert audio.samples.dtype == np.float32
    with pytest.raises(ValueError, match="read-only"):
        audio.samples[0] = 1
    with pytest.raises(AudioError, match="mono"):
        Audio(np.zeros((4, 2)), 16000)
    for rate in (0, -1, 1.5, True):
        with pytest.raises(AudioError, match="sample rate"):
            Audio(np.zeros(4), rate)


@given(st.integers(-50, 50), st.integers(0, 100))
def test_advancing_and_fitting_move_samples_as_said(delay, length):
    audio = Audio(np.arange(1, 41), 8000)
    moved = audio.advanced(delay).fitted(length)
    expected = [n + delay + 1 if 0 <= n + delay < 40 else 0 for n in range(length)]
    assert moved.samples.tolist() == expected


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_files_round_trip_and_hash_alike_in_any_lossless_container(tmp_path, suffix):
    audio = Audio(np.round(tone(16000).samples * 32768) / 32768, 16000)
    write_audio(tmp_path / f"x{suffix}", audio)
    again = read_audio(tmp_path / f"x{suffix}")
    assert again.sha256() == audio.sha256()
    assert not list(tmp_path.glob(".tmp*"))


def test_channels_are_averaged(tmp_path):
    soundfile.write(tmp_path / "x.wav", np.array([[0.5, -0.25]] * 10), 8000, subtype="FLOAT")
    np.testing.assert_allclose(read_audio(tmp_path / "x.wav").samples, 0.125)


def lying_wav():
    data = b"\0\0" * 8
    head = b"RIFF" + struct.pack("<I", 0x7FFFFFF0) + b"WAVEfmt "
    head += struct.pack("<IHHIIHH", 16, 1, 1, 16000, 32000, 2, 16)
    return head + b"data" + struct.pack("<I", 0x7FFFFF00) + data


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file"),
        (b"", "empty"),
        (b"this is text\n" * 50, "not a readable audio file"),
        (b"RIFF\x24\0\0\0WAVE", "not a readable audio file"),
    ],
)
def test_files_that_are_no_audio_are_named(tmp_path, content, message):
    path = tmp_path / "x.wav"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(AudioError, match=message) as error:
        read_audio(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_header_that_lies_about_its_size_does_not_fill_the_memory(tmp_path):
    path = tmp_path / "x.wav"
    path.write_bytes(lying_wav())
    assert len(read_audio(path)) <= 8


def test_directories_and_no_samples_are_named(tmp_path):
    with pytest.raises(AudioError, match="directory"):
        read_audio(tmp_path)
    soundfile.write(tmp_path / "none.wav", np.zeros(0), 16000)
    with pytest.raises(AudioError, match="no samples"):
        read_audio(tmp_path / "none.wav")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_files_are_named(tmp_path):
    path = tmp_path / "x.wav"
    write_audio(path, tone(8000))
    path.chmod(0)
    with pytest.raises(AudioError, match="cannot be read"):
        read_audio(path)
