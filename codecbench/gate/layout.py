"""What the gate's formats that people read have in common: cells, verdicts and notes."""

from __future__ import annotations

from collections.abc import Iterator

from ..reports.layout import NOTHING, heading_of, number, one_line
from .findings import CodecComparison, ColumnComparison, Comparison, Worsening

HEADINGS = ("metric", "base", "candidate", "difference", "detectable", "n", "verdict")
FAILED = "FAIL"


def headline(comparison: Comparison) -> str:
    """Say in one line how it went."""
    checks = sum(len(column.thresholds) for codec in comparison.codecs for column in codec.columns)
    if not comparison.passed:
        return f"regression: {', '.join(_reasons(comparison))}"
    if checks:
        return f"no regression: {checks} threshold{'s' * (checks > 1)} held"
    return "compared; no thresholds were given (--fail-on)"


def _reasons(comparison: Comparison) -> Iterator[str]:
    columns = [column for _, column in comparison.broken()]
    if worse := sum(map(comparison.is_worse, columns)):
        yield f"{worse} of the columns compared got worse than allowed"
    if lacking := sum(map(comparison.has_too_many_missing, columns)):
        yield f"{lacking} lack more utterances of the base than allowed"
    if comparison.lacks_codecs:
        yield missing_codecs_of(comparison)


def missing_codecs_of(comparison: Comparison) -> str:
    """Name the codecs that the candidate lacks."""
    return one_line(f"the candidate lacks {', '.join(comparison.missing_codecs)}")


def cells_of(comparison: Comparison, column: ColumnComparison) -> list[str]:
    """Write one line of a codec's table."""
    digits = column.column.digits
    heading = heading_of(column.name, column.column)
    title = f"{heading.title} ({heading.unit})" if heading.unit else heading.title
    found = column.difference
    return [
        title,
        _number(column.base, digits),
        _number(column.candidate, digits),
        difference_of(column),
        _number(found.detectable if found else None, digits + 1),
        str(found.interval.utterances if found else 0),
        verdict(comparison, column),
    ]


def difference_of(column: ColumnComparison) -> str:
    """Write the difference with its interval, one decimal more than the column's."""
    if column.difference is None:
        return NOTHING
    return column.difference.interval.worded("+", column.column.digits + 1)


def _number(value: float | None, digits: int) -> str:
    return NOTHING if value is None else number(value, digits)


def title_of_worst(codec: CodecComparison, column: ColumnComparison) -> str:
    """Head the list of a column's worst utterances."""
    return one_line(f"got worse most in {column.column.title}, {codec.label}:")


def worst_line(column: ColumnComparison, one: Worsening) -> str:
    """Name an utterance that got worse with its scores, or what became of it."""
    digits = column.column.digits
    if one.candidate is not None:
        now = number(one.candidate, digits)
    else:
        now = "missing" if one.reason is None else f"failed: {one.reason}"
    return one_line(f"{one.utterance}: {number(one.base, digits)} → {now}")


def verdict(comparison: Comparison, column: ColumnComparison) -> str:
    """Say whether a column broke a threshold, held, or what became of it without one."""
    said = [f"{FAILED} {threshold}" for threshold, broken in column.thresholds if broken]
    if comparison.has_too_many_failures(column):
        said.append(f"{FAILED} {column.new_failures} more utterances failed")
    elif column.new_failures:
        said.append(f"{column.new_failures} more utterances failed")
    if column.missing:
        closes = f"{FAILED} " if comparison.has_too_many_missing(column) else ""
        said.append(f"{closes}{column.missing} utterances missing")
    if said:
        return ", ".join(said)
    if column.thresholds:
        return "ok"
    return _direction(column)


def _direction(column: ColumnComparison) -> str:
    better = column.column.better
    if column.difference is None or better is None or not column.difference.excludes_zero:
        return ""
    return "better" if (column.difference.interval.value > 0) == (better == "higher") else "worse"


def title_of(codec: CodecComparison) -> str:
    """Name a codec, and say whether it is another than it was."""
    return one_line(codec.label + (" (implementation or weights changed)" * codec.changed))


def notes_of(comparison: Comparison) -> list[str]:
    """Say what a reader must know."""
    return [
        "difference: candidate - base on the utterances that both scored, with its 95 % interval;"
        " a threshold is broken if the difference is beyond it and the interval excludes zero",
        "detectable: the smallest true difference that such a run finds four times out of five",
        *_blind_spots(comparison),
        *_unheard(comparison),
        *comparison.notes,
    ]


def _blind_spots(comparison: Comparison) -> Iterator[str]:
    """Name thresholds that held although the data do not rule out a loss beyond them."""
    for codec in comparison.codecs:
        for column in codec.columns:
            for threshold, broken in column.thresholds:
                if column.difference is None or column.base is None:
                    continue
                smallest = column.difference.detectable
                if smallest is None:
                    yield f"{codec.label}: one utterance cannot break {threshold}"
                elif not broken and threshold.reaches_beyond(column.difference, column.base):
                    yield (
                        f"{codec.label}: a difference beyond {threshold} is not ruled out;"
                        f" this run detects {number(smallest, column.column.digits + 1)},"
                        " more speakers detect less"
                    )


def _unheard(comparison: Comparison) -> Iterator[str]:
    """Say how to keep audio of what got worse, where a run did not."""
    worst = [one for _, column in comparison.broken() for one in column.worst]
    silent = {comparison.base: any(one.sounds.base is None for one in worst)}
    # What failed cannot be heard, however the run is repeated.
    silent[comparison.candidate] = any(
        one.sounds.candidate is None and one.candidate is not None for one in worst
    )
    for run, is_silent in silent.items():
        if is_silent:
            yield f"to hear these utterances, repeat the command of {run} with --keep-audio"
