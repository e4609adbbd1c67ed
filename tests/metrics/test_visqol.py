"""ViSQOL: equal to package visqol's plain API, conformant to Google's values, plain reasons."""

import functools
from fractions import Fraction

import numpy as np
import pytest

from codecbench.audio import Audio, read_audio
from codecbench.component import build_config
from codecbench.corpora.base import Utterance
from codecbench.errors import MetricError
from codecbench.metric import Decoded
from codecbench.metrics.visqol import Visqol, VisqolConfig, _mapper
from codecbench.metrics.visqol_signals import SPEECH
from codecbench.metrics.visqol_similarity import MAX_SAMPLES, Reference

from .conformance_rows import Row, answer, check, root_folder, rows
from .signals import delayed, low_passed, synthetic_speech, with_noise

TOLERANCE = 1e-9
SPEECH_MODES = {"speech_lattice", "speech_exponential"}
EXPONENTIAL_SCALE = 1.245063


@functools.cache
def _package(mode: str, lattice: bool):
    from visqol import VisqolApi

    api = VisqolApi()
    api.create(mode=mode, use_lattice_model=lattice)
    return api


def _plain(column: str, reference: Audio, decoded: Audio) -> float:
    """Score by the package's own API, at the audio's own rate."""
    mode = "audio" if column == "visqol_audio" else "speech"
    api = _package(mode, column == "visqol")
    x, y = (audio.samples.astype(np.float64) for audio in (reference, decoded))
    return api.measure_from_arrays(x, y, reference.sample_rate).moslqo


def _score(column: str, reference: Audio, decoded: Audio, rate: str = "16000") -> float:
    config = build_config("visqol", VisqolConfig, {"rate": rate})
    score = Visqol(config, selected=[column]).measure(reference, decoded)[column]
    assert score.error is None, score.error
    return score.value


# --- conformance


@pytest.mark.parametrize("row", rows(["visqol"], SPEECH_MODES | {"audio"}), ids=str)
def test_conforms(row):
    check(row)


@pytest.mark.parametrize("row", rows(["visqol"], {"speech_exponential_unscaled"}), ids=str)
def test_unscaled_exponential_conforms(row):
    scaled = Row(**{**vars(row), "mode": "speech_exponential"})
    assert answer(scaled) / EXPONENTIAL_SCALE == pytest.approx(row.expected, abs=row.tolerance)


@pytest.mark.parametrize(
    "row", rows(["golden"], {"visqol_speech_lattice", "visqol_speech_exponential"}), ids=str
)
def test_speech_is_as_it_was(row):
    check(row)


@pytest.mark.parametrize("row", rows(["golden"], {"visqol_audio_resample_poly_3_1"}), ids=str)
def test_audio_is_as_it_was(row):
    from scipy.signal import resample_poly

    x, y = (
        Audio(resample_poly(audio.samples.astype(np.float64), 3, 1), 48000)
        for audio in row.audio(root_folder())
    )
    assert _score("visqol_audio", x, y) == pytest.approx(row.expected, abs=row.tolerance)


# --- equality with the package


def _with_dropout(audio: Audio) -> Audio:
    samples = audio.samples.copy()
    samples[len(samples) // 3 : len(samples) // 2] = 0.0
    return Audio(samples, audio.sample_rate)


def _with_gap(audio: Audio) -> Audio:
    middle = len(audio) // 2
    gap = np.zeros(audio.sample_rate // 10, np.float32)
    samples = np.concatenate([audio.samples[:middle], gap, audio.samples[middle:]])
    return Audio(samples, audio.sample_rate)


DAMAGES = {
    "noise": lambda audio: with_noise(audio, 15.0),
    "low-pass": lambda audio: low_passed(audio, 3000.0),
    "late": lambda audio: delayed(with_noise(audio, 25.0), 333),
    "early": lambda audio: with_noise(audio, 25.0).advanced(2001),
    "dropout": lambda audio: _with_dropout(with_noise(audio, 25.0)),
    "gap": lambda audio: _with_gap(with_noise(audio, 25.0)),
    "cut": lambda audio: with_noise(audio, 25.0).fitted(len(audio) * 2 // 3),
    "longer": lambda audio: with_noise(audio, 25.0).fitted(len(audio) + 5000),
    "other": lambda audio: Audio(audio.samples[::-1].copy(), audio.sample_rate),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("column", ["visqol", "visqol_exp"])
def test_speech_equals_the_package_on_synthetic_speech(column, damage):
    speech = synthetic_speech(3.2)
    decoded = DAMAGES[damage](speech)
    expected = _plain(column, speech, decoded)
    assert _score(column, speech, decoded) == pytest.approx(expected, abs=TOLERANCE, rel=0)


@pytest.mark.parametrize("damage", DAMAGES)
def test_speech_equals_the_package_on_real_speech(data_root, damage):
    paths = sorted(data_root.glob("LibriSpeech/test-other/*/*/*.flac"))[::40]
    for path in paths:
        speech = read_audio(path)
        decoded = DAMAGES[damage](speech)
        for column in ("visqol", "visqol_exp"):
            expected = _plain(column, speech, decoded)
            assert _score(column, speech, decoded) == pytest.approx(expected, abs=TOLERANCE, rel=0)


@pytest.mark.parametrize("damage", ["noise", "late", "gap", "longer"])
def test_audio_equals_the_package(damage):
    speech = synthetic_speech(2.4, 48000)
    decoded = DAMAGES[damage](speech)
    expected = _plain("visqol_audio", speech, decoded)
    value = _score("visqol_audio", speech, decoded)
    assert value == pytest.approx(expected, abs=TOLERANCE, rel=0)


@pytest.mark.parametrize("rate", [24000, 48000])
def test_speech_at_the_files_rate_equals_the_package(rate):
    speech = synthetic_speech(2.4, rate)
    decoded = with_noise(speech, 15.0)
    expected = _plain("visqol_exp", speech, decoded)
    value = _score("visqol_exp", speech, decoded, rate="file")
    assert value == pytest.approx(expected, abs=TOLERANCE, rel=0)
    assert _score("visqol_exp", speech, decoded) != pytest.approx(value, abs=1e-6)


# --- behaviour


def test_both_speech_columns_come_from_one_comparison(monkeypatch):
    metric = Visqol(selected=["visqol", "visqol_exp"])
    metric.setup()
    calls = []
    compare = Reference.compare
    monkeypatch.setattr(
        Reference, "compare", lambda self, wave: calls.append(1) or compare(self, wave)
    )
    speech = synthetic_speech(1.6)
    scores = metric.measure(speech, speech)
    assert set(scores) == {"visqol", "visqol_exp"}
    assert len(calls) == 1


def test_prepared_reference_serves_several_codecs():
    speech = synthetic_speech(2.0)
    metric = Visqol()
    prepared = metric.prepare(Utterance.from_audio(speech))
    for decoded in (with_noise(speech, 10.0), low_passed(speech, 2000.0), with_noise(speech, 10.0)):
        expected = metric.measure(speech, decoded)
        assert metric.score(prepared, Decoded.from_audio(decoded)) == expected


def test_mappers_are_different_scales():
    speech = synthetic_speech(3.2)
    scores = Visqol().measure(speech, with_noise(speech, 20.0))
    assert scores["visqol_exp"].value > scores["visqol"].value + 0.5


def test_signals_with_nothing_in_common_score_one():
    noise = np.random.default_rng(0).standard_normal(32000)
    tone = np.sin(2 * np.pi * 60 * np.arange(32000) / 16000) * (np.arange(32000) % 8000 < 800)
    pair = Audio(0.1 * noise, 16000), Audio(0.5 * tone, 16000)
    assert _score("visqol", *pair) == _plain("visqol", *pair)


def test_lattice_never_gives_way_to_the_exponential_mapper():
    assert type(_mapper("visqol")).__name__ == "TFLiteSpeechQualityMapper"


def test_loading_says_nothing(capfd):
    _mapper.cache_clear()
    Visqol().setup()
    assert capfd.readouterr() == ("", "")


def test_audio_column_is_in_the_default_set_above_16_khz_only():
    column = next(column for column in Visqol.columns if column.name == "visqol_audio")
    assert not column.is_default_at(16000)
    assert column.is_default_at(24000)


def test_card_names_the_rate():
    own = Visqol(build_config("visqol", VisqolConfig, {"rate": "file"}))
    assert own.spec == "visqol:rate=file"
    assert "at their own rate" in own.card.definition
    assert "at 16 kHz" in Visqol().card.definition


@pytest.mark.parametrize("seconds", [0.001, 0.05, 0.079])
def test_shorter_than_a_frame_is_a_reason(seconds):
    short = synthetic_speech(1.6).advanced(3000).fitted(round(seconds * 16000))
    scores = Visqol().measure(short, short)
    assert all("too short for ViSQOL" in score.error for score in scores.values())


@pytest.mark.parametrize(
    ("column", "rate", "needed"), [("visqol", 16000, 0.64), ("visqol_audio", 48000, 0.96)]
)
def test_least_length_is_what_the_reason_says(column, rate, needed):
    speech = synthetic_speech(1.6, rate).advanced(rate // 5)
    enough = speech.fitted(round(needed * rate))
    assert _score(column, enough, enough) > 3.0
    short = speech.fitted(round(needed * rate) - 1)
    scores = Visqol(selected=[column]).measure(short, short)
    assert f"{needed:.2f} s are needed" in scores[column].error


def test_reference_without_voice_activity_is_compared_where_it_begins():
    click = np.full(32000, 1e-3)
    click[16000] = 1.0  # everything else is far below the peak
    pair = Audio(click, 16000), with_noise(Audio(click, 16000), 30.0)
    assert _score("visqol_exp", *pair) == pytest.approx(_plain("visqol_exp", *pair), abs=TOLERANCE)


def test_decoded_audio_that_is_too_short_is_a_reason():
    scores = Visqol().measure(synthetic_speech(2.0), synthetic_speech(2.0).fitted(600))
    assert all("the decoded audio is too short" in score.error for score in scores.values())


def test_resampling_is_exact_in_length():
    speech = synthetic_speech(1.6, 44100)
    assert Fraction(len(speech), 44100) == Fraction(8, 5)
    assert _score("visqol_audio", speech, speech) == pytest.approx(4.73, abs=0.01)


def test_too_long_is_a_reason():
    with pytest.raises(MetricError, match="too long for ViSQOL"):
        Reference(np.ones(MAX_SAMPLES + 1), 16000, SPEECH)
