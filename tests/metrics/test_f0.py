"""F0: known errors on made-up tracks and tones, definitions, reasons, sharing, conformance."""

import numpy as np
import pytest

from codecbench.audio import Audio
from codecbench.corpora.base import Utterance
from codecbench.errors import MetricError, UserError
from codecbench.metric import Decoded
from codecbench.metrics import world
from codecbench.metrics.f0 import F0, _errors, _voicing
from codecbench.metrics.mcd import MelCepstralDistortion
from codecbench.metrics.world import F0Track
from codecbench.spec import parse_spec

from .conformance_rows import ANSWERS, check, rows
from .signals import RATE, synthetic_speech, with_noise

ROWS = rows(["versa"], [mode for mode, (spec, _) in ANSWERS.items() if spec.startswith("f0:")])


def _metric(spec="f0"):
    return F0.from_spec(parse_spec(spec))


def _track(*hertz):
    return F0Track(np.array(hertz, np.float64), 0.005 * np.arange(len(hertz)))


def _buzz(hertz, seconds=1.0, rate=RATE):
    """Ten harmonics of a known F0."""
    phase = 2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate
    return Audio(0.1 * sum(np.cos(k * phase) / k for k in range(1, 11)), rate)


def test_errors_of_made_up_tracks():
    reference, decoded = _track(100, 200, 0, 0, 100), _track(110, 0, 0, 300, 200)
    errors = _errors(reference, decoded, all_frames=False)
    assert errors["f0_rmse"].value == pytest.approx(np.sqrt((10**2 + 100**2) / 2))
    octaves = np.array([np.log2(1.1), 1.0])
    assert errors["f0_rmse_cents"].value == pytest.approx(1200 * np.sqrt(np.mean(octaves**2)))
    voicing = _voicing(reference, decoded)
    assert (voicing["vuv_error"].numerator, voicing["vuv_error"].denominator) == (2, 5)
    assert (voicing["f0_coverage"].numerator, voicing["f0_coverage"].denominator) == (2, 3)


def test_versa_counts_unvoiced_frames_as_zero_hertz():
    errors = _errors(_track(100, 200, 0), _track(100, 0, 0), all_frames=True)
    assert errors["f0_rmse"].value == pytest.approx(200 / np.sqrt(3))
    assert errors["f0_corr"].value == pytest.approx(np.corrcoef([100, 200, 0], [100, 0, 0])[0, 1])


def test_no_common_voiced_frame_is_a_reason_and_voicing_is_still_scored():
    errors = _errors(_track(100, 0), _track(0, 100), all_frames=False)
    assert {score.error for score in errors.values()} == {"no frame is voiced in both signals"}
    versa = _errors(_track(100, 0), _track(0, 100), all_frames=True)
    assert versa["f0_rmse"].value == 100.0
    assert versa["f0_rmse_cents"].error
    assert _errors(_track(0, 0), _track(0, 0), all_frames=True)["f0_rmse"].error
    voicing = _voicing(_track(100, 0), _track(0, 100))
    assert voicing["vuv_error"].value == 1.0
    assert voicing["f0_coverage"].value == 0.0
    assert _voicing(_track(0, 0), _track(0, 100))["f0_coverage"].error


def test_constant_f0_has_no_correlation():
    errors = _errors(_track(100, 100), _track(100, 120), all_frames=False)
    assert errors["f0_corr"].error
    assert errors["f0_rmse"].error is None


@pytest.mark.parametrize("tracker", ["dio", "harvest"])
@pytest.mark.parametrize("rate", [8000, 16000, 48000])
def test_a_tone_raised_by_a_semitone_is_100_cents_off(tracker, rate):
    metric = _metric(f"f0:tracker={tracker}")
    scores = metric.measure(_buzz(150.0, rate=rate), _buzz(150.0 * 2 ** (1 / 12), rate=rate))
    assert scores["f0_rmse_cents"].value == pytest.approx(100.0, abs=4.0)
    assert scores["f0_rmse"].value == pytest.approx(150.0 * (2 ** (1 / 12) - 1), abs=0.4)


def test_speech_against_noise_has_a_reason():
    speech = synthetic_speech(1.6)
    noise = Audio(0.05 * np.random.default_rng(3).standard_normal(len(speech)), RATE)
    scores = _metric().measure(speech, noise)
    assert scores["vuv_error"].value > 0.2
    assert scores["f0_coverage"].value < 0.2


def test_one_track_a_signal_for_f0_and_mcd(monkeypatch):
    calls = []
    track = world.f0_track

    def counted(signal, analysis):
        calls.append(analysis)
        return track(signal, analysis)

    monkeypatch.setattr(world, "f0_track", counted)
    speech = synthetic_speech(1.0)
    utterance = Utterance.from_audio(speech)
    prepared = [metric.prepare(utterance) for metric in (_metric(), MelCepstralDistortion())]
    assert len(calls) == 1
    for codec in range(2):
        decoded = Decoded.from_audio(with_noise(speech, 10.0 + codec))
        for metric, reference in zip((_metric(), MelCepstralDistortion()), prepared, strict=True):
            metric.score(reference, decoded)
    assert len(calls) == 3


def test_specs():
    assert _metric().spec == "f0:tracker=dio,definition=codecbench"
    assert _metric("f0:definition=versa").spec == "f0:tracker=harvest,definition=versa"
    assert (
        _metric("f0:definition=versa").card.identity != _metric("f0:tracker=harvest").card.identity
    )
    with pytest.raises(UserError, match="tracker=harvest"):
        _metric("f0:tracker=dio,definition=versa")
    with pytest.raises(UserError, match="tracker"):
        _metric("f0:tracker=crepe")


def test_a_rate_below_4_khz_has_a_reason():
    with pytest.raises(MetricError, match="4000 Hz"):
        _metric().measure(_buzz(100.0, rate=2000), _buzz(100.0, rate=2000))


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_conformance(row, conformance_root):
    check(row)


def test_conformance_rows_are_there(conformance_root):
    assert len(ROWS) == 2
