"""What a table compares, counts, leaves out and marks."""

import math

import pytest

from codecbench.errors import UserError
from codecbench.reports.table import leaderboard
from codecbench.statistics.intervals import mean_interval

from .frames import COLUMNS, failure, frame, row, speech


def table(rows, **options):
    return leaderboard(frame(rows), COLUMNS, **options)


def test_values_and_intervals_are_those_of_the_statistics():
    rows = list(speech({"a": 3.0}))
    mine = [r for r in rows if r["metric"] == "pesq_wb"]
    expected = mean_interval([r["value"] for r in mine], [r["speaker"] for r in mine])
    cell = table(rows).cell("a", "pesq_wb")
    assert (cell.value, cell.low, cell.high) == pytest.approx(
        (expected.value, expected.low, expected.high)
    )
    assert (cell.n, cell.speakers, cell.method) == (24, 6, "speaker t")


def test_pooled_columns_are_sums_over_sums():
    rows = [
        row("a", "wer", 50.0, "u1", numerator=100.0, denominator=2.0),
        row("a", "wer", 0.0, "u2", speaker="s1", numerator=0.0, denominator=18.0),
    ]
    assert table(rows).cell("a", "wer").value == pytest.approx(5.0)


def test_codecs_are_compared_on_common_utterances():
    rows = [row("a", "pesq_wb", value, f"u{i}") for i, value in enumerate([1.0, 2.0, 3.0])]
    rows += [row("b", "pesq_wb", value, f"u{i}") for i, value in enumerate([2.0, 3.0])]
    rows += [failure("b", "pesq_wb", "too short", "u2")]
    found = table(rows)
    a, b = found.cell("a", "pesq_wb"), found.cell("b", "pesq_wb")
    assert (a.value, a.n, a.scored, a.failures) == (1.5, 2, 3, 0)
    assert (b.value, b.n, b.scored, b.failures, b.reason) == (2.5, 2, 2, 1, "too short")
    assert any("2 utterances in common, a codec scored 3" in note for note in found.notes)
    assert any("b: 1 failed in PESQ-WB; most often: too short" in note for note in found.notes)


def test_a_codec_that_scored_nothing_does_not_empty_the_table():
    rows = [row("a", "pesq_wb", 3.0, f"u{i}") for i in range(4)]
    rows += [failure("b", "pesq_wb", "boom", f"u{i}") for i in range(3)]
    rows += [failure("b", "pesq_wb", "bang", "u3")]
    found = table(rows)
    assert found.cell("a", "pesq_wb").n == 4
    cell = found.cell("b", "pesq_wb")
    assert (cell.value, cell.n, cell.failures, cell.reason) == (None, 0, 4, "boom")


def test_disjoint_codecs_have_no_value_and_a_note():
    rows = [row("a", "pesq_wb", 3.0, "u1"), row("b", "pesq_wb", 3.0, "u2")]
    found = table(rows)
    assert found.cell("a", "pesq_wb").value is None
    assert any("0 utterances in common" in note for note in found.notes)


def test_the_reference_is_first_unranked_and_has_no_say_in_what_is_common():
    rows = [*speech({"a": 3.0, "b": 2.0})]
    rows += [row("reference", "pesq_wb", 4.6, "u0-0"), row("reference", "pesq_wb", 4.6, "u0-1")]
    found = table(rows)
    assert [r.codec for r in found.rows] == ["reference", "a", "b"]
    assert found.cell("reference", "pesq_wb").mark is None
    assert found.cell("reference", "pesq_wb").n == 2
    assert found.cell("a", "pesq_wb").n == 24
    assert found.cell("a", "pesq_wb").mark == "best"


def test_a_number_that_is_none_counts_as_a_failure():
    rows = [row("a", "pesq_wb", math.nan, "u1"), row("a", "pesq_wb", 2.0, "u2")]
    rows += [row("a", "wer", 0.0, "u1", numerator=0.0, denominator=0.0)]
    found = table(rows)
    assert found.cell("a", "pesq_wb").failures == 1
    assert found.cell("a", "pesq_wb").value == 2.0
    assert found.cell("a", "wer").reason == "no number"


def test_groups_are_compared_apart():
    rows = [*speech({"a": 3.0, "b": 2.0}), *speech({"a": 2.0, "b": 3.0}, seed=2, corpus="d")]
    found = table(rows)
    assert found.keys == ("corpus",)
    assert list(found.groups()) == [("c",), ("d",)]
    assert found.cell("a", "pesq_wb", "c").mark == "best"
    assert found.cell("b", "pesq_wb", "d").mark == "best"
    assert list(table(rows, by=["codec"]).groups()) == [()]
    assert next(iter(table(rows, by=["codec", "corpus", "rate"]).groups())) == ("c", "16000")


def test_equal_names_in_two_corpora_are_two_speakers():
    rows = [row("a", "pesq_wb", 3.0, "u1"), row("a", "pesq_wb", 2.0, "u1", corpus="d")]
    assert table(rows, by=["codec"]).cell("a", "pesq_wb").speakers == 2


CARDS = {"a": {"training_speakers": ["c:s0", "c:s1"]}, "b": {"training_speakers": []}}


def test_seen_speakers_are_left_out_unless_asked_for():
    rows = list(speech({"a": 3.0, "b": 2.0}))
    found = table(rows, cards=CARDS)
    assert found.cell("a", "pesq_wb").n == found.cell("b", "pesq_wb").n == 16
    assert any("a: 8 utterances of 2 speakers" in note for note in found.notes)
    everything = table(rows, cards=CARDS, include_seen_speakers=True)
    assert everything.cell("a", "pesq_wb").n == 24
    assert not any("trained on" in note for note in everything.notes)


def test_a_codec_that_saw_every_speaker_keeps_its_row():
    cards = {"a": {"training_speakers": [f"c:s{i}" for i in range(6)]}}
    found = table(speech({"a": 3.0, "b": 2.0}), cards=cards)
    assert found.cell("a", "pesq_wb").value is None
    assert found.cell("b", "pesq_wb").n == 24


def test_marks_need_support():
    clear = table(speech({"a": 3.0, "b": 2.5, "c": 2.0}, speakers=7))
    assert [clear.cell(c, "pesq_wb").mark for c in "abc"] == ["best", "second", None]
    tied = table(speech({"a": 3.0, "b": 3.0, "c": 2.0}, speakers=7))
    assert [tied.cell(c, "pesq_wb").mark for c in "abc"] == [None, None, None]
    half = table(speech({"a": 3.0, "b": 2.0, "c": 2.0}, speakers=7))
    assert [half.cell(c, "pesq_wb").mark for c in "abc"] == ["best", None, None]
    few = table(speech({"a": 3.0, "b": 2.0}, speakers=5))
    assert [few.cell(c, "pesq_wb").mark for c in "ab"] == [None, None]


def test_lower_is_better_where_the_column_says_so():
    rows = []
    for speaker in range(8):
        for codec, errors in (("a", 10), ("b", 1)):
            where = {"utterance": f"u{speaker}", "speaker": f"s{speaker}"}
            parts = {"numerator": float(errors + speaker % 2), "denominator": 20.0}
            rows.append(row(codec, "wer", 0.0, **where, **parts))
    found = table(rows)
    assert (found.cell("a", "wer").mark, found.cell("b", "wer").mark) == (None, "best")


def test_unranked_columns_are_never_marked():
    rows = list(speech({"a": 3.0, "b": 2.0}))
    for r in rows:
        if r["metric"] == "kbps" and r["codec"] == "a":
            r["numerator"] /= 2
    assert table(rows).cell("a", "kbps").mark is None


def test_order_of_columns_and_codecs():
    rows = [*speech({"b": 3.0, "a": 2.0}), row("a", "delay_ms", 0.1, "u0-0")]
    found = table(rows, order=["a", "missing", "b"])
    assert list(found.columns) == ["kbps", "pesq_wb", "delay_ms"]
    assert [r.codec for r in found.rows] == ["a", "b"]
    assert list(table(rows, metrics=["delay_ms", "pesq_wb"]).columns) == ["delay_ms", "pesq_wb"]


def test_the_order_of_rows_does_not_matter():
    rows = list(speech({"a": 3.0, "b": 2.9}, speakers=25))
    one, other = table(rows, order=["a", "b"]), table(rows[::-1], order=["a", "b"])
    for codec in "ab":
        x, y = one.cell(codec, "pesq_wb"), other.cell(codec, "pesq_wb")
        assert (x.low, x.high, x.mark) == (
            pytest.approx(y.low, rel=1e-12),
            pytest.approx(y.high, rel=1e-12),
            y.mark,
        )


def test_one_speaker_is_labelled():
    rows = [row("a", "pesq_wb", 2.0 + i / 10, f"u{i}") for i in range(5)]
    found = table(rows)
    assert found.cell("a", "pesq_wb").label == "within one speaker"
    assert any("within one speaker" in note for note in found.notes)


def test_intervals_stay_within_the_bounds_of_the_column():
    rows = [row("a", "pesq_wb", v, f"u{i}", f"s{i}") for i, v in enumerate([5.0, 5.0, 1.0])]
    cell = table(rows).cell("a", "pesq_wb")
    assert (cell.low, cell.high) == (1.0, 5.0)


def test_twice_the_same_utterance_is_refused():
    with pytest.raises(ValueError, match="several rows"):
        table([row("a", "pesq_wb", 2.0, "u1"), row("a", "pesq_wb", 3.0, "u1")])


def test_what_the_user_gets_wrong_is_one_line():
    rows = list(speech({"a": 3.0}))
    with pytest.raises(UserError, match=r"unknown metric 'pesq' \(did you mean pesq_wb\?\)"):
        table(rows, metrics=["pesq"])
    with pytest.raises(UserError, match="cannot group by 'colour'"):
        table(rows, by=["colour"])
    with pytest.raises(UserError, match="no results"):
        table([])


def test_definitions_and_card_notes_stand_under_the_table():
    cards = {"a": {"weights": "nano", "notes": ["needs a licence"], "training_speakers": []}}
    notes = table(speech({"a": 3.0}), cards=cards, definitions=["mcd:dtw=on"]).notes
    assert "not the default definition: mcd:dtw=on" in notes
    assert "a: weights nano" in notes
    assert "a: needs a licence" in notes


def test_evaluation_rates_are_named():
    assert "evaluation rate: 16000 Hz" in table(speech({"a": 3.0})).notes
    rows = [
        row("a", "pesq_wb", 3.0, "u"),
        row("a", "pesq_wb", 3.0, "u", corpus="d") | {"rate": 48000},
    ]
    assert "evaluation rates: 16000 Hz (c), 48000 Hz (d)" in table(rows).notes


def test_the_frame_holds_every_cell_in_full():
    rows = [*speech({"a": 3.0, "b": 2.0}), failure("z", "pesq_wb", "boom", "u0-0")]
    found = table(rows)
    tidy = found.frame()
    assert len(tidy) == sum(len(one.cells) for one in found.rows)
    assert list(tidy["label"]) == [found.labels[codec] for codec in tidy["codec"]]
    records = tidy.set_index(["codec", "corpus", "metric"]).to_dict("index")
    for one in found.rows:
        for name, cell in one.cells.items():
            record = records[one.codec, *one.group, name]
            for key in ("value", "low", "high", "n", "mark"):
                expected = getattr(cell, key)
                assert record[key] == expected or (expected is None and math.isnan(record[key]))
    failed = records["z", "c", "pesq_wb"]
    assert (failed["failures"], failed["reason"]) == (1, "boom")
    assert math.isnan(failed["value"])
    assert {tidy[key].dtype.kind for key in ("value", "low", "high")} == {"f"}
