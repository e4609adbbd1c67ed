"""Checks a corpus that is here: its counts, every header and, on request, every sample."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..corpora.base import Corpus, Utterance
from ..corpora.official import OfficialCorpus, SplitCount
from ..errors import AudioError
from .checksums import Progress

HOURS_TOLERANCE = 0.02
"""Published hours are rounded; a split may differ from them by this fraction."""


@dataclass(frozen=True)
class Broken:
    """A file that cannot be used.

    Parameters
    ----------
    path : Path
    reason : str
    """

    path: Path
    reason: str


@dataclass(frozen=True)
class SplitReport:
    """What was found of one split.

    Parameters
    ----------
    split : str
    utterances, speakers, transcripts : int
    hours : float
        Of the readable files.
    sample_rates : tuple of int
        All that occur, in Hz.
    published : SplitCount
        What there should be; all None if nothing was published.
    """

    split: str
    utterances: int
    speakers: int
    transcripts: int
    hours: float
    sample_rates: tuple[int, ...]
    published: SplitCount

    @property
    def differences(self) -> tuple[str, ...]:
        """What differs from the published counts, in words."""
        found = []
        for what in ("utterances", "speakers"):
            got, wanted = getattr(self, what), getattr(self.published, what)
            if wanted is not None and got != wanted:
                found.append(f"{got} of {wanted} {what}")
        hours = self.published.hours
        if hours is not None and abs(self.hours - hours) > HOURS_TOLERANCE * hours:
            found.append(f"{self.hours:.2f} of {hours:.2f} hours")
        return tuple(found)


@dataclass(frozen=True)
class VerifyReport:
    """What was found of a corpus.

    Parameters
    ----------
    corpus : str
        Canonical spec.
    splits : tuple of SplitReport
    broken : tuple of Broken
    decoded : bool
        Whether all samples were decoded, not the headers alone.
    """

    corpus: str
    splits: tuple[SplitReport, ...]
    broken: tuple[Broken, ...]
    decoded: bool

    @property
    def is_complete(self) -> bool:
        """Whether all is as published and every file can be read."""
        return not self.broken and not any(split.differences for split in self.splits)


@dataclass(frozen=True)
class _Header:
    seconds: float
    sample_rate: int


def verify(corpus: Corpus, decode: bool = False, progress: Progress | None = None) -> VerifyReport:
    """Read every header (or all samples) of a corpus and compare counts with the published ones.

    Parameters
    ----------
    corpus : Corpus
        Its configuration says which splits.
    decode : bool
        Decode every file and look for NaN, instead of reading headers only.
    progress : callable, optional

    Raises
    ------
    UserError, UnavailableError
        If the corpus is not here or has another layout.
    """
    utterances = corpus.utterances()
    read = _decoded if decode else _header
    headers: dict[str, list[_Header]] = {}
    broken = []
    for number, item in enumerate(utterances, 1):
        try:
            headers.setdefault(item.split, []).append(_examined(corpus, item, read))
        except AudioError as error:
            broken.append(Broken(item.path or Path(item.id), str(error)))
        if progress:
            progress("reading", number, len(utterances))
    splits = tuple(
        _report(corpus, split, [item for item in utterances if item.split == split], headers)
        for split in sorted({item.split for item in utterances})
    )
    return VerifyReport(corpus.spec, splits, tuple(broken), decode)


def _examined(corpus: Corpus, item: Utterance, read: Callable[[Utterance], _Header]) -> _Header:
    header = read(item)
    expected = corpus.card.sample_rate
    if expected is not None and header.sample_rate != expected:
        raise AudioError(f"{item.path}: {header.sample_rate} Hz where {expected} Hz are published")
    if header.seconds == 0:
        raise AudioError(f"{item.path}: the file holds no samples")
    return header


def _header(item: Utterance) -> _Header:
    import soundfile

    try:
        info = soundfile.info(str(item.path))
    except (soundfile.LibsndfileError, OSError) as error:
        reason = getattr(error, "error_string", None) or str(error)
        raise AudioError(f"{item.path}: {' '.join(str(reason).split())}") from error
    return _Header(info.frames / info.samplerate, info.samplerate)


def _decoded(item: Utterance) -> _Header:
    audio = item.source_audio()
    if not audio.is_finite:
        raise AudioError(f"{item.path}: holds NaN or infinite samples")
    return _Header(audio.seconds, audio.sample_rate)


def _report(
    corpus: Corpus, split: str, items: Sequence[Utterance], headers: dict[str, list[_Header]]
) -> SplitReport:
    found = headers.get(split, [])
    published = SplitCount()
    if isinstance(corpus, OfficialCorpus):
        published = corpus.published_count(split)
    return SplitReport(
        split=split,
        utterances=len(items),
        speakers=len({item.speaker for item in items}),
        transcripts=sum(item.transcript is not None for item in items),
        hours=sum(header.seconds for header in found) / 3600,
        sample_rates=tuple(sorted({header.sample_rate for header in found})),
        published=published,
    )
