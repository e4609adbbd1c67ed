"""The answers that a listening page saves, read and checked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import pydantic

from ..component import first_fault
from ..errors import UserError

REFERENCE = "reference"
ANCHOR = "anchor"
MID_ANCHOR = "mid-anchor"
MAX_BYTES = 20_000_000


class _Strict(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


class Item(_Strict):
    """The utterance that a trial was about."""

    corpus: str
    split: str
    utterance: str


class RunOfTest(_Strict):
    """The run whose sounds were judged."""

    name: str
    identity: str


class AbxTrial(_Strict):
    """One A/B/X decision."""

    item: Item
    seconds: float
    codec: str
    a: str
    b: str
    x: Literal["a", "b"]
    """Which of the two X was."""
    answer: Literal["a", "b"]
    plays: dict[str, int]

    @property
    def is_correct(self) -> bool:
        """Whether the listener found out which of the two X was."""
        return self.answer == self.x


class Rating(_Strict):
    """One sound of a MUSHRA trial."""

    condition: str
    """A codec's canonical spec, ``reference``, ``anchor`` (the low one) or ``mid-anchor``."""
    shown: str
    score: int = pydantic.Field(ge=0, le=100)
    plays: int


class MushraTrial(_Strict):
    """All sounds of one utterance, rated side by side."""

    item: Item
    seconds: float
    ratings: tuple[Rating, ...] = pydantic.Field(min_length=2)

    def score(self, condition: str) -> int:
        """Return the rating of a condition.

        Raises
        ------
        KeyError
            If the trial has none.
        """
        return {rating.condition: rating.score for rating in self.ratings}[condition]


class _Answers(_Strict):
    format: Literal[1]
    test: str
    """Tells answers to one test from answers to any other."""
    run: RunOfTest
    codecs: dict[str, str]
    """Labels by canonical spec."""
    anchor: str
    mid_anchor: str | None = None
    """None where the rate leaves no room for one."""
    listener: str = pydantic.Field(min_length=1)
    seed: str
    started: str
    finished: str

    @property
    def subject(self) -> tuple[object, ...]:
        """What was judged: the same in all answers to one test."""
        return self.test, self.run, self.codecs, self.anchor, self.mid_anchor


class AbxAnswers(_Answers):
    """The A/B/X answers of one listener."""

    kind: Literal["abx"]
    trials: tuple[AbxTrial, ...] = pydantic.Field(min_length=1)

    @pydantic.model_validator(mode="after")
    def _asks_about_known_codecs(self) -> AbxAnswers:
        for trial in self.trials:
            if {trial.a, trial.b} != {REFERENCE, trial.codec} or trial.codec not in self.codecs:
                raise ValueError("a trial does not set a codec of the test against the reference")
        return self


class MushraAnswers(_Answers):
    """The ratings of one listener."""

    kind: Literal["mushra"]
    trials: tuple[MushraTrial, ...] = pydantic.Field(min_length=1)

    @pydantic.model_validator(mode="after")
    def _rates_every_condition(self) -> MushraAnswers:
        anchors = [ANCHOR] if self.mid_anchor is None else [ANCHOR, MID_ANCHOR]
        wanted = sorted([REFERENCE, *anchors, *self.codecs])
        for trial in self.trials:
            if sorted(rating.condition for rating in trial.ratings) != wanted:
                raise ValueError("a trial does not rate every codec, the reference and the anchors")
        items = [trial.item for trial in self.trials]
        if len(set(items)) != len(items):
            raise ValueError("an utterance is rated twice")
        return self


Answers = AbxAnswers | MushraAnswers
_READER: pydantic.TypeAdapter[Answers] = pydantic.TypeAdapter(
    Annotated[Answers, pydantic.Field(discriminator="kind")]
)


def read_answers(path: Path) -> Answers:
    """Read one file.

    Raises
    ------
    UserError
        If it cannot be read or is not what a listening page saves.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UserError(f"{path} is too large to be the answers of a listening test")
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}") from error
    try:
        return _READER.validate_json(data)
    except pydantic.ValidationError as error:
        where, what = first_fault(error)
        place = f"{where}: " if where else ""
        raise UserError(
            f"{path} does not hold the answers of a listening test: {place}{what}"
        ) from error


def read_all(paths: Sequence[Path]) -> dict[str, list[Answers]]:
    """Read the answers of several listeners to one test, by kind.

    Raises
    ------
    UserError
        If files answer different tests, or a listener answered a kind twice.
    """
    found: dict[str, list[Answers]] = {}
    first: Answers | None = None
    known: dict[tuple[str, str], Path] = {}
    for path in paths:
        answers = read_answers(path)
        first = first or answers
        if answers.subject != first.subject:
            raise UserError(
                f"{path} answers another test than {paths[0]}; analyse each test on its own"
            )
        key = answers.kind, answers.listener
        if key in known:
            raise UserError(
                f"{known[key]} and {path} are both {answers.listener}'s answers"
                f" ({answers.kind}); give one of them"
            )
        known[key] = path
        found.setdefault(answers.kind, []).append(answers)
    return found
