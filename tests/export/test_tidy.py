"""Tidy tables: the numbers are those of frames and tables, and nothing is dropped unsaid."""

import csv
import io
import json
import math
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from codecbench.errors import UserError
from codecbench.export.as_csv import write_csv
from codecbench.export.as_json import write_json
from codecbench.export.as_parquet import write_parquet
from codecbench.export.selection import Selection
from codecbench.export.tidy import ROWS, SUMMARY, tidy_table

from .made_run import CODECS, FAILURE, MULAW, OPUS, SEEN

DOCS = (Path(__file__).parents[2] / "docs" / "export.md").read_text(encoding="utf-8")
COLUMNS = {"rows": ROWS, "summary": SUMMARY}


def exported(run, level="rows", **options):
    return tidy_table(Selection.of(run, **options), level).to_pylist()


def test_rows_are_those_of_the_frame(run):
    frame = run.frame(details=True)
    kept = frame[~frame.speaker_seen_in_training]
    records = exported(run)
    assert 0 < len(records) == len(kept) < len(frame)
    for record, (_, row) in zip(records, kept.iterrows(), strict=True):
        for name in ("codec", "corpus", "split", "speaker", "utterance", "rate", "metric", "unit"):
            assert record[name] == row[name]
        assert record["definition"] == row.metric_spec
        for name in ("value", "numerator", "denominator"):
            missing = row[name] is None or math.isnan(row[name])
            assert record[name] == (None if missing else row[name])


def test_rows_say_what_they_are(run):
    for record in exported(run):
        entry = run.manifest.codecs.get(record["codec"])
        assert record["identity"] == (entry.identity if entry else None)
        assert record["better"] == run.columns[record["metric"]].better


def test_failures_are_rows_with_their_reason(run):
    (failed,) = [record for record in exported(run) if record["error"]]
    assert (failed["codec"], failed["value"], failed["error"]) == (OPUS[0], None, FAILURE)


def test_training_speakers_are_left_out_unless_wanted(run):
    def voices(**options):
        return {r["speaker"] for r in exported(run, **options) if r["codec"] == MULAW}

    assert SEEN not in voices()
    assert SEEN in voices(include_seen_speakers=True)
    assert {r["speaker"] for r in exported(run) if r["codec"] == OPUS[0]} >= {SEEN}
    (note,) = Selection.of(run).left_out
    assert "3 utterances of 1 speakers" in note
    assert not Selection.of(run, include_seen_speakers=True).left_out
    assert not Selection.of(run, codecs=["opus"]).left_out


@pytest.mark.parametrize("by", [("corpus",), ("corpus", "split"), ("speaker", "rate"), ()])
def test_summary_is_the_table(run, by):
    table = run.table(by=("codec", *by))
    records = exported(run, "summary", by=by)
    assert len(records) == len(table.rows) * len(table.columns)
    for record in records:
        group = tuple(str(record[key]) for key in table.keys)
        cell = table.cell(record["codec"], record["metric"], *group)
        for name in ("value", "low", "high", "n", "speakers", "scored", "failures", "mark"):
            assert record[name] == getattr(cell, name)
        assert (record["reason"], record["interval"]) == (cell.reason, cell.method)
        assert all(record[key] is None for key in {"corpus", "split", "speaker", "rate"} - {*by})


def test_codecs_metrics_and_corpora_are_chosen(run):
    records = exported(run, codecs=["opus:kbps=6|12"], metrics=["bitrate"])
    assert {record["codec"] for record in records} == set(OPUS[:2])
    assert {record["metric"] for record in records} == {"kbps"}
    with pytest.raises(UserError, match="no results of corpus 'vctk'"):
        exported(run, corpora=["vctk"])
    with pytest.raises(UserError, match="this run has no codec 'lc3'"):
        exported(run, codecs=["lc3"])


@pytest.mark.parametrize("level", COLUMNS)
def test_formats_hold_the_same_numbers(run, level, tmp_path):
    selection = Selection.of(run)
    table = tidy_table(selection, level)
    records = table.to_pylist()
    assert list(records[0]) == list(COLUMNS[level])
    texts = [{k: "" if v is None else str(v) for k, v in r.items()} for r in records]
    assert list(csv.DictReader(io.StringIO(write_csv(table)))) == texts
    document = json.loads(write_json(table, selection, level), parse_constant=pytest.fail)
    assert document["records"] == records
    write_parquet(table, tmp_path / "deep" / "t.parquet")
    again = pq.read_table(tmp_path / "deep" / "t.parquet")
    assert again.to_pylist() == records
    assert json.loads(again.schema.metadata[b"codecbench.notes"]) == document["notes"]


def test_json_says_what_codecs_and_metrics_are(run):
    selection = Selection.of(run)
    document = json.loads(write_json(tidy_table(selection, "rows"), selection, "rows"))
    assert sorted(document["codecs"]) == sorted(CODECS)
    assert document["codecs"][OPUS[0]]["identity"] == run.manifest.codecs[OPUS[0]].identity
    assert document["metrics"]["kbps"]["pooled"] is True
    assert document["confidence"] == 0.95
    assert any("left out" in note for note in document["notes"])


@pytest.mark.parametrize("level", COLUMNS)
def test_documentation_lists_the_columns(level):
    section = DOCS.partition(f"### Level `{level}`")[2].partition("\n### ")[0].partition("\n## ")[0]
    listed = re.findall(r"^\| `(\w+)` \| (\w+) \|", section, flags=re.MULTILINE)
    assert dict(listed) == COLUMNS[level]
    assert [name for name, _ in listed] == list(COLUMNS[level])
