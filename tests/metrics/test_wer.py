"""WER, CER, dWER with a recogniser whose answers are known, and with a tiny random Whisper."""

import pytest

from codecbench.corpora.base import Utterance
from codecbench.errors import MetricError, UnavailableError, UserError
from codecbench.metric import Decoded
from codecbench.metrics.wer import WordErrorRate
from codecbench.spec import Spec, parse_spec

from .signals import synthetic_speech, with_noise
from .tiny_whisper import write_tiny_whisper

SPEECH = synthetic_speech(1.0)


class _Scripted:
    """Answers in turn what it was told to, and counts how often it was asked."""

    english_only = False

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    def transcribe(self, wave, language):
        self.asked.append(language)
        return self.answers.pop(0)


def _metric(*answers, spec="wer", selected=None):
    metric = WordErrorRate.from_spec(parse_spec(spec), selected=selected)
    metric._recogniser = _Scripted(*answers)
    return metric


def _scores(metric, transcript, language="en"):
    utterance = Utterance.from_audio(SPEECH, transcript=transcript, language=language)
    prepared = metric.prepare(utterance)
    return prepared, metric.score(prepared, Decoded.from_audio(with_noise(SPEECH, 20.0)))


def test_counts_are_pooled():
    _, scores = _scores(_metric("The cat sits!", "a cat sat"), "The cat sat.")
    assert (scores["wer"].numerator, scores["wer"].denominator) == (1, 3)
    assert (scores["cer"].numerator, scores["cer"].denominator) == (2, 11)
    assert (scores["dwer"].numerator, scores["dwer"].denominator) == (2, 3)


def test_reference_is_recognised_once_and_only_when_needed():
    metric = _metric("one", "heard", "two")
    prepared, _ = _scores(metric, "one")
    assert len(metric._recogniser.asked) == 2
    metric.score_reference(prepared)
    metric.score(prepared, Decoded.from_audio(SPEECH))
    assert len(metric._recogniser.asked) == 3
    alone = _metric("one", selected=["wer"])
    _, scores = _scores(alone, "one")
    assert set(scores) == {"wer"}
    assert len(alone._recogniser.asked) == 1


def test_reference_has_the_recognisers_own_errors():
    metric = _metric("", "a b x")
    prepared, _ = _scores(metric, "a b c")
    scores = metric.score_reference(prepared)
    assert scores["wer"].value == pytest.approx(1 / 3)
    assert set(scores) == {"wer", "cer"}


def test_more_words_than_the_reference_has():
    _, scores = _scores(_metric("a b c d", "a"), "a")
    assert scores["wer"].value == 3.0


def test_mandarin_is_scored_by_characters_alone():
    metric = _metric("今天 天气，很好", "今天天气很好")
    _, scores = _scores(metric, "今天天气好", language="zh")
    assert (scores["cer"].numerator, scores["cer"].denominator) == (1, 5)
    assert "cer" in scores["wer"].error
    assert scores["dwer"].error
    assert metric._recogniser.asked == ["zh", "zh"]


@pytest.mark.parametrize(
    ("transcript", "language", "columns"),
    [
        ("some words", "en", {"wer", "cer", "dwer"}),
        (None, "en", {"dwer"}),
        ("一些字", "zh", {"cer"}),
        (None, "zh", set()),
    ],
)
def test_applicable(transcript, language, columns):
    utterance = Utterance.from_audio(SPEECH, transcript=transcript, language=language)
    assert WordErrorRate().applicable(utterance, None) == columns


@pytest.mark.parametrize("transcript", [None, "", "..."])
def test_without_a_transcript_there_is_a_reason(transcript):
    _, scores = _scores(_metric("hello", "hello"), transcript)
    assert "transcript" in scores["wer"].error
    assert "transcript" in scores["cer"].error
    assert scores["dwer"].value == 0.0


def test_nothing_recognised_in_the_reference_is_a_reason():
    _, scores = _scores(_metric("hello", ""), "hello")
    assert "recognised text is empty" in scores["dwer"].error


def test_unknown_language_is_a_reason_unless_given():
    with pytest.raises(MetricError, match="wer:language=en"):
        _scores(_metric("a", "a"), "a", language=None)
    metric = _metric("a", "a", spec="wer:language=en")
    assert _scores(metric, "a", language=None)[1]["wer"].value == 0.0


def test_specs_and_cards(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert WordErrorRate().spec == "wer:asr=whisper-base.en,normalizer=auto,beam=1"
    with pytest.raises(UnavailableError, match=r"wer cannot run here: .*whisper_models base\.en"):
        WordErrorRate().check_available()
    with pytest.raises(UserError, match="asr"):
        WordErrorRate.from_spec(parse_spec("wer:asr=enormous"))
    with pytest.raises(UserError, match="beam"):
        WordErrorRate.from_spec(parse_spec("wer:beam=0"))
    assert "25a8566e1d0c" in WordErrorRate().card.definition


def test_pocketsphinx_is_marked_wherever_it_is_shown():
    metric = WordErrorRate.from_spec(parse_spec("wer:asr=pocketsphinx"))
    assert all("smoke test only" in column.title for column in metric.card.columns)
    assert "smoke test only" in metric.card.definition
    assert not any("smoke" in column.title for column in WordErrorRate().card.columns)


def test_cards_of_different_weights_differ(tmp_path):
    path = write_tiny_whisper(tmp_path / "model.pt", seed=0)
    metric = WordErrorRate.from_spec(Spec("wer", (("asr", str(path)),)))
    first = metric.card.identity
    write_tiny_whisper(path, seed=1)
    assert metric.card.identity != first


def test_a_real_model_file_end_to_end(tmp_path):
    path = write_tiny_whisper(tmp_path / "model.pt")
    metric = WordErrorRate.from_spec(Spec("wer", (("asr", str(path)),)))
    metric.check_available()
    scores = metric.measure(SPEECH, SPEECH, transcript="nothing of this", language="en")
    assert scores["wer"].denominator == 3
    assert scores["dwer"].value == 0.0
