"""Texts that were compared: kept, read, merged, and absent from parts of older runs."""

import pytest

from codecbench.errors import UserError
from codecbench.results import merging
from codecbench.results.run_folder import ROWS, Run
from codecbench.results.schema import FRAME_COLUMNS, TEXT_COLUMNS, parts
from codecbench.results.writer import compact

from .records import folder, row, values, write_rows, write_rows_without_texts

SAID = {"reference_text": "今天 <b> é", "decoded_text": "一天 \u202e"}


def texts(path, metric="stoi", **options):
    frame = Run(path).texts(metric, **options)
    names = zip(frame.codec, frame.utterance, strict=True)
    pairs = zip(frame.reference_text, frame.decoded_text, strict=True)
    return dict(zip(names, pairs, strict=True))


def test_texts_come_back_as_they_were(tmp_path):
    path = folder(tmp_path / "run")
    write_rows(
        path,
        row(numerator=1.0, denominator=4.0, **SAID),
        row("b", reference_text="a b", decoded_text=""),
        row("b", utterance="u1", value=float("nan"), error="failed"),
    )
    assert texts(path) == {("a", "u0"): tuple(SAID.values()), ("b", "u0"): ("a b", "")}
    assert texts(path, codecs=["b"]) == {("b", "u0"): ("a b", "")}
    found = Run(path).texts("stoi")
    assert tuple(found.columns) == (*FRAME_COLUMNS, *TEXT_COLUMNS)
    assert found.numerator[0] == 1
    assert tuple(Run(path).frame().columns) == FRAME_COLUMNS


def test_another_definition_has_its_own_texts(tmp_path):
    path = folder(tmp_path / "run")
    write_rows(path, row(**SAID), row(spec="stoi:long=yes", reference_text="x", decoded_text="y"))
    assert texts(path) == {("a", "u0"): tuple(SAID.values())}
    assert texts(path, "stoi (stoi:long=yes)") == {("a", "u0"): ("x", "y")}
    with pytest.raises(UserError, match="no column 'wer'"):
        Run(path).texts("wer")


def test_parts_without_texts_stay_readable(tmp_path):
    path = folder(tmp_path / "run")
    write_rows_without_texts(path, row(), row(utterance="u1"))
    assert texts(path) == {}
    write_rows(path, row(value=2.0, **SAID))
    write_rows_without_texts(path, row("b", value=3.0))
    expected = {("a", "u0", "stoi"): 2.0, ("a", "u1", "stoi"): 1.0, ("b", "u0", "stoi"): 3.0}
    assert values(path) == expected
    assert texts(path) == {("a", "u0"): tuple(SAID.values())}
    with Run(path).connection() as database:
        found = database.execute("SELECT utterance, value, decoded_text FROM rows ORDER BY ALL")
        assert found.fetchall() == [
            ("u0", 2.0, SAID["decoded_text"]), ("u0", 3.0, None), ("u1", 1.0, None),
        ]  # fmt: skip


@pytest.mark.parametrize("old_first", [True, False])
def test_merging_keeps_texts_of_parts_with_and_without(tmp_path, monkeypatch, old_first):
    monkeypatch.setattr(merging, "MERGE_ABOVE_PARTS", 2)
    path = folder(tmp_path / "run")
    for number in range(4):
        if (number % 2 == 0) is old_first:
            write_rows_without_texts(path, row(utterance=f"u{number}"))
        else:
            write_rows(path, row(utterance=f"u{number}", **SAID))
    before = values(path), texts(path)
    compact(path)
    assert len(parts(path / ROWS)) == 1
    assert (values(path), texts(path)) == before
    assert len(before[1]) == 2
