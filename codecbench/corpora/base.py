"""`Utterance` and `Corpus`: what every corpus hands out."""

from __future__ import annotations

import abc
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from ..audio import Audio, read_audio
from ..component import Component
from ..signals import Signal


@dataclass(frozen=True)
class Utterance:
    """One recording of one speaker.

    Parameters
    ----------
    id : str
        Unique within its corpus and split.
    corpus : str
        Registered name of the corpus.
    split : str
    speaker : str
    language : str or None
        ISO 639-1 code, such as ``en`` or ``zh``.
    transcript : str or None
    path : Path or None
        The audio file.
    load : callable, optional
        Returns the audio; reads `path` if None.
    rate : int or None
        Evaluation rate in Hz to which the audio is resampled; None: its own rate.
    """

    id: str
    corpus: str
    split: str
    speaker: str
    language: str | None = None
    transcript: str | None = None
    path: Path | None = None
    load: Callable[[], Audio] | None = field(default=None, compare=False, repr=False)
    rate: int | None = None

    @classmethod
    def from_audio(
        cls,
        audio: Audio,
        id: str = "utterance",  # noqa: A002 - the field's name
        transcript: str | None = None,
        language: str | None = None,
    ) -> Utterance:
        """Make an utterance of audio in memory."""
        return cls(id, "memory", "all", "unknown", language, transcript, load=lambda: audio)

    @property
    def key(self) -> tuple[str, str, str]:
        """Corpus, split and id: unique within a run."""
        return self.corpus, self.split, self.id

    def at_rate(self, rate: int | None) -> Utterance:
        """Return the same utterance with its audio at an evaluation rate."""
        return replace(self, rate=rate)

    def source_audio(self) -> Audio:
        """Read the audio at its own rate.

        Raises
        ------
        AudioError
            If it cannot be read.
        """
        if self.load is not None:
            return self.load()
        if self.path is None:
            raise ValueError(f"utterance {self.id} has neither a path nor audio")
        return read_audio(self.path)

    def audio(self) -> Audio:
        """Return the audio at the evaluation rate (read once, then remembered)."""
        return self.signal.audio

    @cached_property
    def signal(self) -> Signal:
        """The audio with its remembered analyses, at the evaluation rate."""
        audio = self.source_audio()
        return Signal(audio if self.rate is None else audio.resampled(self.rate))

    def forget(self) -> None:
        """Drop the audio and analyses from memory; they are read again when asked for."""
        self.__dict__.pop("signal", None)


@dataclass(frozen=True)
class Archive:
    """A file that a corpus is published as.

    Parameters
    ----------
    url : str
        Official address.
    size : int or None
        Bytes, if published.
    md5, sha256 : str or None
        Published checksum.
    splits : tuple of str
        Which splits it holds; empty: needed for all.
    """

    url: str
    size: int | None = None
    md5: str | None = None
    sha256: str | None = None
    splits: tuple[str, ...] = ()


@dataclass(frozen=True)
class CorpusCard:
    """What is to be known of a corpus.

    Parameters
    ----------
    name, title, description, licence, homepage : str
    languages : tuple of str
    sample_rate : int or None
        In Hz.
    splits : tuple of str
    default_splits : tuple of str
        The test splits.
    speakers_of : str or None
        Registered name of the corpus whose speakers these are (LibriTTS re-cuts LibriSpeech's
        readers); None: speakers of its own.
    folder : str or None
        Name of its folder below a data root, as its archives unpack.
    archives : tuple of Archive
    """

    name: str
    title: str
    description: str
    licence: str
    homepage: str
    languages: tuple[str, ...] = ()
    sample_rate: int | None = None
    splits: tuple[str, ...] = ()
    default_splits: tuple[str, ...] = ()
    speakers_of: str | None = None
    folder: str | None = None
    archives: tuple[Archive, ...] = ()


class Corpus(Component, abc.ABC):
    """A source of utterances.

    Parameters
    ----------
    config : Config, optional
    data_roots : tuple of Path, optional
        Where to look for the corpus's folder; if None: ``CODECBENCH_DATA``, then the cache.
    """

    card: ClassVar[CorpusCard]

    def __init__(self, config: object = None, data_roots: tuple[Path, ...] | None = None) -> None:
        super().__init__(config)
        self.data_roots = data_roots

    @abc.abstractmethod
    def utterances(self) -> list[Utterance]:
        """List the utterances, sorted by split and id, without reading audio.

        Raises
        ------
        UnavailableError
            If the corpus is not on this machine; the message says how to fetch it.
        UserError
            If its layout is not the official one; the message names what is wrong.
        """
