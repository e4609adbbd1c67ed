"""What the gate's formats that people read have in common: cells, verdicts and notes."""

from __future__ import annotations

from collections.abc import Iterator

from ..reports.layout import heading_of, number, one_line
from .comparison import CodecComparison, ColumnComparison, Comparison

HEADINGS = ("metric", "base", "candidate", "difference", "detectable", "n", "verdict")
FAILED = "FAIL"


def headline(comparison: Comparison) -> str:
    """Say in one line how it went."""
    checks = sum(len(column.thresholds) for codec in comparison.codecs for column in codec.columns)
    if broken := comparison.broken():
        return f"regression: {len(broken)} of the columns compared got worse than allowed"
    if checks:
        return f"no regression: {checks} threshold{'s' * (checks > 1)} held"
    return "compared; no thresholds were given (--fail-on)"


def cells_of(comparison: Comparison, column: ColumnComparison) -> list[str]:
    """Write one line of a codec's table."""
    digits = column.column.digits + 1
    heading = heading_of(column.name, column.column)
    title = f"{heading.title} ({heading.unit})" if heading.unit else heading.title
    smallest = column.difference.detectable
    return [
        title,
        number(column.base, column.column.digits),
        number(column.candidate, column.column.digits),
        column.difference.interval.worded("+", digits),
        "–" if smallest is None else number(smallest, digits),
        str(column.difference.interval.utterances),
        verdict(comparison, column),
    ]


def verdict(comparison: Comparison, column: ColumnComparison) -> str:
    """Say whether a column broke a threshold, held, or what became of it without one."""
    said = [f"{FAILED} {threshold}" for threshold, broken in column.thresholds if broken]
    if comparison.has_too_many_failures(column):
        said.append(f"{FAILED} {column.new_failures} more utterances failed")
    elif column.new_failures:
        said.append(f"{column.new_failures} more utterances failed")
    if said:
        return ", ".join(said)
    if column.thresholds:
        return "ok"
    return _direction(column)


def _direction(column: ColumnComparison) -> str:
    better = column.column.better
    if not column.difference.excludes_zero or better is None:
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
        *comparison.notes,
    ]


def _blind_spots(comparison: Comparison) -> Iterator[str]:
    """Name thresholds that held although the data do not rule out a loss beyond them."""
    for codec in comparison.codecs:
        for column in codec.columns:
            for threshold, broken in column.thresholds:
                smallest = column.difference.detectable
                if smallest is None:
                    yield f"{codec.label}: one utterance cannot break {threshold}"
                elif not broken and threshold.is_within(column.difference, column.base):
                    yield (
                        f"{codec.label}: a difference beyond {threshold} is not ruled out;"
                        f" this run detects {number(smallest, column.column.digits + 1)},"
                        " more speakers detect less"
                    )
