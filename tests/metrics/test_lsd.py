"""LSD: its formula, the band of the codec, and when that band applies."""

import dataclasses

import numpy as np
import pytest

from codecbench.audio import Audio
from codecbench.codec import CodecCard
from codecbench.corpora.base import Utterance
from codecbench.metric import Decoded
from codecbench.metrics.lsd import LogSpectralDistance
from codecbench.signals import Signal

from .signals import low_passed, scaled, synthetic_speech, with_noise

CARD = CodecCard("test", "Test", "A codec for tests.", "Apache-2.0")


def _noise(seed: int) -> Audio:
    return Audio(0.1 * np.random.default_rng(seed).standard_normal(16000), 16000)


def _card(**fields) -> CodecCard:
    return dataclasses.replace(CARD, **fields)


def test_ten_times_the_amplitude_is_a_distance_of_two():
    noise = _noise(0)
    scores = LogSpectralDistance().measure(noise, scaled(noise, 0.1))
    assert scores["lsd"].value == pytest.approx(2.0, abs=1e-3)


def test_formula():
    scipy_fft = pytest.importorskip("scipy.signal")
    x, y = _noise(0), _noise(1)

    def log_spectrum(audio: Audio) -> np.ndarray:
        _, _, spectrum = scipy_fft.stft(
            audio.samples.astype(np.float64), 16000, nperseg=2048, noverlap=1536,
            boundary=None, padded=False, scaling="spectrum",
        )  # fmt: skip
        return np.log10(np.maximum(np.abs(2 * spectrum) ** 2, 1e-10))

    difference = log_spectrum(x) - log_spectrum(y)
    expected = np.sqrt((difference**2).mean(axis=0)).mean()
    assert LogSpectralDistance().measure(x, y)["lsd"].value == pytest.approx(expected, abs=1e-9)


def test_identical_signals_have_no_distance():
    speech = synthetic_speech(1.6)
    assert LogSpectralDistance().measure(speech, speech)["lsd"].value == 0.0


def _in_band(reference: Audio, decoded: Audio, card: CodecCard | None) -> float:
    metric = LogSpectralDistance()
    prepared = metric.prepare(Utterance.from_audio(reference))
    score = metric.score(prepared, Decoded(Signal(decoded), card=card))["lsd_inband"]
    return score.error or score.value


def test_band_is_the_codecs():
    speech = with_noise(synthetic_speech(1.6), 30.0)
    narrow = low_passed(speech, 3500.0)
    metric = LogSpectralDistance()
    assert metric.measure(speech, narrow)["lsd"].value > 1.0
    assert _in_band(speech, narrow, _card(bandwidth_hz=3000.0)) < 0.05
    by_rate = _in_band(speech, narrow, _card(sample_rate=6000))
    assert by_rate == _in_band(speech, narrow, _card(bandwidth_hz=3000.0))


@pytest.mark.parametrize("card", [None, CARD, _card(sample_rate=16000), _card(sample_rate=48000)])
def test_without_a_narrower_band_there_is_a_reason_and_no_number(card):
    speech = synthetic_speech(1.6)
    assert "no codec is known" in _in_band(speech, speech, card)


@pytest.mark.parametrize(
    ("fields", "rate", "applies"),
    [
        ({"sample_rate": 8000}, None, True),
        ({"sample_rate": 16000}, None, False),
        ({"sample_rate": 16000}, 24000, True),
        ({"sample_rate": 16000, "bandwidth_hz": 7000.0}, None, True),
        ({"sample_rate": 16000, "bandwidth_hz": 7000.0}, 8000, False),
        ({}, None, False),
    ],
)
def test_in_band_applies_below_half_the_evaluation_rate(fields, rate, applies):
    utterance = Utterance.from_audio(synthetic_speech(0.5)).at_rate(rate)
    columns = LogSpectralDistance().applicable(utterance, _card(**fields))
    assert columns == ({"lsd", "lsd_inband"} if applies else {"lsd"})


def test_in_band_never_applies_without_a_codec_nor_unless_selected():
    utterance = Utterance.from_audio(synthetic_speech(0.5))
    assert LogSpectralDistance().applicable(utterance, None) == {"lsd"}
    only = LogSpectralDistance(selected=["lsd"])
    assert only.applicable(utterance, _card(sample_rate=8000)) == {"lsd"}


def test_in_band_is_never_ranked():
    ranked = {column.name: column.ranked for column in LogSpectralDistance.columns}
    assert ranked == {"lsd": True, "lsd_inband": False}
