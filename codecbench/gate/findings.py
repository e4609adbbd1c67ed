"""What a comparison of two runs found: numbers, verdicts, and the utterances behind them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..metric import Column
from ..statistics.paired import Difference
from .thresholds import Threshold


@dataclass(frozen=True)
class Sounds:
    """Where an utterance can be heard.

    Parameters
    ----------
    reference : Path or None
        The corpus's file as the run names it, not yet read; None if it is not on this machine.
    base, candidate : Path or None
        Decoded audio as it was scored; None if the run did not keep it.
    reference_sha256 : str or None
        `Audio.sha256` that the reference was measured with.
    """

    reference: Path | None = None
    base: Path | None = None
    candidate: Path | None = None
    reference_sha256: str | None = None

    def listed(self) -> list[tuple[str, Path]]:
        """Return what there is, with its name."""
        named = [(name, getattr(self, name)) for name in ("reference", "base", "candidate")]
        return [(name, path) for name, path in named if path is not None]


@dataclass(frozen=True)
class Worsening:
    """An utterance that got worse, or that is no longer scored at all.

    Parameters
    ----------
    utterance : str
        corpus/split/id.
    base : float
        Its score.
    candidate : float or None
        Its score; None if there is none any more.
    reason : str or None
        Why there is none; None also if the candidate does not hold the utterance.
    sounds : Sounds
    """

    utterance: str
    base: float
    candidate: float | None
    reason: str | None
    sounds: Sounds


@dataclass(frozen=True)
class ColumnComparison:
    """One codec's column in both runs, on the utterances that both scored.

    Parameters
    ----------
    name : str
    column : Column
    base, candidate : float or None
        Means or pooled ratios; None if the candidate scored nothing that the base scored.
    difference : Difference or None
        candidate - base.
    new_failures, mended : int
        Utterances that only the base scored, and that only the candidate scored, though both
        runs hold them.
    missing, extra : int
        Utterances that the base scored and the candidate holds no row of, and the other way round.
    thresholds : tuple of (Threshold, bool)
        Each with whether it is broken.
    worst : tuple of Worsening
        New failures, then missing utterances, then those that got worse most, worst first (columns
        without a direction have none of these); a few of each.
    """

    name: str
    column: Column
    base: float | None
    candidate: float | None
    difference: Difference | None
    new_failures: int
    mended: int
    missing: int
    extra: int
    thresholds: tuple[tuple[Threshold, bool], ...]
    worst: tuple[Worsening, ...]

    @property
    def is_broken(self) -> bool:
        """Whether a threshold is broken."""
        return any(broken for _, broken in self.thresholds)


@dataclass(frozen=True)
class CodecComparison:
    """One codec in both runs.

    Parameters
    ----------
    base, candidate : str
        Short labels; equal unless two codecs are compared with each other.
    changed : bool
        Whether implementation or weights of one spec differ; never where two are compared.
    columns : tuple of ColumnComparison
    """

    base: str
    candidate: str
    changed: bool
    columns: tuple[ColumnComparison, ...]

    @property
    def label(self) -> str:
        """Name both if they differ."""
        return self.base if self.base == self.candidate else f"{self.base} → {self.candidate}"


@dataclass(frozen=True)
class Comparison:
    """Two runs compared; with limits on failures and missing utterances it is a gate.

    Parameters
    ----------
    base, candidate : str
        Run folders.
    codecs : tuple of CodecComparison
    notes : tuple of str
        What a reader must know: differing packages, what one run alone holds.
    allowed_failures : int or None
        How many utterances that the base scored may fail in a column; None: any number.
    allowed_missing : int or None
        How many of them the candidate may lack in a column; None: any number, and codecs too.
    missing_codecs : tuple of str
        Specs of the base's codecs that the candidate should hold and does not.
    """

    base: str
    candidate: str
    codecs: tuple[CodecComparison, ...]
    notes: tuple[str, ...]
    allowed_failures: int | None
    allowed_missing: int | None = None
    missing_codecs: tuple[str, ...] = ()

    def broken(self) -> list[tuple[CodecComparison, ColumnComparison]]:
        """Return the columns that close the gate."""
        return [
            (codec, column)
            for codec in self.codecs
            for column in codec.columns
            if self.is_worse(column) or self.has_too_many_missing(column)
        ]

    def is_worse(self, column: ColumnComparison) -> bool:
        """Whether a threshold is broken or more utterances fail than allowed."""
        return column.is_broken or self.has_too_many_failures(column)

    def has_too_many_failures(self, column: ColumnComparison) -> bool:
        """Whether more utterances fail than allowed."""
        return self.allowed_failures is not None and column.new_failures > self.allowed_failures

    def has_too_many_missing(self, column: ColumnComparison) -> bool:
        """Whether the candidate lacks more utterances than allowed."""
        return self.allowed_missing is not None and column.missing > self.allowed_missing

    @property
    def lacks_codecs(self) -> bool:
        """Whether the candidate lacks codecs that it may not lack."""
        return self.allowed_missing is not None and bool(self.missing_codecs)

    @property
    def passed(self) -> bool:
        """Whether the gate stays open."""
        return not self.broken() and not self.lacks_codecs
