import os
import shutil

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codecbench.errors import UserError
from codecbench.results import reading
from codecbench.results.manifest import CodecEntry, Manifest
from codecbench.results.run_folder import MANIFEST, ROWS, Run
from codecbench.results.schema import FRAME_COLUMNS, ROW_KEY, parts

from .records import COLUMNS, folder, row, values, write_rows

KEYS = [(spec, name) for spec, names in COLUMNS.items() for name in names]
SHOWN = [*(name for _, name in KEYS[:-1]), "stoi (stoi:long=yes)"]
ROWS_OF_A_PART = st.lists(
    st.builds(
        lambda codec, utterance, key, value, rate: row(
            codec, utterance, *key, value, "failed" if np.isnan(value) else None, rate=rate
        ),
        st.sampled_from("abé"),
        st.sampled_from(["u0", "u1", "U"]),
        st.sampled_from(KEYS),
        st.floats(-1, 1) | st.just(np.nan),
        st.sampled_from([8000, None]),
    ),
    min_size=1,
    max_size=12,
)


def expected_rows(written):
    found = {}
    for part in written:
        found.update({tuple(getattr(item, name) for name in ROW_KEY): item for item in part})
    return [found[key] for key in sorted(found)]


@settings(max_examples=40, deadline=None)
@given(st.lists(ROWS_OF_A_PART, min_size=1, max_size=4))
def test_a_frame_is_the_latest_of_equal_rows_sorted(tmp_path_factory, written):
    path = folder(tmp_path_factory.mktemp("x") / "run")
    for part in written:
        write_rows(path, *part)
    frame = Run(path).frame()
    expected = expected_rows(written)
    assert tuple(frame.columns) == FRAME_COLUMNS
    for name in ("codec", "corpus", "split", "speaker", "utterance", "unit", "error"):
        assert frame[name].tolist() == [getattr(item, name) for item in expected]
    shown = dict(zip(KEYS, SHOWN, strict=True))
    assert frame.metric.tolist() == [shown[item.metric_spec, item.metric] for item in expected]
    np.testing.assert_array_equal(frame.value, [item.value for item in expected])
    rates = [np.nan if item.rate is None else item.rate for item in expected]
    np.testing.assert_array_equal(frame.rate, rates)
    assert np.isnan(frame.numerator).all()


@settings(max_examples=20, deadline=None)
@given(
    st.lists(ROWS_OF_A_PART, min_size=1, max_size=3),
    st.none() | st.sets(st.sampled_from([*"abé", "absent"])),
    st.none() | st.sets(st.sampled_from(SHOWN)),
)
def test_reading_a_selection_is_selecting_from_all(tmp_path_factory, written, codecs, metrics):
    path = folder(tmp_path_factory.mktemp("x") / "run")
    for part in written:
        write_rows(path, *part)
    frame = Run(path).frame(details=True)
    if codecs is not None:
        frame = frame[frame.codec.isin(codecs)]
    if metrics is not None:
        frame = frame[frame.metric.isin(metrics)]
    selected = Run(path).frame(details=True, codecs=codecs, metrics=metrics)
    # Whether the rate is one of floats depends on the rows that are read.
    pd.testing.assert_frame_equal(selected, frame.reset_index(drop=True), check_dtype=False)


def test_details_mark_training_speakers_as_tables_do(tmp_path):
    path = folder(tmp_path / "run")
    manifest = Manifest.read(path / MANIFEST)
    for codec, trained in (("a", ["libritts:p"]), ("b", ["vctk:p"])):
        card = {"training_speakers": trained}
        manifest.codecs[codec] = CodecEntry(identity=codec, version="1", card=card)
    manifest.write(path / MANIFEST)
    write_rows(path, *[row(name, corpus="librispeech") for name in "ab"])
    frame = Run(path).frame(details=True).set_index("codec")
    assert frame.speaker_seen_in_training.to_dict() == {"a": True, "b": False}


def test_columns_are_plain_and_groups_only_those_that_are_there(tmp_path):
    path = folder(tmp_path / "run")
    write_rows(path, row("a"), row("b"), row("b", utterance="u1"))
    frame = Run(path).frame()
    assert {str(frame[name].dtype) for name in ("codec", "metric", "error")} == {"object"}
    kept = frame[frame.codec == "b"]
    assert kept.groupby(["codec", "utterance"]).value.count().to_dict() == {
        ("b", "u0"): 1,
        ("b", "u1"): 1,
    }


def test_views_hold_what_the_frame_holds(tmp_path):
    path = folder(tmp_path / "run")
    for value in range(3):
        write_rows(path, row(value=-1.0), row("b", value=value), row(value=value))
    with Run(path).connection() as database:
        found = database.execute("SELECT codec, utterance, metric, value FROM rows").fetchall()
    assert {tuple(key): value for *key, value in found} == values(path)
    assert len(found) == 2


def damage(part, how):
    content = bytearray(part.read_bytes())
    if how == "flipped":
        content[len(content) // 4] ^= 0xFF
    part.write_bytes({"cut": content[: len(content) // 2], "empty": b""}.get(how, content))


@pytest.mark.parametrize("how", ["cut", "empty", "flipped"])
def test_a_damaged_part_is_named_with_the_remedy(tmp_path, how):
    path = folder(tmp_path / "run")
    write_rows(path, row())
    part = write_rows(path, *[row(utterance=f"u{n}", value=n / 7) for n in range(500)])
    damage(part, how)
    with pytest.raises(UserError, match=r"is damaged; delete this file") as caught:
        Run(path).frame()
    assert str(part) in str(caught.value)
    assert "\n" not in str(caught.value)
    part.unlink()
    assert values(path) == {("a", "u0", "stoi"): 1.0}


def test_a_part_without_its_columns_is_named(tmp_path):
    path = folder(tmp_path / "run")
    part = path / ROWS / "part-7-x.parquet"
    pd.DataFrame({"codec": ["a"]}).to_parquet(part)
    with pytest.raises(UserError, match=r"part-7-x\.parquet is damaged.*no column corpus"):
        Run(path).frame()


def test_sql_names_a_damaged_part_too(tmp_path):
    path = folder(tmp_path / "run")
    damage(write_rows(path, row()), "cut")
    with pytest.raises(UserError, match="is damaged"), Run(path).connection():
        pass


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_part_that_may_not_be_read_is_not_called_damaged(tmp_path):
    path = folder(tmp_path / "run")
    write_rows(path, row()).chmod(0)
    with pytest.raises(UserError, match="cannot be read: Permission denied"):
        Run(path).frame()


def test_parts_merged_while_a_report_reads_are_looked_up_again(tmp_path, monkeypatch):
    path = folder(tmp_path / "run")
    old = [write_rows(path, row(utterance=f"u{n}", value=float(n))) for n in range(3)]
    before = values(path)
    plain = reading.opened
    merged = write_rows(path, *[row(utterance=f"u{n}", value=float(n)) for n in range(3)])
    hidden = shutil.move(merged, tmp_path / merged.name)

    def opened(part, *rest):
        if part == old[1] and old[1].exists():
            shutil.move(hidden, merged)
            for gone in old:
                gone.unlink()
        return plain(part, *rest)

    monkeypatch.setattr("codecbench.results.rows.opened", opened)
    assert values(path) == before
    assert parts(path / ROWS) == [merged]


def test_a_part_that_is_listed_but_never_there_ends_in_an_error(tmp_path):
    path = folder(tmp_path / "run")
    (path / ROWS / "part-1-x.parquet").symlink_to(tmp_path / "nowhere")
    with pytest.raises(UserError, match="it is gone"):
        Run(path).frame()
