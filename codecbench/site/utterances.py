"""The pages of single utterances: players, pictures, transcript and scores."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..files import safe_name
from ..metric import Column
from ..reports.labels import short_labels
from ..reports.layout import NOTHING, Heading, heading_of, number, one_line
from ..results.run_folder import Run
from ..results.schema import REFERENCE
from .audio import Sound
from .choice import Chosen, Key
from .recognition import COLUMNS as RECOGNITION
from .recognition import KeptTexts, Recognition

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Score:
    """A number of one utterance, written; `reason` says why there is none."""

    text: str
    reason: str = ""


@dataclass(frozen=True)
class Voice:
    """The reference or a codec on an utterance's page."""

    label: str
    codec: str
    sound: Sound
    scores: list[Score]

    @property
    def is_reference(self) -> bool:
        """Whether it is the uncoded speech."""
        return self.codec == REFERENCE

    @property
    def has_scores(self) -> bool:
        """Whether there is a number, or a reason why there is none."""
        return any(score != Score(NOTHING) for score in self.scores)


@dataclass(frozen=True)
class UtterancePage:
    """All that stands on a page.

    Parameters
    ----------
    name : str
        File name without suffix.
    corpus, split, id, speaker, run : str
    seconds : float or None
    rate : int or None
        Evaluation rate in Hz.
    transcript, language : str or None
    missing : str
        Why there is no sound at all; empty if there is.
    headings : list of Heading
    voices : list of Voice
    recognitions : list of Recognition
        What was heard; empty if the run keeps no text.
    """

    name: str
    corpus: str
    split: str
    id: str
    speaker: str
    run: str
    seconds: float | None
    rate: int | None
    transcript: str | None
    language: str | None
    missing: str
    headings: list[Heading]
    voices: list[Voice]
    recognitions: list[Recognition]

    @property
    def has_recognition(self) -> bool:
        """Whether errors of recognised words or characters were counted."""
        return any(
            score.text != NOTHING
            for voice in self.voices
            for heading, score in zip(self.headings, voice.scores, strict=True)
            if heading.name.split(" ")[0] in RECOGNITION
        )


class Scores:
    """The rows of a few utterances of a run, and what was recognised of them.

    Parameters
    ----------
    run : Run
    keys : collection of (corpus, split, id)
    """

    def __init__(self, run: Run, keys: Sequence[Key]) -> None:
        frame = run.frame()
        wanted = set(keys)
        mine = [
            key in wanted
            for key in zip(frame["corpus"], frame["split"], frame["utterance"], strict=True)
        ]
        self._columns = run.columns
        self._texts = KeptTexts(run, wanted)
        self._rows: dict[Key, pd.DataFrame] = {
            (str(corpus), str(split), str(utterance)): rows
            for (corpus, split, utterance), rows in frame[mine].groupby(
                ["corpus", "split", "utterance"], sort=False
            )
        }

    def columns(self, key: Key) -> dict[str, Column]:
        """Return the columns that an utterance has rows of, in the run's order."""
        present = set(self._rows[key]["metric"]) if key in self._rows else set()
        return {name: column for name, column in self._columns.items() if name in present}

    def recognitions(self, key: Key, labels: Mapping[str, str]) -> list[Recognition]:
        """Return what was heard of an utterance, for the codecs that labels are given of."""
        if key not in self._rows:
            return []
        rows = self._rows[key]
        pairs = zip(rows["codec"], rows["metric"], strict=True)
        return self._texts.of(key, labels, dict(zip(pairs, rows["value"], strict=True)))

    def of(self, key: Key) -> dict[tuple[str, str], Score]:
        """Return the scores of an utterance by codec and column."""
        if key not in self._rows:
            return {}
        rows = self._rows[key]
        fields = ("codec", "metric", "value", "numerator", "denominator", "error")
        found = {}
        for codec, metric, value, above, below, error in zip(
            *(rows[field] for field in fields), strict=True
        ):
            found[str(codec), str(metric)] = _score(
                value, (above, below), error, self._columns[metric]
            )
        return found


def _score(value: float, parts: tuple[float, float], error: str | None, column: Column) -> Score:
    if not math.isfinite(value):
        return Score(NOTHING, one_line(str(error)) if error else "no number")
    text = number(value, column.digits)
    if column.name in RECOGNITION:
        return Score(f"{text} ({parts[0]:.0f} of {parts[1]:.0f})")
    return Score(text)


def page_of(
    run: Run,
    identity: str,
    chosen: Chosen,
    sounds: Sequence[Sound],
    scores: Scores,
    labels: Mapping[str, str],
) -> UtterancePage:
    """Put together what stands on a page; codecs without a row of the utterance are left out.

    `identity` is the run's among those of the site.
    """
    columns = scores.columns(chosen.key)
    found = scores.of(chosen.key)
    measured = {codec for codec, _ in found}
    voices = [
        Voice(
            one_line(labels[sound.codec]),
            one_line(sound.codec),
            sound,
            [found.get((sound.codec, name), Score(NOTHING)) for name in columns],
        )
        for sound in sounds
        if sound.codec == REFERENCE or sound.codec in measured
    ]
    utterance = chosen.utterance
    transcript = utterance.transcript if utterance else None
    return UtterancePage(
        name=safe_name(identity, *chosen.key),
        corpus=one_line(chosen.listed.corpus),
        split=one_line(chosen.listed.split),
        id=one_line(chosen.listed.id),
        speaker=one_line(chosen.listed.speaker),
        run=one_line(run.path.resolve().name),
        seconds=chosen.listed.seconds,
        rate=utterance.rate if utterance else run.manifest.rate,
        transcript=None if transcript is None else one_line(transcript),
        language=utterance.language if utterance else None,
        missing=chosen.missing,
        headings=[heading_of(name, column) for name, column in columns.items()],
        voices=voices,
        recognitions=scores.recognitions(chosen.key, labels),
    )


def labels_of(run: Run) -> dict[str, str]:
    """Return the short names of a run's codecs and of the reference."""
    titles = {codec: str(card.get("title", "")) for codec, card in run.cards.items()}
    return short_labels([REFERENCE, *run.order], titles)
