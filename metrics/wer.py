"""Word and character error rates of decoded speech, by an automatic speech recogniser."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Literal

import pydantic

from ..codec import CodecCard
from ..component import Config, Requirement
from ..corpora.base import Utterance
from ..errors import MetricError, UnavailableError
from ..metric import Column, Decoded, Law, Metric, Score
from ..signals import Signal
from .asr import POCKETSPHINX, RATE, Model, Recogniser, load_recogniser, spec_of
from .text import AUTO_RULES, NO_RULES, SPACELESS, character_errors, normalised, word_errors
from .whisper_models import largest_cached

_DEFINITION = """Substituted, deleted and inserted words (wer, dwer) or characters (cer; the spaces
    between words count) of the recognised decoded speech, divided by those of the reference text;
    errors and lengths are pooled over the corpus. Reference text: the transcript (wer, cer), or
    what the same recogniser made of the reference audio (dwer). In languages written without
    spaces cer alone. Speech is recognised at 16 kHz, in the utterance's own language; an utterance
    of unknown language is taken to be in language=, and has no score without."""

_WHISPER_DECODING = """Decoding: temperature 0, no fallback, no conditioning on previous text,
    language fixed, single precision. Windows of up to 30 s that Whisper takes for silence give no
    words: probability of no speech above 0.6 and mean log probability of the text not above -1
    (no_speech_threshold, logprob_threshold: its defaults); dropped speech counts as deleted."""

_SMOKE = "smoke test only"

_WHISPER = (
    Requirement("module", "whisper", "pip install openai-whisper"),
    Requirement("module", "torch", "pip install torch"),
)


class WerConfig(Config):
    """Which recogniser, and what is done to the texts."""

    asr: str = "whisper-base.en"
    """whisper-NAME (must be in Whisper's cache), a model file's path, or pocketsphinx (smoke test
    only)."""
    normalizer: Literal["auto", "none"] = "auto"
    """auto: Whisper's normalisers, and characters alone for Mandarin; none: texts as they are."""
    beam: int = pydantic.Field(default=1, ge=1, le=16)
    """Width of Whisper's beam search; 1 is greedy."""
    language: str | None = None
    """ISO 639-1, only for utterances whose corpus does not tell theirs."""

    @pydantic.field_validator("asr")
    @classmethod
    def _known(cls, asr: str) -> str:
        return spec_of(asr)


def _column(name: str, title: str) -> Column:
    return Column(name, title, "", "lower", bounds=(0.0, math.inf), pooled=True, digits=3)


@dataclass(eq=False)
class _Reference:
    signal: Signal
    language: str
    transcript: str | None
    """Normalised."""
    recogniser: Recogniser
    normalizer: Literal["auto", "none"]

    @cached_property
    def recognised(self) -> str:
        """What the recogniser makes of the reference: once for all codecs, when first needed."""
        return self.recognise(self.signal)

    def recognise(self, signal: Signal) -> str:
        text = self.recogniser.transcribe(signal.at(RATE), self.language)
        return normalised(text, self.language, self.normalizer)


class WordErrorRate(Metric):
    """WER and CER against the transcript, WER against the recognised reference (dwer)."""

    name = "wer"
    version = "2"
    requirements = (Requirement("module", "jiwer", "pip install jiwer"), *_WHISPER)
    Config = WerConfig
    config: WerConfig
    columns: ClassVar[tuple[Column, ...]] = (
        _column("wer", "WER"),
        _column("cer", "CER"),
        _column("dwer", "dWER"),
    )
    definition = _DEFINITION
    evaluation_rate = RATE
    package = "jiwer, openai-whisper or pocketsphinx"
    paper = "Radford et al., Robust speech recognition via large-scale weak supervision, ICML 2023"
    laws = (Law("identity_is_best", ("dwer",)),)
    accepts_unequal_lengths = True
    scores_reference = True
    reference_columns = frozenset({"wer", "cer"})

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.model = Model.named(self.config.asr)
        self._recogniser: Recogniser | None = None
        if self.config.asr == POCKETSPHINX:
            marked = tuple(
                replace(column, title=f"{column.title} ({_SMOKE})") for column in self.columns
            )
            self.columns = marked  # type: ignore[misc]  # of this configuration alone

    @classmethod
    def default_config(cls) -> WerConfig | None:
        """Take the largest published Whisper model that is at hand."""
        name = largest_cached()
        return None if name is None else WerConfig(asr=f"whisper-{name}")

    @property
    def caveat(self) -> str | None:
        """That pocketsphinx gives no figure to report."""
        return f"{_SMOKE} ({POCKETSPHINX})" if self.config.asr == POCKETSPHINX else None

    def describe_definition(self) -> str:
        """Return the definition with the recogniser, its weights and the normaliser."""
        rules = AUTO_RULES if self.config.normalizer == "auto" else NO_RULES
        search = "greedy" if self.config.beam == 1 else f"beam of {self.config.beam}"
        how = f"{search}. {_WHISPER_DECODING}"
        if self.config.asr == POCKETSPHINX:
            how = "with its defaults."
        return f"{_DEFINITION} Recogniser: {self.model.describe()}, {how} {rules}"

    def check_available(self) -> None:
        """Raise `UnavailableError` unless the recogniser is at hand; nothing is downloaded."""
        missing = [need for need in self._needs() if not need.is_met]
        if missing:
            what = "; ".join(f"{need.name} is not installed: {need.hint}" for need in missing)
            raise UnavailableError(f"wer cannot run here: {what}")
        try:
            self.model.check_available()
        except UnavailableError as error:
            raise UnavailableError(f"wer cannot run here: {error}") from error

    def _needs(self) -> list[Requirement]:
        """List the packages of this configuration; Whisper's normaliser serves pocketsphinx too."""
        without = self.config.asr == POCKETSPHINX and self.config.normalizer == "none"
        return [need for need in self.requirements if not (without and need in _WHISPER)]

    def setup(self, device: str = "cpu") -> None:
        """Load the recogniser onto a torch device."""
        self._recogniser = load_recogniser(self.model, self.config.beam, device)

    def applicable(self, utterance: Utterance, card: CodecCard | None) -> frozenset[str]:
        """Leave out what needs a transcript where there is none, and words where they are not.

        Nothing is left where the language is unknown or not the recogniser's, as far as its name
        tells (a model file's name does not).
        """
        language = self._language(utterance)
        if language is None or (self.model.english_by_name and language != "en"):
            return frozenset()
        columns = set(self.selected)
        if utterance.transcript is None:
            columns -= {"wer", "cer"}
        if language in SPACELESS:
            columns -= {"wer", "dwer"}
        return frozenset(columns)

    def _language(self, utterance: Utterance) -> str | None:
        """Return the utterance's own language; the configured one where it is unknown."""
        return utterance.language or self.config.language

    def _score_reference(self, prepared: _Reference) -> dict[str, Score]:
        """Score the reference itself: the recogniser's own errors, which no codec can undercut."""
        return self._against_transcript(prepared, prepared.recognised)

    def _prepare(self, utterance: Utterance) -> _Reference:
        if self._recogniser is None:
            raise RuntimeError("setup() has not been called")
        language = self._language(utterance)
        if language is None:
            raise MetricError("the utterance's language is not known (give it: wer:language=en)")
        transcript = utterance.transcript
        if transcript is not None:
            transcript = normalised(transcript, language, self.config.normalizer)
        return _Reference(
            utterance.signal, language, transcript, self._recogniser, self.config.normalizer
        )

    def _score(self, prepared: _Reference, decoded: Decoded) -> dict[str, Score]:
        hypothesis = prepared.recognise(decoded.signal)
        scores = self._against_transcript(prepared, hypothesis)
        if "dwer" in self.selected:
            scores["dwer"] = _words(prepared, prepared.recognised, hypothesis, "recognised text")
        return scores

    def _against_transcript(self, prepared: _Reference, hypothesis: str) -> dict[str, Score]:
        transcript = prepared.transcript
        if transcript is None:
            failed = Score.failed("the utterance has no transcript")
            scores = {"wer": failed, "cer": failed}
        elif not transcript:
            failed = Score.failed("the transcript is empty after normalisation")
            scores = {"wer": failed, "cer": failed}
        else:
            scores = {
                "wer": _words(prepared, transcript, hypothesis, "transcript"),
                "cer": _ratio(character_errors, transcript, hypothesis),
            }
        return {name: score for name, score in scores.items() if name in self.selected}


def _words(prepared: _Reference, reference: str, hypothesis: str, what: str) -> Score:
    if prepared.language in SPACELESS:
        return Score.failed(f"words are not separated in '{prepared.language}': see cer")
    if not reference:
        return Score.failed(f"the reference's {what} is empty")
    return _ratio(word_errors, reference, hypothesis)


def _ratio(errors: Callable[[str, str], tuple[int, int]], reference: str, hypothesis: str) -> Score:
    """Score a text against another and keep both, so that single errors can be shown."""
    counted = Score.ratio(*errors(reference, hypothesis))
    return replace(counted, reference_text=reference, decoded_text=hypothesis)
