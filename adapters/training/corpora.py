"""Which utterances are trained on, and which speakers are reserved for model selection."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...corpora.base import Utterance
from ...corpora.locate import data_roots
from ...errors import UserError
from ...registry import load_corpus, speakers_corpus
from ...spec import POSITIONAL, Spec, parse_spec
from ...subset import ranked

_FOLDER = "folder"


@dataclass(frozen=True)
class TrainingData:
    """Utterances of a training.

    Parameters
    ----------
    training, reserved : tuple of Utterance
        Without a speaker in common; the reserved ones speaker by speaker in turn.
    speaker_corpus : str or None
        Corpus whose speakers they are; each utterance's own if None.
    """

    training: tuple[Utterance, ...]
    reserved: tuple[Utterance, ...]
    speaker_corpus: str | None

    @property
    def fingerprint(self) -> str:
        """Hash of the utterances' names, in order."""
        names = ["/".join(item.key) for part in (self.training, self.reserved) for item in part]
        return hashlib.sha256("\n".join(names).encode()).hexdigest()

    def speakers(self, of: Iterable[Utterance]) -> dict[str, list[str]]:
        """List speakers by corpus, sorted."""
        found: dict[str, set[str]] = {}
        for utterance in of:
            corpus, speaker = speaker_of(utterance, self.speaker_corpus)
            found.setdefault(corpus, set()).add(speaker)
        return {corpus: sorted(found[corpus]) for corpus in sorted(found)}


def gather(specs: Sequence[str], data_root: Path | None) -> list[Utterance]:
    """List the utterances of several corpora.

    Raises
    ------
    UserError
        If a corpus is not here, or an utterance is named twice.
    """
    found: dict[tuple[str, str, str], Utterance] = {}
    for spec in specs:
        for utterance in load_corpus(_located(parse_spec(spec), data_root), data_root).utterances():
            if utterance.key in found:
                name = "/".join(utterance.key)
                raise UserError(f"{spec}: utterance {name} is there twice; give folders a label")
            found[utterance.key] = utterance
    return list(found.values())


def divide(
    utterances: Sequence[Utterance], reserved_speakers: int, speaker_corpus: str | None
) -> TrainingData:
    """Reserve speakers: those whose SHA-256 of ``corpus/speaker`` comes first.

    Raises
    ------
    UserError
        If there are not more speakers than are to be reserved.
    """
    speakers = {speaker_of(item, speaker_corpus) for item in utterances}
    if len(speakers) <= reserved_speakers:
        raise UserError(
            f"data.reserved_speakers: {reserved_speakers} cannot be reserved of {len(speakers)};"
            " lower it in the recipe or give speech of more speakers"
        )
    reserved = set(sorted(speakers, key=_digest)[:reserved_speakers])
    apart = [item for item in utterances if speaker_of(item, speaker_corpus) in reserved]
    kept = [item for item in utterances if speaker_of(item, speaker_corpus) not in reserved]
    return TrainingData(tuple(kept), tuple(ranked(apart)), speaker_corpus)


def speaker_of(utterance: Utterance, speaker_corpus: str | None) -> tuple[str, str]:
    """Return under which corpus a speaker is known, and the speaker."""
    return speakers_corpus(speaker_corpus or utterance.corpus), utterance.speaker


def _digest(speaker: tuple[str, str]) -> str:
    return hashlib.sha256("/".join(speaker).encode()).hexdigest()


def _located(spec: Spec, data_root: Path | None) -> Spec:
    """Let a relative folder that is not here be one below a data root."""
    if spec.name != _FOLDER:
        return spec
    roots = data_roots([data_root] if data_root else None)
    params = []
    for key, value in spec.params:
        if key in (POSITIONAL, "path"):
            places = [Path(value).expanduser(), *(root / value for root in roots)]
            value = str(next((place for place in places if place.exists()), value))
        params.append((key, value))
    return Spec(spec.name, tuple(params))
