"""What a recogniser heard of one utterance, set against the text it was compared with."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal, cast

from ..reports.layout import one_line
from ..results.run_folder import Run
from .choice import Key

COLUMNS = ("wer", "cer", "dwer")
"""Columns of counted recognition errors; of one metric, the first that has texts is shown."""

_CHARACTERS = "cer"
_SPACE = "␣"

Kind = Literal["equal", "substitute", "delete", "insert"]
Texts = tuple[str, str]
"""What was said and what was heard, as they were compared."""


@dataclass(frozen=True)
class Piece:
    """A part of two aligned texts: what agrees, or a single error.

    Parameters
    ----------
    kind : {"equal", "substitute", "delete", "insert"}
    said, heard : str
        Words or characters of the two texts; empty where there are none.
    """

    kind: Kind
    said: str
    heard: str


@dataclass(frozen=True)
class Recognised:
    """What was heard of one codec.

    Parameters
    ----------
    label : str
    codec : str
        Canonical spec.
    pieces : list of Piece or None
        None if the run kept no text.
    """

    label: str
    codec: str
    pieces: list[Piece] | None

    def count(self, kind: Kind) -> int:
        """Return the number of errors of a kind."""
        return sum(piece.kind == kind for piece in self.pieces or ())


@dataclass(frozen=True)
class Recognition:
    """What one recogniser heard of the reference and the codecs.

    Parameters
    ----------
    title : str
        The column whose errors are marked.
    unit : {"words", "characters"}
    separator : str
        What stands between pieces.
    against_transcript : bool
        False: compared with what was recognised of the reference.
    voices : list of Recognised
    """

    title: str
    unit: str
    separator: str
    against_transcript: bool
    voices: list[Recognised]


class KeptTexts:
    """The texts of a few utterances of a run.

    Parameters
    ----------
    run : Run
    keys : collection of (corpus, split, id)
    """

    def __init__(self, run: Run, keys: Collection[Key]) -> None:
        self._columns = {
            name: column for name, column in run.columns.items() if column.name in COLUMNS
        }
        self._specs = run.specs
        self._texts = {name: _texts_of(run, name, set(keys)) for name in self._columns}

    def of(
        self, key: Key, labels: Mapping[str, str], values: Mapping[tuple[str, str], float]
    ) -> list[Recognition]:
        """Return what each recogniser heard of an utterance.

        Parameters
        ----------
        key : (corpus, split, id)
        labels : dict of str to str
            Short names by codec, in the order in which they are shown.
        values : dict of (codec, column) to float
            All numbers of the utterance, NaN where there is none.
        """
        found = []
        for name in self._columns_of(key):
            texts = self._texts[name][key]
            column = self._columns[name]
            by_characters = column.name == _CHARACTERS
            voices = [
                Recognised(
                    one_line(label),
                    one_line(codec),
                    aligned(*texts[codec], by_characters) if codec in texts else None,
                )
                for codec, label in labels.items()
                if math.isfinite(values.get((codec, name), math.nan))
            ]
            title = one_line(column.title + name.removeprefix(column.name))
            unit, separator = ("characters", "") if by_characters else ("words", " ")
            found.append(Recognition(title, unit, separator, column.name != "dwer", voices))
        return found

    def _columns_of(self, key: Key) -> Iterator[str]:
        """Yield one column of each recogniser: the first of `COLUMNS` that has texts."""
        seen = set()
        for name in sorted(self._columns, key=lambda n: COLUMNS.index(self._columns[n].name)):
            if self._texts[name].get(key) and self._specs[name] not in seen:
                seen.add(self._specs[name])
                yield name


def _texts_of(run: Run, column: str, keys: set[Key]) -> dict[Key, dict[str, Texts]]:
    frame = run.texts(column)
    found: dict[Key, dict[str, Texts]] = {}
    fields = ("codec", "corpus", "split", "utterance", "reference_text", "decoded_text")
    for codec, corpus, split, utterance, said, heard in zip(
        *(frame[field] for field in fields), strict=True
    ):
        if (corpus, split, utterance) in keys:
            found.setdefault((corpus, split, utterance), {})[codec] = (said, heard)
    return found


def aligned(said: str, heard: str, by_characters: bool = False) -> list[Piece]:
    """Align two texts as their errors were counted, every error a piece of its own.

    Parameters
    ----------
    said : str
        At least one word.
    heard : str
    by_characters : bool
        Character by character, spaces among them, instead of word by word.
    """
    import jiwer

    result = (jiwer.process_characters if by_characters else jiwer.process_words)(said, heard)
    pieces: list[Piece] = []
    for chunk in result.alignments[0]:
        before = result.references[0][chunk.ref_start_idx : chunk.ref_end_idx]
        after = result.hypotheses[0][chunk.hyp_start_idx : chunk.hyp_end_idx]
        if chunk.type == "equal":
            text = _shown(("" if by_characters else " ").join(before))
            pieces.append(Piece("equal", text, text))
        else:
            pieces += _errors(cast(Kind, chunk.type), before, after)
    return pieces


def _errors(kind: Kind, said: Sequence[str], heard: Sequence[str]) -> Iterator[Piece]:
    for one, other in zip_longest(said, heard, fillvalue=""):
        yield Piece(kind, *(_SPACE if text == " " else _shown(text) for text in (one, other)))


def _shown(text: str) -> str:
    """Return a text without control characters; unlike `one_line`, spaces at its ends stay."""
    return " ".join(one_line(part) for part in text.split(" "))
