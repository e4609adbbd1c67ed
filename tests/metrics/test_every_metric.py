"""One tester for all registered metrics: their cards, their laws, and broken input."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from codecbench.audio import Audio, read_audio
from codecbench.corpora.base import Utterance
from codecbench.errors import MetricError, UnavailableError
from codecbench.metric import Decoded, Metric, Score
from codecbench.registry import METRICS, component_class, names
from codecbench.spec import Spec, parse_spec

from .laws import LAWS, SNR_STEPS, check_law
from .signals import RATE, scaled, synthetic_speech, with_noise
from .tiny_wavlm import write_tiny_wavlm
from .tiny_whisper import write_tiny_whisper

TRANSCRIPT = "a synthetic voice that says nothing"
SPEECH_FILES = "LibriSpeech/test-other/*/*/*.flac"
NAMES = names(METRICS)


@pytest.fixture(scope="session")
def tiny_whisper(tmp_path_factory) -> Path:
    return write_tiny_whisper(tmp_path_factory.mktemp("whisper") / "tiny.pt")


@pytest.fixture(scope="session")
def tiny_wavlm(tmp_path_factory) -> Path:
    return write_tiny_wavlm(tmp_path_factory.mktemp("wavlm"))


@pytest.fixture(scope="session")
def metric_named(tiny_whisper, tiny_wavlm):
    """Return the metric of a name, set up; one that needs a model gets a tiny random one."""
    params = {
        "spk_sim_wavlm": (("weights", str(tiny_wavlm)),),
        "wer": (("asr", str(tiny_whisper)),),
    }
    ready: dict[str, Metric] = {}

    def get(name: str) -> Metric:
        if name not in ready:
            spec = Spec(name, params.get(name, ()))
            columns = _columns_that_can_run(name, spec)
            metric = component_class(METRICS, name).from_spec(spec, selected=columns)
            metric.setup()
            ready[name] = metric
        return ready[name]

    return get


def _columns_that_can_run(name: str, spec: Spec) -> list[str]:
    """Leave out columns beyond the default set whose package is not installed."""
    kind = component_class(METRICS, name)
    columns = []
    for column in kind.columns:
        try:
            kind.from_spec(spec, selected=[column.name]).check_available()
        except UnavailableError:
            assert not column.default, f"{column.name} cannot run here"
        else:
            columns.append(column.name)
    return columns


@pytest.fixture(scope="session")
def utterance() -> Utterance:
    """Real speech of 3 to 6 s where there is some, else synthetic."""
    import os

    files = sorted(Path(os.environ.get("CODECBENCH_DATA", "/nonexistent")).glob(SPEECH_FILES))
    candidates = (read_audio(path) for path in files)
    speech = next((audio for audio in candidates if 3 < audio.seconds < 6), synthetic_speech())
    return Utterance.from_audio(speech, transcript=TRANSCRIPT, language="en")


# --- cards


@pytest.mark.parametrize("name", NAMES)
def test_card_is_complete_and_spec_is_canonical(name, metric_named):
    metric = metric_named(name)
    assert metric.name == name
    assert len(metric.card.definition) > 40
    again = component_class(METRICS, name).from_spec(parse_spec(metric.spec))
    assert again.card.identity == metric.card.identity
    for column in metric.columns:
        assert column.bounds[0] < column.bounds[1]
        assert column.better in ("higher", "lower", None)
        assert column.better is not None or not column.ranked


def test_columns_are_unique_over_all_metrics():
    columns = [c.name for name in NAMES for c in component_class(METRICS, name).columns]
    assert len(columns) == len(set(columns))


@pytest.mark.parametrize("name", NAMES)
def test_declared_laws_are_known(name):
    cls = component_class(METRICS, name)
    columns = {column.name for column in cls.columns}
    for law in cls.laws:
        assert law.name in LAWS
        assert set(law.columns) <= columns


def test_noise_steps_are_enough():
    assert len(SNR_STEPS) >= 4


# --- laws


def _laws_of(name: str) -> list:
    try:
        laws = component_class(METRICS, name).laws
    except UnavailableError:  # the tests of the cards fail for it; the others shall still run
        return []
    return [pytest.param(name, law, id=f"{name}-{law.name}") for law in laws]


@pytest.mark.parametrize(("name", "law"), [law for name in NAMES for law in _laws_of(name)])
def test_law_holds(name, law, metric_named, utterance):
    check_law(metric_named(name), law, utterance)


# --- every metric, sound input


@pytest.mark.parametrize("name", NAMES)
def test_sound_input_gives_every_applicable_column_and_repeats(name, metric_named, utterance):
    metric = metric_named(name)
    noisy = with_noise(utterance.audio(), 20.0)
    first = metric.score(metric.prepare(utterance), Decoded.from_audio(noisy))
    assert set(first) >= set(metric.applicable(utterance, None))
    _check_scores(metric, first)
    fresh = Utterance.from_audio(utterance.audio(), transcript=TRANSCRIPT, language="en")
    second = metric.score(metric.prepare(fresh), Decoded.from_audio(noisy))
    assert {k: repr(v) for k, v in first.items()} == {k: repr(v) for k, v in second.items()}


@pytest.mark.parametrize("name", NAMES)
def test_reference_is_scored_where_the_card_says_so(name, metric_named, utterance):
    metric = metric_named(name)
    scores = metric.score_reference(metric.prepare(utterance))
    assert bool(scores) == metric.scores_reference
    _check_scores(metric, scores)


# --- every metric, broken input

SPEECH = synthetic_speech(1.6)
NOISY = with_noise(SPEECH, 15.0)


def _constant(value: float, count: int = len(SPEECH)) -> Audio:
    return Audio(np.full(count, value), RATE)


def _with_sample(value: float) -> Audio:
    samples = NOISY.samples.copy()
    samples[1000] = value
    return Audio(samples, RATE)


def _cut(audio: Audio, count: int) -> Audio:
    return audio.fitted(count)


def _at(rate: int) -> tuple[Audio, Audio]:
    speech = synthetic_speech(1.6, rate)
    return speech, with_noise(speech, 15.0)


BROKEN = {
    "silent reference": (_constant(0.0), NOISY),
    "silent decoded": (SPEECH, _constant(0.0)),
    "both silent": (_constant(0.0), _constant(0.0)),
    "nearly silent decoded": (SPEECH, scaled(NOISY, 3e-4)),
    "10 ms": (_cut(SPEECH, 160), _cut(NOISY, 160)),
    "10 ms of speech": (_cut(SPEECH.advanced(3000), 160), _cut(NOISY.advanced(3000), 160)),
    "200 ms": (_cut(SPEECH, 3200), _cut(NOISY, 3200)),
    "1 sample": (_constant(0.3, 1), _constant(0.2, 1)),
    "2 samples": (_constant(0.3, 2), _constant(0.2, 2)),
    "constant": (_constant(0.5), _constant(0.4)),
    "constant decoded": (SPEECH, _constant(0.5)),
    "clipping decoded": (SPEECH, scaled(NOISY, 40.0)),
    "clipping both": (scaled(SPEECH, 40.0), scaled(NOISY, 40.0)),
    "square wave": (SPEECH, Audio(np.sign(SPEECH.samples), RATE)),
    "8 kHz": _at(8000),
    "48 kHz": _at(48000),
    "odd rate": _at(11025),
    "shorter decoded": (SPEECH, _cut(NOISY, len(NOISY) - 777)),
    "longer decoded": (SPEECH, _cut(NOISY, len(NOISY) + 777)),
    "unequal rates": (SPEECH, Audio(NOISY.samples, 22050)),
}  # fmt: skip

REFUSED = {
    "empty reference": (_cut(SPEECH, 0), NOISY),
    "empty decoded": (SPEECH, _cut(NOISY, 0)),
    "both empty": (_cut(SPEECH, 0), _cut(NOISY, 0)),
    "NaN in reference": (_with_sample(math.nan), NOISY),
    "NaN in decoded": (SPEECH, _with_sample(math.nan)),
    "infinity in reference": (_with_sample(math.inf), NOISY),
    "infinity in decoded": (SPEECH, _with_sample(-math.inf)),
}


def _measure(metric: Metric, pair: tuple[Audio, Audio]) -> dict[str, Score]:
    utterance = Utterance.from_audio(pair[0], transcript=TRANSCRIPT, language="en")
    return metric.score(metric.prepare(utterance), Decoded.from_audio(pair[1]))


def _check_scores(metric: Metric, scores: dict[str, Score]) -> None:
    """Each is a finite number within its bounds, or has a reason and no number."""
    columns = {column.name: column for column in metric.columns}
    for name, score in scores.items():
        if score.error is not None:
            assert score.error.strip(), f"{name} failed without a reason"
            assert "\n" not in score.error
            assert math.isnan(score.value), f"{name} has a reason and a number"
            continue
        low, high = columns[name].bounds
        assert math.isfinite(score.value), f"{name} is {score.value} without a reason"
        assert low <= score.value <= high, f"{name} is {score.value}, outside [{low}, {high}]"
        if columns[name].pooled:
            assert score.denominator, f"{name} is pooled but has no denominator"
            assert score.value == pytest.approx(score.numerator / score.denominator)


@pytest.mark.parametrize("case", BROKEN)
@pytest.mark.parametrize("name", NAMES)
def test_broken_input_gives_a_number_within_bounds_or_a_reason(name, case, metric_named):
    metric = metric_named(name)
    reason = None
    try:
        scores = _measure(metric, BROKEN[case])
    except MetricError as error:
        reason = str(error)
    if reason is not None:
        assert reason.strip()
        assert "\n" not in reason
        return
    assert scores
    _check_scores(metric, scores)


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("name", NAMES)
def test_empty_or_not_finite_input_is_refused(name, case, metric_named):
    with pytest.raises(MetricError, match=r"empty|NaN or infinite"):
        _measure(metric_named(name), REFUSED[case])
