"""SaRMSE: its formula, and how it is related to LSD."""

import math

import numpy as np
import pytest

from codecbench.audio import Audio
from codecbench.corpora.base import Utterance
from codecbench.metric import Decoded
from codecbench.metrics import spectra
from codecbench.metrics.lsd import LogSpectralDistance
from codecbench.metrics.sarmse import SpectralAmplitudeRmse
from codecbench.signals import Signal

from .signals import scaled, synthetic_speech, with_noise


def _noise(seed: int) -> Audio:
    return Audio(0.1 * np.random.default_rng(seed).standard_normal(16000), 16000)


def test_ten_times_the_amplitude_is_20_db():
    noise = _noise(0)
    value = SpectralAmplitudeRmse().measure(noise, scaled(noise, 0.1))["sarmse"].value
    assert value == pytest.approx(20.0, abs=0.01)


def test_formula():
    x, y = _noise(0), _noise(1)
    difference = 10 * (spectra.log_power(Signal(x)) - spectra.log_power(Signal(y)))
    expected = math.sqrt((difference**2).mean())
    value = SpectralAmplitudeRmse().measure(x, y)["sarmse"].value
    assert value == pytest.approx(expected, rel=1e-12)


def test_is_not_less_than_ten_times_lsd():
    speech = synthetic_speech(1.6)
    noisy = with_noise(speech, 10.0)
    lsd = LogSpectralDistance().measure(speech, noisy)["lsd"].value
    sarmse = SpectralAmplitudeRmse().measure(speech, noisy)["sarmse"].value
    assert 10 * lsd < sarmse < 15 * lsd


def test_shares_its_spectra_with_lsd(monkeypatch):
    calls = []
    power = spectra.short_time_power
    monkeypatch.setattr(
        spectra, "short_time_power", lambda *arguments: calls.append(1) or power(*arguments)
    )
    speech = synthetic_speech(1.6)
    utterance = Utterance.from_audio(speech)
    decoded = Decoded.from_audio(with_noise(speech, 10.0))
    for metric in (LogSpectralDistance(selected=["lsd"]), SpectralAmplitudeRmse()):
        metric.score(metric.prepare(utterance), decoded)
    assert len(calls) == 2  # one a signal
