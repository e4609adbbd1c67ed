"""Published numbers beside measured ones."""

import csv
import io
from pathlib import Path

import pytest

from codecbench.errors import UserError
from codecbench.metric import Column
from codecbench.reports.formats import render
from codecbench.reports.layout import blocks_of
from codecbench.reports.published import FIELDS, of_systems, read_published
from codecbench.reports.published_rows import with_published
from codecbench.reports.table import leaderboard

from .frames import COLUMNS, frame, speech

ROOT = Path(__file__).parents[2]


def line(value="2.5", metric="PESQ-WB", system="Lyra", variant="", kbps="3", **others):
    found = dict.fromkeys(FIELDS, "") | {
        "system": system, "variant": variant, "bitrate_kbps": kbps, "metric": metric,
        "value": value, "dataset": "C test-clean", "source": "the paper", "arxiv_id": "1234.5678",
        "table": "Table 2",
    }  # fmt: skip
    return found | others


@pytest.fixture
def published(tmp_path):
    def write(*lines):
        path = tmp_path / "numbers.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, FIELDS)
            writer.writeheader()
            writer.writerows(lines)
        return read_published(path)

    return write


@pytest.fixture
def table():
    return leaderboard(frame(speech({"a": 3.0, "b": 2.0}, speakers=8)), COLUMNS)


def test_rows_come_behind_and_are_never_ranked(table, published):
    found = with_published(table, published(line("4.9", table="IV"), line("9.5", "WER %")))
    assert found.rows[:2] == table.rows
    (row,) = found.rows[2:]
    assert row.source == "arXiv 1234.5678"
    assert row.cells["pesq_wb"].value == 4.9
    assert row.cells["kbps"].value == 3
    assert {cell.mark for cell in row.cells.values()} == {None}
    assert found.cell("a", "pesq_wb").mark == "best"
    assert found.labels[row.codec] == "Lyra, 3 kbit/s †a"
    assert found.notes[-1] == "†a: arXiv 1234.5678, Table IV; C test-clean; the paper"
    assert "never ranked" in found.notes[-2]


def test_a_number_keeps_the_decimals_it_was_published_with(table, published):
    found = with_published(table, published(line("2.5"), line("2.123456", kbps="6")))
    (block,) = blocks_of(found)
    texts = [entries[1].text for entries in block.entries[2:]]
    assert texts == ["2.5", "2.12"]
    assert found.rows[-1].cells["pesq_wb"].value == 2.123456


def test_variants_are_told_apart_where_they_must_be(table, published):
    numbers = published(line(variant="small"), line(variant="large"), line(kbps="", system="Ours"))
    found = with_published(table, numbers)
    labels = [found.labels[row.codec] for row in found.rows[2:]]
    assert labels == ["Lyra (small), 3 kbit/s †a", "Lyra (large), 3 kbit/s †a", "Ours †a"]


def test_each_source_has_its_letter(table, published):
    numbers = [line(arxiv_id=f"1234.{place:04}") for place in range(28)]
    found = with_published(table, published(*numbers))
    labels = [found.labels[row.codec] for row in found.rows[2:]]
    assert labels[0].endswith("†a")
    assert labels[25].endswith("†z")
    assert labels[26].endswith("†aa")
    assert len(set(labels)) == 28


def test_what_is_of_another_corpus_or_metric_is_not_shown(table, published):
    numbers = published(line(), line(dataset="VCTK"), line(metric="PESQ"), line(metric="MOS"))
    assert len(with_published(table, numbers).rows) == 3


def test_a_corpus_that_was_not_measured_stands_in_a_group_of_its_own(table, published):
    numbers = published(line(), {**line(), "dataset": "VCTK test"}, {**line(), "dataset": "D x"})
    found = with_published(table, numbers, corpora=["vctk"])
    assert [row.group for row in found.rows] == [("c",), ("c",), ("c",), ("vctk",)]
    assert found.rows[:2] == table.rows
    assert found.rows[-1].source
    assert found.rows[-1].cells["pesq_wb"].value == 2.5
    with pytest.raises(UserError, match="none of the published numbers is of ljspeech and"):
        with_published(table, numbers, corpora=["vctk", "ljspeech"])


@pytest.mark.parametrize(
    ("metric", "column"),
    [
        ("pesq_wb", "pesq_wb"),
        ("PESQ-WB", "pesq_wb"),
        ("PESQ WB MOS", "pesq_wb"),
        ("WER %", "wer"),
        ("wer", "wer"),
        ("PESQ", None),
        ("PESQ-WB std", None),
        ("WER % Expresso test", None),
        ("", None),
    ],
)
def test_a_metric_names_a_column_with_its_unit_or_without(published, metric, column):
    (number,) = published(line(metric=metric))
    assert number.column(COLUMNS) == column


def test_a_published_row_stands_in_the_band_that_its_source_claims(published):
    bands = (3.0, 6.0)
    table = leaderboard(frame(speech({"a": 3.0})), COLUMNS, bands=bands)
    numbers = published(line(kbps="1"), line(kbps="64"), line(kbps=""))
    found = with_published(table, numbers, bands)
    assert [(row.group[1], bool(row.source)) for row in found.rows] == [
        ("≤ 3 kbit/s", True),
        ("> 6 kbit/s", False),
        ("> 6 kbit/s", True),
        ("rate unknown", True),
    ]


def test_records_name_the_source(table, published):
    found = with_published(table, published(line()))
    records = list(csv.DictReader(io.StringIO(render(found, "csv"))))
    assert {record["published"] for record in records} == {"", "arXiv 1234.5678"}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([line("much")], "line 2: value 'much' is no number"),
        ([line(kbps="nan")], "line 2: bitrate_kbps 'nan' is no number"),
        ([line("25")], "lies outside 1 to 5: it is another scale than pesq_wb"),
        ([line("2"), line("3")], "two published numbers of PESQ-WB for Lyra, 3 kbit/s"),
        ([line(dataset="VCTK")], "none of the published numbers is of c and"),
    ],
)
def test_wrong_numbers_are_one_line(table, published, lines, message):
    with pytest.raises(UserError, match=message):
        with_published(table, published(*lines))


def test_wrong_files_are_one_line(tmp_path):
    with pytest.raises(UserError, match=r"there is no file .*bundled: those of codecbench"):
        read_published(tmp_path / "absent.csv")
    (tmp_path / "other.csv").write_text("system,value\na,1\n")
    with pytest.raises(UserError, match="lacks columns of published numbers: variant, bitrate"):
        read_published(tmp_path / "other.csv")


def test_published_numbers_need_a_table_by_corpus(published):
    by_speaker = leaderboard(frame(speech({"a": 3.0})), COLUMNS, by=("codec", "speaker"))
    with pytest.raises(UserError, match="group the table by corpus"):
        with_published(by_speaker, published(line()))


def test_the_numbers_of_codecbench_are_those_of_the_leaderboards():
    bundled = read_published("bundled")
    assert bundled == read_published(ROOT / "leaderboards" / "published.csv")
    assert len(bundled) > 900
    assert all(number.paper and number.source for number in bundled)
    visqol = Column("visqol", "ViSQOL", "MOS", "higher", (1.0, 5.0))
    mine = [number for number in of_systems(bundled, ["svcodec"]) if number.corpus == "librispeech"]
    assert {number.column({"visqol": visqol}) for number in mine} == {"visqol", None}
    with pytest.raises(UserError, match="no published numbers of 'nobody'"):
        of_systems(bundled, ["nobody"])


@pytest.mark.parametrize("sign", ["\u2028", "\u0085", "\f", "\x1c", "\n"])
def test_fields_keep_what_only_looks_like_the_end_of_a_line(sign, published):
    numbers = published(line(source=f"a{sign}b"), line("2.6", variant="v2"))
    assert [number.source for number in numbers] == [f"a{sign}b", "the paper"]
