"""Shared spectra: scale, frames, floor, mel filters."""

import numpy as np
import pytest

from codecbench.audio import Audio
from codecbench.errors import MetricError
from codecbench.metrics.spectra import (
    LOG_POWER_FLOOR,
    MEL_FLOOR,
    hann,
    log_mel,
    log_power,
    mel_filters,
    squared_log_distances,
)
from codecbench.signals import Signal

RATES = [8000, 16000, 22050, 24000, 44100, 48000]


def _noise(seconds: float, rate: int = 16000, seed: int = 0) -> Signal:
    samples = 0.1 * np.random.default_rng(seed).standard_normal(round(seconds * rate))
    return Signal(Audio(samples, rate))


@pytest.mark.parametrize("rate", [8000, 16000, 24000, 48000])
def test_sine_of_full_scale_has_power_one(rate):
    time = np.arange(rate) / rate
    spectrum = log_power(Signal(Audio(np.sin(2 * np.pi * 1000 * time), rate)))
    assert spectrum.max(axis=1) == pytest.approx(0.0, abs=1e-5)
    assert spectrum[0].argmax() == 128  # 1000 Hz, lines of 1 / 128 ms


@pytest.mark.parametrize("rate", RATES)
def test_frames_are_whole_and_start_at_the_first_sample(rate):
    size, hop = round(0.128 * rate), round(0.032 * rate)
    for extra, frames in ((0, 1), (hop - 1, 1), (hop, 2), (5 * hop, 6)):
        signal = Signal(Audio(_noise(2.0, rate).audio.samples[: size + extra], rate))
        assert log_power(signal).shape == (frames, size // 2 + 1)


def test_log_power_is_what_it_says():
    signal = _noise(0.5)
    wave = signal.at(16000)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(2048) / 2048)
    for index, row in enumerate(log_power(signal)):
        spectrum = np.fft.rfft(wave[512 * index :][:2048] * window)
        power = np.abs(spectrum) ** 2 / (window.sum() / 2) ** 2
        np.testing.assert_allclose(row, np.log10(np.maximum(power, 1e-10)), atol=1e-12)


def test_many_frames_equal_few():
    signal = _noise(12.0)  # more frames than one block holds
    late = Signal(Audio(signal.audio.samples[300 * 512 :], 16000))
    np.testing.assert_array_equal(log_power(signal)[300:], log_power(late))


def test_zeros_are_at_the_floor():
    zeros = Signal(Audio(np.zeros(8000), 16000))
    assert (log_power(zeros) == np.log10(LOG_POWER_FLOOR)).all()
    assert (log_mel(zeros) == np.log(MEL_FLOOR)).all()


@pytest.mark.parametrize(("function", "seconds"), [(log_power, 0.127), (log_mel, 0.063)])
def test_shorter_than_a_frame_is_a_reason(function, seconds):
    with pytest.raises(MetricError, match="too short"):
        function(_noise(seconds))


def test_distance_is_limited_to_a_band():
    x, noise = _noise(1.0), _noise(1.0, seed=1).audio.samples
    spectrum = np.fft.rfft(noise)
    spectrum[: len(spectrum) // 2 + 20] = 0  # noise above 4 kHz alone
    y = Signal(Audio(x.audio.samples + np.fft.irfft(spectrum, len(noise)), 16000))
    assert squared_log_distances(y, x, 3900.0).max() < 1e-3
    assert squared_log_distances(y, x).min() > 0.1


def test_band_edge_is_inside():
    x, y = _noise(0.5), _noise(0.5, seed=1)
    difference = np.square(log_power(x) - log_power(y))
    expected = difference[:, : 64 + 1].mean(axis=1)  # line 64 of 128 ms is 500 Hz
    np.testing.assert_allclose(squared_log_distances(y, x, 500.0), expected)


@pytest.mark.parametrize("rate", RATES)
def test_mel_filters_equal_librosas(rate):
    from librosa.filters import mel

    size = round(0.064 * rate)
    expected = mel(sr=rate, n_fft=size, n_mels=80, dtype=np.float64)
    np.testing.assert_allclose(mel_filters(rate, size, 80), expected, atol=1e-12)
    assert (expected.sum(axis=1) > 0).all()


def test_mel_spectrum_equals_librosas():
    from librosa.feature import melspectrogram

    signal = _noise(1.0)
    expected = melspectrogram(
        y=signal.at(16000), sr=16000, n_fft=1024, hop_length=256, n_mels=80, power=1, center=False
    )
    expected = np.log(np.maximum(expected.T, MEL_FLOOR))
    np.testing.assert_allclose(log_mel(signal), expected, atol=1e-5)


def test_hann_is_periodic():
    assert hann(8) == pytest.approx(np.hanning(9)[:-1])
