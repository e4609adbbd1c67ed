"""One column of two runs: what is paired, what counts as a failure, what the interval is of."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from codecbench.gate.columns import WORST, compare_column
from codecbench.gate.findings import Sounds
from codecbench.gate.thresholds import parse_threshold
from codecbench.metric import Column
from codecbench.results.frames import UTTERANCE

MEAN = Column("stoi", "STOI", "", "higher")
POOLED = Column("wer", "WER", "", "lower", pooled=True)


def rows(values, speakers=None, denominators=None, **others):
    """Make a column's rows as the gate reads them; None is a failure."""
    count = len(values)
    frame = pd.DataFrame(
        {
            "corpus": "c",
            "split": "s",
            "utterance": [f"u{number}" for number in range(count)],
            "speaker": speakers or [f"p{number}" for number in range(count)],
            "value": [np.nan if value is None else value for value in values],
            "numerator": np.nan,
            "denominator": np.nan,
            "error": ["too short" if value is None else None for value in values],
        }
    )
    if denominators is not None:
        frame["denominator"] = denominators
        frame["numerator"] = frame["value"] * denominators
    return frame.assign(**others).set_index(UTTERANCE).sort_index()


def compared(base, candidate, column=MEAN, thresholds=()):
    parsed = [parse_threshold(text) for text in thresholds]
    return compare_column(column.name, column, (base, candidate), parsed, lambda key: Sounds())


def test_pairs_are_those_that_both_scored():
    found = compared(
        rows([0.9, 0.8, None, 0.7, 0.6]), rows([0.8, None, 0.9, 0.7, 0.6]), thresholds=["stoi<-1"]
    )
    assert found.difference.interval.utterances == 3
    assert found.base == pytest.approx((0.9 + 0.7 + 0.6) / 3)
    assert found.difference.interval.value == pytest.approx(-0.1 / 3)
    assert (found.new_failures, found.mended) == (1, 1)
    assert (found.missing, found.extra) == (0, 0)
    failed, worse = found.worst
    assert (failed.utterance, failed.candidate, failed.reason) == ("c/s/u1", None, "too short")
    assert (worse.utterance, worse.base, worse.candidate) == ("c/s/u0", 0.9, 0.8)


def test_rows_of_one_run_alone_are_no_failures_but_counted_and_listed():
    found = compared(rows([0.9, 0.8, 0.7, None]), rows([0.9, 0.8]))
    assert (found.new_failures, found.mended) == (0, 0)
    assert (found.missing, found.extra) == (1, 0)
    (missing,) = found.worst
    assert (missing.utterance, missing.base) == ("c/s/u2", 0.7)
    assert (missing.candidate, missing.reason) == (None, None)
    found = compared(rows([0.9, 0.8]), rows([0.9, 0.8, 0.7]))
    assert (found.missing, found.extra) == (0, 1)


def test_a_candidate_that_holds_none_of_it_breaks_every_threshold():
    found = compared(rows([0.9] * 8), rows([]), thresholds=["stoi<-0.5"])
    assert found.is_broken
    assert (found.difference, found.missing, len(found.worst)) == (None, 8, WORST)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_row_with_neither_number_nor_reason_has_failed(value):
    broken = rows([0.9, 0.8, 0.7])
    broken.iloc[1, broken.columns.get_loc("value")] = value
    found = compared(rows([0.9, 0.8, 0.7]), broken)
    assert found.new_failures == 1
    assert found.worst[0].reason == "no number"
    assert found.difference.interval.utterances == 2


def test_a_ratio_without_a_denominator_has_failed():
    base = rows([0.1, 0.2, 0.3], denominators=[10, 10, 10])
    found = compared(base, rows([0.1, 0.2, 0.3], denominators=[10, 0, 10]), POOLED)
    assert found.new_failures == 1
    assert found.base == pytest.approx(0.2)


def test_a_candidate_that_fails_everywhere_breaks_every_threshold():
    found = compared(rows([0.9, 0.8]), rows([None, None]), thresholds=["stoi<-0.5", "stoi<-0.1"])
    assert found.is_broken
    assert [broken for _, broken in found.thresholds] == [True, True]
    assert (found.difference, found.new_failures, found.mended) == (None, 2, 0)


def test_where_the_base_scored_nothing_there_is_nothing_to_compare():
    assert compared(rows([None, None]), rows([0.9, 0.8])) is None
    assert compared(rows([]), rows([0.9])) is None


def test_no_more_than_a_few_utterances_are_listed():
    base = rows([0.9] * 20)
    candidate = rows([None if number < 8 else 0.9 - number / 100 for number in range(20)])
    found = compared(base, candidate)
    assert found.new_failures == 8
    assert len(found.worst) == 2 * WORST
    assert [one.utterance for one in found.worst[WORST:]] == [
        f"c/s/u{n}" for n in range(19, 14, -1)
    ]


def test_a_column_without_direction_lists_failures_alone():
    neither = Column("delay_ms", "Delay", "ms", None)
    found = compared(rows([1.0, 2.0]), rows([None, 1.0]), neither)
    assert [one.utterance for one in found.worst] == ["c/s/u0"]


def test_the_interval_of_a_pooled_column_is_of_the_difference_of_ratios():
    generator = np.random.default_rng(1)
    speakers = [f"p{number % 7}" for number in range(42)]
    words = generator.integers(1, 30, (2, 42))
    errors = generator.binomial(words, [[0.1], [0.2]])
    sides = [rows(e / w, speakers, w) for e, w in zip(errors, words, strict=True)]
    found = compared(*sides, POOLED)

    def gap(kept):
        totals = [side[kept(side)][["numerator", "denominator"]].sum() for side in sides]
        before, now = (total["numerator"] / total["denominator"] for total in totals)
        return now - before

    everything = gap(lambda side: side["speaker"].notna())
    without = np.array([gap(lambda side, p=p: side["speaker"] != p) for p in sorted(set(speakers))])
    error = np.sqrt(6 / 7 * ((without - everything) ** 2).sum())
    interval = found.difference.interval
    assert interval.value == pytest.approx(everything)
    assert everything != pytest.approx(np.mean(sides[1]["value"] - sides[0]["value"]), rel=1e-3)
    reach = stats.t(6).ppf(0.975) * error
    assert (interval.low, interval.high) == pytest.approx((everything - reach, everything + reach))
    assert found.difference.detectable == pytest.approx(reach + stats.t(6).ppf(0.8) * error)


def test_pairing_removes_what_utterances_have_in_common():
    hard = np.linspace(0.3, 0.95, 12)
    found = compared(rows(hard), rows(hard - 0.01 + np.tile([0.001, -0.001], 6)),
                     thresholds=["stoi<-0.005"])  # fmt: skip
    assert found.is_broken
    assert found.difference.detectable < 0.005


def test_equal_names_in_two_corpora_are_two_speakers():
    base = rows([0.9, 0.8, 0.7, 0.6], ["p"] * 4).reset_index()
    base["corpus"] = ["a", "a", "b", "b"]
    base = base.set_index(UTTERANCE)
    assert compared(base, base).difference.interval.speakers == 2
