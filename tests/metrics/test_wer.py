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


def test_scores_keep_the_texts_that_were_compared():
    metric = _metric("The cat sits!", "a cat sat", "")
    prepared, scores = _scores(metric, "The cat sat.")
    texts = {name: (score.reference_text, score.decoded_text) for name, score in scores.items()}
    assert texts == {
        "wer": ("the cat sat", "the cat sits"),
        "cer": ("the cat sat", "the cat sits"),
        "dwer": ("a cat sat", "the cat sits"),
    }
    assert metric.score_reference(prepared)["wer"].decoded_text == "a cat sat"
    nothing = metric.score(prepared, Decoded.from_audio(SPEECH))["wer"]
    assert (nothing.value, nothing.decoded_text) == (1.0, "")


def test_scores_that_failed_keep_no_text():
    _, scores = _scores(_metric("hello", ""), None)
    assert all(score.error and score.decoded_text is None for score in scores.values())


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
    assert scores["cer"].reference_text == "今天天气好"
    assert scores["cer"].decoded_text == "今天天气很好"
    assert "cer" in scores["wer"].error
    assert scores["dwer"].error
    assert metric._recogniser.asked == ["zh", "zh"]


@pytest.mark.parametrize(
    ("asr", "transcript", "language", "columns"),
    [
        ("whisper-base", "some words", "en", {"wer", "cer", "dwer"}),
        ("whisper-base", None, "en", {"dwer"}),
        ("whisper-base", "一些字", "zh", {"cer"}),
        ("whisper-base", None, "zh", set()),
        ("whisper-base", "some words", None, set()),
        ("whisper-base.en", "some words", "en", {"wer", "cer", "dwer"}),
        ("whisper-base.en", "一些字", "zh", set()),
        ("pocketsphinx", "des mots", "fr", set()),
        ("/models/mine.en.pt", "des mots", "fr", {"wer", "cer", "dwer"}),
    ],
)
def test_applicable(asr, transcript, language, columns):
    utterance = Utterance.from_audio(SPEECH, transcript=transcript, language=language)
    metric = WordErrorRate.from_spec(Spec("wer", (("asr", asr),)))
    assert metric.applicable(utterance, None) == columns


def test_the_utterances_own_language_comes_before_the_configured_one():
    spec = "wer:asr=whisper-base,language=en"
    metric = _metric("今天", "今天", spec=spec)
    mandarin = Utterance.from_audio(SPEECH, transcript="今天", language="zh")
    assert metric.applicable(mandarin, None) == {"cer"}
    _, scores = _scores(metric, "今天", language="zh")
    assert (scores["cer"].numerator, scores["cer"].denominator) == (0, 2)
    assert metric._recogniser.asked == ["zh", "zh"]
    unknown = Utterance.from_audio(SPEECH, transcript="today")
    assert metric.applicable(unknown, None) == {"wer", "cer", "dwer"}
    metric = _metric("today", "today", spec=spec)
    _scores(metric, "today", language=None)
    assert metric._recogniser.asked == ["en", "en"]


def test_aliases_of_a_model_are_one_spec():
    assert WordErrorRate.from_spec(parse_spec("wer:asr=whisper-large")).config.asr == (
        "whisper-large-v3"
    )
    turbo = WordErrorRate.from_spec(parse_spec("wer:asr=whisper-turbo"))
    assert turbo.config.asr == "whisper-large-v3-turbo"


@pytest.mark.parametrize(
    ("cached", "chosen"),
    [
        ([], None),
        (["tiny.en", "small.en", "base"], "whisper-small.en"),
        (["small", "small.en"], "whisper-small"),
        (["medium", "large-v3-turbo"], "whisper-large-v3-turbo"),
        (["large-v3-turbo", "large-v1", "large-v2"], "whisper-large-v2"),
    ],
)
def test_the_default_is_the_largest_model_at_hand(cached, chosen, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "whisper").mkdir()
    for name in cached:
        (tmp_path / "whisper" / f"{name}.pt").touch()
    config = WordErrorRate.default_config()
    assert (config and config.asr) == chosen


def test_the_card_says_when_whisper_drops_a_window():
    definition = WordErrorRate().card.definition
    assert "no_speech_threshold" in definition
    assert "logprob_threshold" in definition
    sphinx = WordErrorRate.from_spec(parse_spec("wer:asr=pocketsphinx"))
    assert "no_speech_threshold" not in sphinx.card.definition


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
    assert metric.caveat == "smoke test only (pocketsphinx)"
    assert WordErrorRate().caveat is None


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
