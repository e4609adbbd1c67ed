"""Which utterances of a run get a page, and where their audio is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..corpora.base import Utterance
from ..errors import AudioError, UserError
from ..registry import load_corpus
from ..results.run_folder import UTTERANCES, Run
from ..spec import expand_spec
from ..subset import ranked
from ..utterance_list import ListedUtterance, read_list

Key = tuple[str, str, str]


@dataclass(frozen=True)
class Chosen:
    """An utterance that gets a page.

    Parameters
    ----------
    listed : ListedUtterance
        As the run recorded it.
    utterance : Utterance or None
        At its evaluation rate; None if its audio is not to be had.
    missing : str
        Why not, in one line.
    """

    listed: ListedUtterance
    utterance: Utterance | None
    missing: str = ""

    @property
    def key(self) -> Key:
        """Corpus, split and id."""
        return self.listed.corpus, self.listed.split, self.listed.id


def choose(run: Run, count: int) -> list[ListedUtterance]:
    """Return a speaker-balanced selection of a run's utterances, the same at every call.

    Parameters
    ----------
    run : Run
    count : int
        Of each corpus.
    """
    listed = read_list(run.path / UTTERANCES, missing_ok=True)
    by_key = {(row.corpus, row.split, row.id): row for row in listed if row.sha256}
    chosen = []
    for corpus in dict.fromkeys(row.corpus for row in listed):
        of_corpus = [
            Utterance(id_, home, split, row.speaker)
            for (home, split, id_), row in by_key.items()
            if home == corpus
        ]
        chosen += [by_key[item.key] for item in ranked(of_corpus)[:count]]
    return chosen


def with_audio(
    run: Run, listed: Sequence[ListedUtterance], data_root: Path | None = None
) -> list[Chosen]:
    """Find the audio of utterances in the corpora that the run names.

    What is not there, or is not what the run measured, has its reason instead.

    Raises
    ------
    UserError
        If there is no such data root.
    """
    if data_root is not None and not data_root.is_dir():
        raise UserError(f"there is no data root {data_root}")
    found, absent = _corpora(run, data_root)
    return [_checked(run, row, found, absent) for row in listed]


def _corpora(run: Run, data_root: Path | None) -> tuple[dict[Key, Utterance], list[str]]:
    found: dict[Key, Utterance] = {}
    absent = []
    for text in run.manifest.corpora:
        for spec in expand_spec(text):
            try:
                utterances = load_corpus(spec, data_root).utterances()
            except UserError as error:
                absent.append(str(error))
            else:
                found.update((utterance.key, utterance) for utterance in utterances)
    return found, absent


def _checked(
    run: Run, row: ListedUtterance, found: dict[Key, Utterance], absent: list[str]
) -> Chosen:
    utterance = found.get((row.corpus, row.split, row.id))
    if utterance is None:
        return Chosen(row, None, "; ".join(absent) or "its corpus no longer holds this utterance")
    try:
        audio = utterance.source_audio()
    except AudioError as error:
        return Chosen(row, None, str(error))
    if audio.sha256() != row.sha256:
        return Chosen(row, None, "the corpus's audio is not what the run measured")
    return Chosen(row, utterance.at_rate(run.manifest.rate or audio.sample_rate))
