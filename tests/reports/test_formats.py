"""Every format against a golden text, and names that want to be markup."""

import csv
import io
import json
import math
import os
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from codecbench.errors import UserError
from codecbench.metric import Column
from codecbench.reports.cells import Cell
from codecbench.reports.formats import FORMATS, latex, markdown, render
from codecbench.reports.layout import entry_of, number, one_line
from codecbench.reports.table import Row, Table

GOLDEN = Path(__file__).parent / "golden"
SUFFIX = {
    "rich": "txt", "markdown": "md", "latex": "tex", "html": "html", "typst": "typ", "csv": "csv",
    "json": "json",
}  # fmt: skip

KBPS = Column("kbps", "kbps", "kbit/s", "lower", (0.0, math.inf), True, False, digits=2)
PESQ = Column("pesq_wb", "PESQ-WB", "MOS", "higher", (1.0, 5.0), digits=3)
STOI = Column("stoi", "STOI", "", "higher", (0.0, 1.0), digits=4)
DELAY = Column("delay_ms", "delay", "ms", None, digits=1)


def cells(kbps, pesq, mark, failures=0, reason=None):
    return {
        "kbps": Cell(kbps, kbps, kbps, 60, 20, 60, method="speaker bootstrap"),
        "pesq_wb": Cell(
            pesq, pesq - 0.1, pesq + 0.11, 58, 20, 60 - failures, failures, reason,
            "speaker bootstrap", mark,
        ),
        "stoi": Cell(0.9, 0.7, 0.95, 60, 20, 60, method="speaker bootstrap"),
        "delay_ms": Cell(-0.04, -0.5, 0.42, 60, 20, 60, method="speaker t"),
    }  # fmt: skip


@pytest.fixture
def table():
    empty = {name: Cell() for name in ("kbps", "pesq_wb", "stoi")}
    alone = {"pesq_wb": Cell(4.5, n=1, speakers=1, scored=1), "delay_ms": Cell(failures=3)}
    return Table(
        ("corpus",),
        {"kbps": KBPS, "pesq_wb": PESQ, "stoi": STOI, "delay_ms": DELAY},
        (
            Row("reference", ("librispeech",), empty | {"delay_ms": Cell()}),
            Row("one:kbps=12", ("librispeech",), cells(12, 3.0, "best")),
            Row("two", ("librispeech",), cells(13.25, 2.5, "second", 2, "too short")),
            Row("one:kbps=12", ("vctk",), empty | alone),
        ),
        ("a note of 95 %", "two: 2 failed in PESQ-WB; most often: too short"),
        {"reference": "reference", "one:kbps=12": "one:kbps=12", "two": "two"},
    )


@pytest.mark.parametrize("kind", FORMATS)
def test_golden(table, kind):
    """Set GENERATE_EXPECTED=1 to write the golden files anew."""
    _is_golden(render(table, kind), GOLDEN / f"table.{SUFFIX[kind]}")


def test_golden_of_a_terminal_too_narrow_for_codecs_in_columns(table):
    _is_golden(render(table, "rich", width=60), GOLDEN / "table_narrow.txt")


def _is_golden(text, path):
    if os.environ.get("GENERATE_EXPECTED"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


HOSTILE = 'x:a="& % $ # _ { } ~ ^ \\\\ | < > [red] `b` *c* [d](e) <script>\x1b[31m\nnew"'


@pytest.fixture
def hostile(table):
    rows = tuple(Row(HOSTILE, (HOSTILE,), row.cells) for row in table.rows[1:2])
    column = Column("pesq_wb", HOSTILE, HOSTILE, "higher")
    return Table(("corpus",), {"pesq_wb": column}, rows, (HOSTILE,), {HOSTILE: HOSTILE})


@pytest.mark.parametrize("kind", ["rich", "markdown", "latex", "html", "typst"])
def test_hostile_names_cannot_drive_a_terminal_or_break_lines(hostile, kind):
    plain = render(hostile, kind, width=1000)
    assert "\x1b" not in plain
    assert not any(line.startswith("new") for line in plain.splitlines())


def test_rich_markup_in_names_is_shown_as_it_is(hostile):
    assert "[red]" in render(hostile, "rich", width=1000)
    colored = render(hostile, "rich", width=1000, color=True)
    assert "[red]" in colored
    assert "\x1b[31m" not in colored


def test_markdown_rows_keep_their_number_of_cells(hostile):
    for line in render(hostile, "markdown").splitlines():
        if line.startswith("|"):
            assert line.replace("\\|", "").count("|") == 3


def test_markdown_escapes():
    assert markdown.escape("a|b*c_d`e<f>&g\nh") == r"a\|b\*c\_d\`e\<f\>&amp;g h"


def test_latex_escapes():
    assert latex.escape("a&b%c$d#e_f{g}h~i^j\\k") == (
        r"a\&b\%c\$d\#e\_f\{g\}h\textasciitilde{}i\textasciicircum{}j\textbackslash{}k"
    )
    assert latex.escape("a--b ± ↑") == r"a-{}-b $\pm$ $\uparrow$"
    assert latex._line(["[x]", "y"]) == r"{}[x] & y \\"


def test_latex_holds_no_unescaped_sign_of_a_hostile_name(hostile):
    text = render(hostile, "latex")
    bare = text.replace("\\&", "").replace("\\%", "").replace("\\#", "").replace("\\$", "")
    body = "\n".join(line for line in bare.splitlines() if not line.startswith("%"))
    assert "%" not in body
    assert "#" not in body
    assert "<script>" not in body
    # One separator a row: label, value.
    rows = [
        line for line in body.splitlines() if line.endswith(r"\\") and "multicolumn" not in line
    ]
    assert all(line.count("&") == 1 for line in rows)


def test_csv_and_json_hold_the_numbers_in_full():
    third = 1 / 3
    table = Table(
        (),
        {"pesq_wb": PESQ},
        (Row("a", (), {"pesq_wb": Cell(third, math.nan, math.inf, n=2, scored=2)}),),
        (),
        {"a": "a"},
    )
    record = next(csv.DictReader(io.StringIO(render(table, "csv"))))
    assert float(record["value"]) == third
    assert record["low"] == ""
    document = json.loads(render(table, "json"), parse_constant=pytest.fail)
    assert document["cells"][0]["value"] == third
    assert document["cells"][0]["high"] is None


def test_csv_and_json_keep_hostile_names(hostile):
    assert next(csv.DictReader(io.StringIO(render(hostile, "csv"), newline="")))["codec"] == HOSTILE
    assert json.loads(render(hostile, "json"))["cells"][0]["codec"] == HOSTILE


def test_numbers_of_a_cell():
    assert entry_of(Cell(2.0, 1.9, 2.1, n=5), PESQ).text == "2.000 ± 0.100"
    assert entry_of(Cell(2.0, 1.5, 2.1, n=5), PESQ).text == "2.000 [1.500, 2.100]"
    assert entry_of(Cell(2.0, 2.0, 2.0, n=5), PESQ).text == "2.000"
    assert entry_of(Cell(2.0, n=1, failures=2), PESQ).text == "2.000 (2 failed)"
    assert entry_of(Cell(failures=2), PESQ).text == "– (2 failed)"
    assert entry_of(Cell(), PESQ).is_empty
    assert number(-0.0001, 2) == "0.00"


def test_one_line_replaces_control_characters():
    assert one_line("a\n b\tc\x1b[31m\u202e") == "a b c�[31m�"


def test_one_line_replaces_noncharacters_and_them_alone():
    everything = [chr(code) for code in (*range(0xFDC0, 0xFE00), 0xFFF9, 0xFFFD, 0x378, 0x1F600)]
    planes = [chr((plane << 16) + end) for plane in range(17) for end in (0xFFFE, 0xFFFF)]
    replaced = [sign for sign in [*everything, *planes] if one_line(sign) != sign]
    assert replaced == [*(chr(code) for code in range(0xFDD0, 0xFDF0)), "\ufff9", *planes]
    assert len(replaced) == 66 + 1
    ElementTree.fromstring(f"<a>{one_line('a' + ''.join(replaced))}</a>")


def test_an_unknown_format_is_named():
    table = Table((), {"pesq_wb": PESQ}, (Row("a", (), {"pesq_wb": Cell()}),), (), {"a": "a"})
    with pytest.raises(UserError, match="unknown format 'pdf'"):
        render(table, "pdf")


def test_csv_and_json_say_what_a_number_is(table):
    known = replace(table, specs={"pesq_wb": "pesq:nb_rate=8000"})
    records = list(csv.DictReader(io.StringIO(render(known, "csv"))))
    pesq = next(record for record in records if record["metric"] == "pesq_wb")
    assert (pesq["title"], pesq["definition"]) == ("PESQ-WB", "pesq:nb_rate=8000")
    assert next(r for r in records if r["metric"] == "stoi")["definition"] == ""
    document = json.loads(render(known, "json"))
    assert document["columns"]["pesq_wb"]["definition"] == "pesq:nb_rate=8000"
    cell = next(cell for cell in document["cells"] if cell["metric"] == "pesq_wb")
    assert cell["definition"] == "pesq:nb_rate=8000"
