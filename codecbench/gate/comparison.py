"""`compare_runs`: paired differences of two runs, and whether they break thresholds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from ..errors import UserError
from ..metric import Column
from ..reports.labels import short_labels
from ..reports.selection import columns_named
from ..results.comparable import package_changes, require_comparable, require_same_definitions
from ..results.frames import UTTERANCE
from ..results.run_folder import Run
from .codecs import asked_codecs, one_codec
from .columns import compare_column
from .findings import CodecComparison, ColumnComparison, Comparison
from .sounds import SoundFinder
from .thresholds import Threshold

if TYPE_CHECKING:
    import pandas as pd


def compare_runs(
    base: Run,
    candidate: Run,
    thresholds: Sequence[Threshold] = (),
    *,
    metrics: Sequence[str] = (),
    codecs: Sequence[str] = (),
    pair: tuple[str, str] | None = None,
    allowed_failures: int | None = None,
    allowed_missing: int | None = None,
) -> Comparison:
    """Compare two runs utterance by utterance.

    Parameters
    ----------
    base, candidate : Run
    thresholds : sequence of Threshold
    metrics : sequence of str
        Metrics or columns to compare; those of the thresholds are added. All that both runs have
        if empty.
    codecs : sequence of str
        Specs or sweeps of the codecs to compare where both runs hold them; a value that is not
        given may be any. All if empty, unless there is a pair.
    pair : (str, str), optional
        Specs of one codec of the base and of one of the candidate, to compare with each other.
    allowed_failures : int, optional
        How many utterances that the base scored may fail in a column; any number if None.
    allowed_missing : int, optional
        How many of them the candidate may lack in a column; any number if None. Unless None, the
        candidate must also hold every codec of the base that is to be compared.

    Raises
    ------
    UserError
        If the runs cannot be compared: other audio, protocol or definitions; no codec, column or
        scored utterance in common; or a threshold would fail an improvement.
    """
    require_comparable(base, candidate)
    held = [run.held_columns() for run in (base, candidate)]
    columns = _columns(base, candidate, held, metrics, thresholds)
    require_same_definitions(base, candidate, columns)
    # A pair alone asks for no codec besides.
    asked = ([], []) if pair and not codecs else asked_codecs(base, candidate, codecs)
    pairs = _pairs(base, candidate, asked, pair)
    frames = [
        run.frame(details=True, metrics=columns, codecs=[pair[side] for pair in pairs])
        for side, run in enumerate((base, candidate))
    ]
    labels = short_labels([spec for pair in pairs for spec in pair])
    sounds = SoundFinder(base, candidate)
    found = tuple(
        CodecComparison(
            labels[pair[0]],
            labels[pair[1]],
            _has_changed(base, candidate, pair),
            tuple(_compared_columns(frames, pair, base.columns, columns, thresholds, sounds)),
        )
        for pair in pairs
    )
    notes = [*_notes(base, candidate, frames, found), *_alone("codecs", base, candidate, asked)]
    if not metrics:
        notes += _alone("columns", base, candidate, [sorted(names) for names in held])
    return Comparison(
        str(base.path),
        str(candidate.path),
        found,
        tuple(notes),
        allowed_failures,
        allowed_missing,
        tuple(spec for spec in asked[0] if spec not in asked[1]),
    )


def _columns(
    base: Run,
    candidate: Run,
    held: Sequence[set[str]],
    metrics: Sequence[str],
    thresholds: Sequence[Threshold],
) -> list[str]:
    """Return the columns to compare of those that the runs hold; thresholds' are among them."""
    asked = [threshold.column for threshold in thresholds]
    for column in asked:
        for run, names in zip((base, candidate), held, strict=True):
            if column not in names:
                known = ", ".join(sorted(names))
                raise UserError(f"{run.path} has no column '{column}' (it has {known})")
    for threshold in thresholds:
        threshold.require_direction(base.columns[threshold.column])
    common = [name for name in base.columns if name in held[0] & held[1]]
    if not metrics:
        return common
    wanted = [name for name in columns_named(base, metrics) if name in common]
    return list(dict.fromkeys([*wanted, *asked]))


def _pairs(
    base: Run,
    candidate: Run,
    asked: tuple[list[str], list[str]],
    named: tuple[str, str] | None,
) -> list[tuple[str, str]]:
    """Return what is compared: specs of the base and of the candidate."""
    pairs = [(spec, spec) for spec in asked[0] if spec in asked[1]]
    if named is not None:
        pairs.append((one_codec(base, named[0]), one_codec(candidate, named[1])))
    return list(dict.fromkeys(pairs))


def _has_changed(base: Run, candidate: Run, pair: tuple[str, str]) -> bool:
    if pair[0] != pair[1]:  # two codecs, neither of which has changed
        return False
    before, now = base.manifest.codecs[pair[0]], candidate.manifest.codecs[pair[1]]
    return before.identity != now.identity


def _compared_columns(
    frames: Sequence[pd.DataFrame],
    pair: tuple[str, str],
    columns: Mapping[str, Column],
    names: Sequence[str],
    thresholds: Sequence[Threshold],
    sounds: SoundFinder,
) -> Iterator[ColumnComparison]:
    for name in names:
        rows = _rows(frames, pair, name)
        mine = [threshold for threshold in thresholds if threshold.column == name]
        found = compare_column(name, columns[name], rows, mine, partial(sounds.of, pair))
        if found is not None:
            yield found
        elif mine:
            raise UserError(f"{pair[0]}: the base scored no utterance in {name}")


def _rows(frames: Sequence[pd.DataFrame], pair: tuple[str, str], name: str) -> list[pd.DataFrame]:
    """Return a column's rows of both runs by utterance.

    What either codec was trained on is left out of both: it is not missing in the other.
    """
    rows = [
        frame[(frame["codec"] == spec) & (frame["metric"] == name)]
        .set_index(UTTERANCE)
        .sort_index()
        for frame, spec in zip(frames, pair, strict=True)
    ]
    first, second = (side.index[side["speaker_seen_in_training"]] for side in rows)
    return [side[~side.index.isin(first.union(second))] for side in rows]


def _notes(
    base: Run,
    candidate: Run,
    frames: Sequence[pd.DataFrame],
    codecs: Sequence[CodecComparison],
) -> Iterator[str]:
    if changes := package_changes(base, candidate):
        yield f"packages differ: {', '.join(changes)}"
    counts = [(column.missing, column.extra) for codec in codecs for column in codec.columns]
    for run, alone in zip((base, candidate), zip(*counts, strict=True), strict=False):
        if count := max(alone):
            yield f"{count} utterances of {run.path} are not in the other run and in no mean"
    if any(frame["speaker_seen_in_training"].any() for frame in frames):
        yield "utterances of speakers that the weights were trained on are left out"


def _alone(what: str, base: Run, candidate: Run, names: Sequence[Sequence[str]]) -> Iterator[str]:
    """Name codecs or columns of one run that the other one does not hold."""
    for run, own, other in zip((base, candidate), names, names[::-1], strict=True):
        if alone := [name for name in own if name not in other]:
            yield f"{what} of {run.path} alone are not compared: {', '.join(alone)}"
