"""`compare_runs`: paired differences of two runs, and whether they break thresholds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import UserError
from ..metric import Column
from ..registry import codec_of
from ..reports.labels import short_labels
from ..reports.selection import columns_named
from ..results.frames import UTTERANCE
from ..results.run_folder import Run
from ..statistics.paired import Difference, paired_difference, paired_ratio_difference
from .comparable import package_changes, require_comparable, require_same_definitions
from .thresholds import Threshold

if TYPE_CHECKING:
    import pandas as pd

WORST = 5
"""How many utterances are listed for a column that got worse."""


@dataclass(frozen=True)
class Worsening:
    """An utterance that got worse.

    Parameters
    ----------
    utterance : str
        corpus/split/id.
    base, candidate : float
        Its scores.
    """

    utterance: str
    base: float
    candidate: float


@dataclass(frozen=True)
class ColumnComparison:
    """One codec's column in both runs, on the utterances that both scored.

    Parameters
    ----------
    name : str
    column : Column
    base, candidate : float
        Means or pooled ratios.
    difference : Difference
        candidate - base.
    new_failures, mended : int
        Utterances that only the base scored, and that only the candidate scored, though both
        runs hold them.
    thresholds : tuple of (Threshold, bool)
        Each with whether it is broken.
    worst : tuple of Worsening
        The utterances that got worse most, worst first; empty for columns without a direction.
    """

    name: str
    column: Column
    base: float
    candidate: float
    difference: Difference
    new_failures: int
    mended: int
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
        Whether implementation or weights differ.
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
    """Two runs compared.

    Parameters
    ----------
    base, candidate : str
        Run folders.
    codecs : tuple of CodecComparison
    notes : tuple of str
        What a reader must know: differing packages, utterances of one run alone.
    allowed_failures : int or None
        How many utterances that the base scored may fail in a column; None: any number.
    """

    base: str
    candidate: str
    codecs: tuple[CodecComparison, ...]
    notes: tuple[str, ...]
    allowed_failures: int | None

    def broken(self) -> list[tuple[CodecComparison, ColumnComparison]]:
        """Return the columns that close the gate."""
        return [
            (codec, column)
            for codec in self.codecs
            for column in codec.columns
            if column.is_broken or self.has_too_many_failures(column)
        ]

    def has_too_many_failures(self, column: ColumnComparison) -> bool:
        """Whether more utterances fail than allowed."""
        return self.allowed_failures is not None and column.new_failures > self.allowed_failures

    @property
    def passed(self) -> bool:
        """Whether the gate stays open."""
        return not self.broken()


def compare_runs(
    base: Run,
    candidate: Run,
    thresholds: Sequence[Threshold] = (),
    *,
    metrics: Sequence[str] = (),
    codecs: Sequence[tuple[str, str]] = (),
    allowed_failures: int | None = None,
) -> Comparison:
    """Compare two runs utterance by utterance.

    Parameters
    ----------
    base, candidate : Run
    thresholds : sequence of Threshold
    metrics : sequence of str
        Metrics or columns to compare; those of the thresholds are added. All that both runs have
        if empty.
    codecs : sequence of (str, str)
        Specs of the base's and of the candidate's codec; all that both runs have if empty.
    allowed_failures : int, optional
        How many utterances that the base scored may fail; any number if None.

    Raises
    ------
    UserError
        If the runs cannot be compared: other audio, protocol or definitions; no codec, column or
        scored utterance in common.
    """
    require_comparable(base, candidate)
    columns = _columns(base, candidate, metrics, thresholds)
    require_same_definitions(base, candidate, columns)
    pairs = [_known(base, candidate, pair) for pair in codecs] or _common_codecs(base, candidate)
    frames = [
        run.frame(details=True, metrics=columns, codecs=[pair[side] for pair in pairs])
        for side, run in enumerate((base, candidate))
    ]
    labels = short_labels([spec for pair in pairs for spec in pair])
    found = []
    for pair in pairs:
        identities = [
            run.manifest.codecs[spec].identity
            for run, spec in zip((base, candidate), pair, strict=True)
        ]
        found.append(
            CodecComparison(
                labels[pair[0]],
                labels[pair[1]],
                identities[0] != identities[1],
                tuple(_compared_columns(frames, pair, base.columns, columns, thresholds)),
            )
        )
    notes = tuple(_notes(base, candidate, frames))
    return Comparison(str(base.path), str(candidate.path), tuple(found), notes, allowed_failures)


def _columns(
    base: Run, candidate: Run, metrics: Sequence[str], thresholds: Sequence[Threshold]
) -> list[str]:
    """Return the columns to compare, those that thresholds name among them."""
    present = [set(run.frame()["metric"].unique()) for run in (base, candidate)]
    asked = [threshold.column for threshold in thresholds]
    for column in asked:
        for run, names in zip((base, candidate), present, strict=True):
            if column not in names:
                known = ", ".join(sorted(names))
                raise UserError(f"{run.path} has no column '{column}' (it has {known})")
    common = [name for name in base.columns if name in present[0] & present[1]]
    if not metrics:
        return common
    wanted = [name for name in columns_named(base, metrics) if name in common]
    return list(dict.fromkeys([*wanted, *asked]))


def _known(base: Run, candidate: Run, pair: tuple[str, str]) -> tuple[str, str]:
    specs = codec_of(pair[0]).spec, codec_of(pair[1]).spec
    for run, spec in zip((base, candidate), specs, strict=True):
        if spec not in run.order:
            raise UserError(f"{run.path} has no codec {spec} (it has {', '.join(run.order)})")
    return specs


def _common_codecs(base: Run, candidate: Run) -> list[tuple[str, str]]:
    common = [spec for spec in base.order if spec in candidate.order]
    if not common:
        raise UserError(
            f"{base.path} and {candidate.path} have no codec in common; name one of each"
            " with --base-codec and --candidate-codec"
        )
    return [(spec, spec) for spec in common]


def _compared_columns(
    frames: Sequence[pd.DataFrame],
    pair: tuple[str, str],
    columns: Mapping[str, Column],
    names: Sequence[str],
    thresholds: Sequence[Threshold],
) -> Iterator[ColumnComparison]:
    for name in names:
        rows = [_rows(frame, spec, name) for frame, spec in zip(frames, pair, strict=True)]
        mine = [threshold for threshold in thresholds if threshold.column == name]
        scored = [side[side["error"].isna()] for side in rows]
        common = scored[0].index.intersection(scored[1].index)
        if not len(common):
            if mine:
                raise UserError(f"{pair[1]}: no utterance has {name} in both runs")
            continue
        failures = [
            len(scored[a].index.intersection(rows[1 - a].index).difference(common)) for a in (0, 1)
        ]
        sides = [side.loc[common] for side in scored]
        yield _compared(name, columns[name], sides, failures, mine)


def _rows(frame: pd.DataFrame, spec: str, name: str) -> pd.DataFrame:
    rows = frame[(frame["codec"] == spec) & (frame["metric"] == name)]
    return rows[~rows["speaker_seen_in_training"]].set_index(UTTERANCE).sort_index()


def _compared(
    name: str,
    column: Column,
    sides: Sequence[pd.DataFrame],
    failures: Sequence[int],
    thresholds: Sequence[Threshold],
) -> ColumnComparison:
    base, candidate = sides
    who = base.index.get_level_values("corpus") + ":" + base["speaker"]
    if column.pooled:
        parts = [(side["numerator"].to_numpy(), side["denominator"].to_numpy()) for side in sides]
        before, now = (float(over.sum() / under.sum()) for over, under in parts)
        difference = paired_ratio_difference(parts[1], parts[0], who)
    else:
        before, now = (float(side["value"].mean()) for side in sides)
        difference = paired_difference(candidate["value"], base["value"], who)
    verdicts = tuple((one, one.is_broken_by(difference, before)) for one in thresholds)
    worst = tuple(_worst(base["value"], candidate["value"], column))
    new, mended = failures
    return ColumnComparison(name, column, before, now, difference, new, mended, verdicts, worst)


def _worst(
    base: pd.Series[float], candidate: pd.Series[float], column: Column
) -> Iterator[Worsening]:
    if column.better is None:
        return
    sides = base.to_numpy(float), candidate.to_numpy(float)
    gains = (sides[1] - sides[0]) * (1 if column.better == "higher" else -1)
    for place in gains.argsort(kind="stable")[:WORST].tolist():
        if gains[place] < 0:
            name = "/".join(map(str, base.index[place]))
            yield Worsening(name, float(sides[0][place]), float(sides[1][place]))


def _notes(base: Run, candidate: Run, frames: Sequence[pd.DataFrame]) -> Iterator[str]:
    if changes := package_changes(base, candidate):
        yield f"packages differ: {', '.join(changes)}"
    utterances = [set(frame.set_index(UTTERANCE).index) for frame in frames]
    for run, own, other in zip((base, candidate), utterances, utterances[::-1], strict=True):
        if alone := len(own - other):
            yield f"{alone} utterances of {run.path} are not in the other run and play no part"
    seen = [int(frame["speaker_seen_in_training"].sum()) for frame in frames]
    if any(seen):
        yield "utterances of speakers that the weights were trained on are left out"
