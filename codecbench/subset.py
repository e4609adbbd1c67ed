"""Deterministic, speaker-balanced, nested selections of utterances."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable

from .corpora.base import Utterance
from .errors import UserError


def ranked(utterances: Iterable[Utterance]) -> list[Utterance]:
    """Order utterances so that every beginning of the list is balanced over speakers.

    Utterances of a speaker are ordered by the SHA-256 of ``corpus/split/id``, speakers by the
    SHA-256 of ``corpus/split/speaker``; then each speaker in turn gives one utterance until all
    are out. The order depends on nothing but these names.

    Raises
    ------
    UserError
        If an utterance is given twice.
    """
    speakers: dict[str, list[tuple[str, Utterance]]] = {}
    seen: set[tuple[str, str, str]] = set()
    for item in utterances:
        if item.key in seen:
            raise UserError(f"utterance {'/'.join(item.key)} is given twice")
        seen.add(item.key)
        speaker = f"{item.corpus}/{item.split}/{item.speaker}"
        speakers.setdefault(speaker, []).append((_digest("/".join(item.key)), item))
    turns = [
        [item for _, item in sorted(speakers[speaker], key=lambda pair: (pair[0], pair[1].key))]
        for speaker in sorted(speakers, key=lambda speaker: (_digest(speaker), speaker))
    ]
    rounds = itertools.zip_longest(*turns)
    return [item for turn in rounds for item in turn if item is not None]


def subset(utterances: Iterable[Utterance], size: int) -> list[Utterance]:
    """Return the first `size` of the `ranked` utterances; all of them if there are fewer.

    Subsets are nested: the subset of 50 is the beginning of the subset of 100.

    Raises
    ------
    UserError
        If `size` is not positive.
    """
    if size < 1:
        raise UserError(f"a subset holds at least one utterance; got {size}")
    return ranked(utterances)[:size]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
