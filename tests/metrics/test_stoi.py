"""STOI and ESTOI: equal to pystoi, without its random noise and its made-up numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codecbench.audio import Audio, read_audio
from codecbench.errors import MetricError
from codecbench.metrics.stoi import Stoi

from .conformance_rows import check, rows
from .signals import quantised, synthetic_speech, with_noise

TOLERANCE = 1e-9


@pytest.fixture(scope="module")
def stoi():
    return Stoi()


def _assert_equal_to_pystoi(reference: Audio, decoded: Audio) -> None:
    from pystoi import stoi as package

    scores = Stoi().measure(reference, decoded)
    x, y = (audio.samples.astype(np.float64) for audio in (reference, decoded))
    for name, extended in (("stoi", False), ("estoi", True)):
        expected = package(x, y, reference.sample_rate, extended=extended)
        assert scores[name].value == pytest.approx(expected, abs=TOLERANCE, rel=0)


@pytest.mark.parametrize("row", rows(["versa", "golden"], {"stoi", "estoi"}), ids=str)
def test_conforms(row):
    check(row)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    seconds=st.floats(0.7, 2.5),
    rate=st.sampled_from([8000, 10000, 11025, 16000, 22050, 24000, 44100, 48000]),
    level=st.floats(0.0, 3.0),
)
def test_equals_pystoi_on_random_pairs(seed, seconds, rate, level):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(round(seconds * rate))
    x *= 10 ** rng.uniform(-1.0, 0.0, 8).repeat(len(x) // 8 + 1)[: len(x)]
    y = rng.uniform(-2, 2) * x + level * rng.standard_normal(len(x))
    _assert_equal_to_pystoi(Audio(0.1 * x, rate), Audio(0.1 * y, rate))


@pytest.mark.parametrize("seconds", [0.9, 1.6, 3.2, 8.0])
def test_equals_pystoi_on_speech_with_pauses(seconds):
    speech = synthetic_speech(seconds)
    _assert_equal_to_pystoi(speech, with_noise(speech, 5.0))


@pytest.mark.parametrize(
    "pattern",
    ["LibriSpeech/test-other/1998/**/*.flac", "LibriTTS/**/*.wav", "VCTK-Corpus-0.92/**/*.flac"],
)
def test_equals_pystoi_on_real_speech(data_root, pattern):
    path = sorted(data_root.glob(pattern))[0]
    speech = read_audio(path)
    _assert_equal_to_pystoi(speech, quantised(with_noise(speech, 15.0), 6))


def test_identical_signals_score_one(stoi):
    scores = stoi.measure(synthetic_speech(2.0), synthetic_speech(2.0))
    assert scores["stoi"].value == pytest.approx(1.0, abs=1e-12)
    assert scores["estoi"].value == pytest.approx(1.0, abs=1e-12)


def test_dropout_has_one_value_whatever_the_random_state(stoi):
    speech = synthetic_speech(3.0)
    samples = with_noise(speech, 20.0).samples.copy()
    samples[16000:32000] = 0.0
    values = []
    for seed in (1, 2):
        np.random.seed(seed)  # the state that pystoi draws from
        values.append(stoi.measure(speech, Audio(samples, 16000))["estoi"].value)
    assert values[0] == values[1]
    whole = stoi.measure(speech, with_noise(speech, 20.0))["estoi"].value
    assert 0.3 * whole < values[0] < 0.8 * whole


@pytest.mark.parametrize("seconds", [0.001, 0.02, 0.2, 0.35])
def test_too_short_is_a_reason(stoi, seconds):
    speech = synthetic_speech(1.6).advanced(3000)
    short = speech.fitted(round(seconds * 16000))
    with pytest.raises(MetricError, match="too short for STOI"):
        stoi.measure(short, short)


def test_short_speech_in_silence_is_a_reason(stoi):
    samples = np.zeros(32000)
    samples[8000:12000] = np.random.default_rng(0).standard_normal(4000)
    with pytest.raises(MetricError, match="frames of speech in the reference"):
        stoi.measure(Audio(samples, 16000), Audio(samples, 16000))


def test_unequal_lengths_are_refused(stoi):
    speech = synthetic_speech(2.0)
    with pytest.raises(MetricError, match="unequal lengths"):
        stoi.measure(speech, speech.fitted(len(speech) - 1))


def test_only_the_selected_column_is_given():
    speech = synthetic_speech(2.0)
    assert set(Stoi(selected=["estoi"]).measure(speech, speech)) == {"estoi"}
