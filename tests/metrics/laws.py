"""The laws that metrics declare on their cards, each with the check that it holds.

A law is declared as ``Law(name, columns, tolerance)``; the tester looks its name up in `LAWS`
and runs the check on speech. The score functions get aligned signals of equal length.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping

from codecbench.audio import Audio
from codecbench.corpora.base import Utterance
from codecbench.metric import Column, Decoded, Law, Metric, Score

from .signals import delayed, low_passed, quantised, scaled, with_noise

SNR_STEPS = (35.0, 25.0, 15.0, 5.0, -5.0)
"""In dB, from nearly clean to buried."""

GAINS = (0.5, 0.25)
SHIFT_SECONDS = 0.010

Scorer = Callable[[Audio], Mapping[str, Score]]
Check = Callable[[Scorer, Audio, Column, float], None]


def scorer(metric: Metric, utterance: Utterance) -> Scorer:
    """Return a function that scores decoded audio against one utterance."""
    prepared = metric.prepare(utterance)
    return lambda audio: metric.score(prepared, Decoded.from_audio(audio))


def check_law(metric: Metric, law: Law, utterance: Utterance) -> None:
    """Assert that a declared law holds for each of its columns.

    Raises
    ------
    AssertionError
        If it does not, or if the law or one of its columns is unknown.
    """
    assert law.name in LAWS, f"{metric.name} declares the unknown law '{law.name}'"
    columns = {column.name: column for column in metric.columns}
    assert law.columns, f"{metric.name}: {law.name} names no column"
    score = scorer(metric, utterance)
    for name in law.columns:
        assert name in columns, f"{metric.name}: {law.name} names the unknown column '{name}'"
        LAWS[law.name](score, utterance.audio(), columns[name], law.tolerance)


def identity_is_best(score: Scorer, speech: Audio, column: Column, tolerance: float) -> None:
    """No damaged copy scores better than the reference itself."""
    best = _value(score(speech), column)
    for name, damaged in _damages(speech):
        value = _value(score(damaged), column)
        assert _worse_by(column, best, value) >= -tolerance, (
            f"{column.name}: {name} gives {value}, the reference itself {best}"
        )
    bound = column.bounds[1] if column.better == "higher" else column.bounds[0]
    assert column.bounds[0] - tolerance <= best <= column.bounds[1] + tolerance, (best, bound)


def monotone_in_snr(score: Scorer, speech: Audio, column: Column, tolerance: float) -> None:
    """More noise never scores better, and the noisiest scores clearly worse than the cleanest."""
    values = [_value(score(with_noise(speech, snr)), column) for snr in SNR_STEPS]
    for cleaner, noisier in itertools.pairwise(values):
        assert _worse_by(column, cleaner, noisier) >= -tolerance, (column.name, values)
    assert _worse_by(column, values[0], values[-1]) > tolerance, (column.name, values)


def gain_invariant(score: Scorer, speech: Audio, column: Column, tolerance: float) -> None:
    """The level of the decoded audio does not matter."""
    noisy = with_noise(speech, 20.0)
    expected = _value(score(noisy), column)
    for gain in GAINS:
        value = _value(score(scaled(noisy, gain)), column)
        assert abs(value - expected) <= tolerance, (column.name, gain, value, expected)


def polarity_invariant(score: Scorer, speech: Audio, column: Column, tolerance: float) -> None:
    """Inverting the decoded audio does not matter."""
    noisy = with_noise(speech, 20.0)
    value, expected = (_value(score(audio), column) for audio in (scaled(noisy, -1.0), noisy))
    assert abs(value - expected) <= tolerance, (column.name, value, expected)


def delay_invariant(score: Scorer, speech: Audio, column: Column, tolerance: float) -> None:
    """A delay of 10 ms does not matter."""
    noisy = with_noise(speech, 20.0)
    shift = round(SHIFT_SECONDS * speech.sample_rate)
    value, expected = (_value(score(audio), column) for audio in (delayed(noisy, shift), noisy))
    assert abs(value - expected) <= tolerance, (column.name, value, expected)


LAWS: dict[str, Check] = {
    "identity_is_best": identity_is_best,
    "monotone_in_snr": monotone_in_snr,
    "gain_invariant": gain_invariant,
    "polarity_invariant": polarity_invariant,
    "delay_invariant": delay_invariant,
}


def _damages(speech: Audio) -> Iterator[tuple[str, Audio]]:
    for snr in (30.0, 10.0):
        yield f"white noise at {snr} dB", with_noise(speech, snr)
    yield "a low-pass at 2 kHz", low_passed(speech, 2000.0)
    yield "rounding to 5 bits", quantised(speech, 5)


def _value(scores: Mapping[str, Score], column: Column) -> float:
    assert column.name in scores, f"no score for {column.name}"
    score = scores[column.name]
    assert score.error is None, f"{column.name}: {score.error}"
    assert math.isfinite(score.value), f"{column.name} is {score.value}"
    return score.value


def _worse_by(column: Column, better: float, worse: float) -> float:
    """Return by how much the second value is worse than the first."""
    assert column.better is not None, f"{column.name} has no direction, so no such law can hold"
    return better - worse if column.better == "higher" else worse - better
