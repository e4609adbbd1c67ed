"""Mel distance: scale and formula."""

import math

import numpy as np
import pytest

from codecbench.audio import Audio
from codecbench.errors import MetricError
from codecbench.metrics.mel_distance import MelDistance

from .signals import scaled, synthetic_speech, with_noise


def test_e_times_the_amplitude_is_a_distance_of_one():
    noise = Audio(0.1 * np.random.default_rng(0).standard_normal(16000), 16000)
    value = MelDistance().measure(noise, scaled(noise, math.e))["mel_distance"].value
    assert value == pytest.approx(1.0, abs=1e-6)


def test_equals_librosas_spectra():
    from librosa.feature import melspectrogram

    speech = synthetic_speech(1.6)
    pair = speech, with_noise(speech, 10.0)
    x, y = (
        np.log(
            np.maximum(
                melspectrogram(
                    y=audio.samples.astype(np.float64), sr=16000, n_fft=1024, hop_length=256,
                    n_mels=80, power=1, center=False,
                ),
                1e-5,
            )
        )
        for audio in pair
    )  # fmt: skip
    value = MelDistance().measure(*pair)["mel_distance"].value
    assert value == pytest.approx(np.abs(x - y).mean(), abs=1e-5)


def test_shorter_than_a_frame_is_a_reason():
    short = synthetic_speech(1.6).fitted(1000)
    with pytest.raises(MetricError, match="one frame is 64 ms"):
        MelDistance().measure(short, short)
