"""The two forms of a table on a terminal: which is chosen, and what each shows."""

import re

import pytest

from codecbench.metric import Column
from codecbench.reports.cells import Cell
from codecbench.reports.formats import render
from codecbench.reports.table import Row, Table

KBPS = Column("kbps", "kbps", "kbit/s", "lower")
PESQ = Column("pesq_wb", "PESQ-WB", "MOS", "higher", (1.0, 5.0), digits=3)
CELL = Cell(3.0, 2.9, 3.1, 60, 20, 60, method="speaker t")
MANY = {f"m{i}": Column(f"m{i}", f"METRIC-{i}", "MOS", "higher") for i in range(14)}


def table_of(codecs, columns, cell=CELL, group=()):
    rows = tuple(Row(codec, group, dict.fromkeys(columns, cell)) for codec in codecs)
    return Table(("corpus",) * len(group), columns, rows, (), {codec: codec for codec in codecs})


def with_cells(cells, columns):
    """Make a table without groups from cells by codec, then column."""
    rows = tuple(Row(codec, (), found) for codec, found in cells.items())
    return Table((), columns, rows, (), {codec: codec for codec in cells})


def line_of(text, start):
    """Return the only line that starts so."""
    (line,) = [line for line in text.splitlines() if line.startswith(start)]
    return line


def head_of(text):
    """Return what stands above the first rule."""
    return text[: text.index("─")]


def is_upright(text):
    """Whether metrics stand in rows."""
    return any(line.startswith("METRIC-0 ↑") for line in text.splitlines())


@pytest.mark.parametrize(("codecs", "upright"), [("r", True), ("abcde", True), ("abcdef", False)])
def test_up_to_five_codecs_stand_in_columns(codecs, upright):
    assert is_upright(render(table_of(codecs, MANY), "rich", width=300)) == upright


def test_the_reference_counts_as_a_column():
    text = render(table_of(["reference", *"abcd"], MANY), "rich", width=300)
    assert is_upright(text)
    assert head_of(text).split() == ["reference", *"abcd"]
    assert not is_upright(render(table_of(["reference", *"abcde"], MANY), "rich", width=300))


def test_a_reference_without_scores_takes_no_column():
    rows = (Row("reference", (), dict.fromkeys(MANY, Cell())), *table_of("abcde", MANY).rows)
    labels = {row.codec: row.codec for row in rows}
    text = render(Table((), MANY, rows, (), labels), "rich", width=300)
    assert is_upright(text)
    assert head_of(text).split() == [*"abcde"]


@pytest.mark.parametrize("color", [False, True])
def test_the_form_changes_at_the_width_that_columns_need(color):
    table = table_of("abc", MANY)
    needed = max(map(len, render(table, "rich", width=300).splitlines()))
    for width in (needed, needed - 1):
        # Colour changes neither the form nor the numbers.
        text = re.sub(r"\x1b\[[\d;]*m", "", render(table, "rich", width=width, color=color))
        assert is_upright(text) == (width == needed)
        assert max(map(len, text.splitlines())) <= width


def test_each_group_has_its_own_form():
    few, many = (
        table_of(codecs, MANY, group=(name,)) for codecs, name in (("ab", "x"), ("abcdef", "y"))
    )
    table = Table(("corpus",), MANY, few.rows + many.rows, (), many.labels)
    first, second = render(table, "rich", width=100).split("corpus y")
    assert is_upright(first)
    assert not is_upright(second)


@pytest.mark.parametrize("width", [20, 60, 100, 200])
@pytest.mark.parametrize("codecs", ["ab", "abcdef"])
def test_either_form_fits_the_terminal(codecs, width):
    text = render(table_of(codecs, MANY), "rich", width=width)
    assert all(text.count(f"METRIC-{i} ") == 1 for i in range(14))
    assert text.count("3.000 ± 0.100") == 14 * len(codecs)
    assert "…" not in text
    if width >= 60:
        assert max(map(len, text.splitlines())) <= width


def test_codecs_in_rows_repeat_the_rate_in_every_block():
    text = render(table_of("abcdef", {"kbps": KBPS} | MANY), "rich", width=80)
    assert text.count("kbps ↓") == text.count("speakers") > 1


def test_codecs_in_columns_show_every_metric_and_count_once():
    text = render(table_of("ab", {"kbps": KBPS} | MANY), "rich", width=80)
    assert text.count("kbps ↓") == 1
    assert text.count("n = 60, speakers = 20") == 1
    assert "60" not in text.replace("n = 60", "")
    assert line_of(text, "METRIC-3").split() == [
        *("METRIC-3", "↑", "MOS"),
        *("3.000", "±", "0.100") * 2,
    ]


def test_only_counts_that_differ_get_a_column():
    cells = {"kbps": CELL, "pesq_wb": Cell(3.0, 2.9, 3.1, 58, 20, 58, method="speaker t")}
    text = render(with_cells({"a": cells}, {"kbps": KBPS, "pesq_wb": PESQ}), "rich")
    assert head_of(text).split() == ["a", "n"]
    assert line_of(text, "kbps").split()[-1] == "60"
    assert line_of(text, "PESQ-WB").split()[-1] == "58"
    assert text.endswith("\nspeakers = 20\n")


def test_counts_of_which_both_differ_leave_no_line_below():
    cells = {"kbps": CELL, "pesq_wb": Cell(3.0, 2.9, 3.1, 58, 19, 58, method="speaker t")}
    text = render(with_cells({"a": cells}, {"kbps": KBPS, "pesq_wb": PESQ}), "rich")
    assert head_of(text).split() == ["a", "n", "speakers"]
    assert line_of(text, "PESQ-WB").split()[-2:] == ["58", "19"]
    assert text.splitlines()[-1] == line_of(text, "PESQ-WB")


def test_marks_and_failures_stand_beside_their_number():
    best = Cell(4.0, 3.9, 4.1, 6, 6, 6, method="speaker t", mark="best")
    second = Cell(3.0, 2.9, 3.1, 6, 6, 8, 2, "short", "speaker t", "second")
    cells = {"a": best, "b": second, "c": Cell(failures=8, reason="short")}
    table = with_cells({name: {"pesq_wb": cell} for name, cell in cells.items()}, {"pesq_wb": PESQ})
    plain = render(table, "rich")
    assert is_in_order(
        line_of(plain, "PESQ-WB"),
        "4.000 ± 0.100 *", "3.000 ± 0.100 (2 failed) +", "– (8 failed)",
    )  # fmt: skip
    assert "*: best, +: second best of a row within its group" in plain
    colored = render(table, "rich", color=True)
    assert "\x1b[1;32m4.000\x1b[0m ± 0.100 " in colored
    assert "\x1b[4m3.000\x1b[0m ± 0.100 (2 failed)" in colored
    assert "bold: best, underlined: second best of a row" in colored
    assert "*" not in colored


def is_in_order(text, *parts):
    """Whether the parts follow each other, with nothing but blanks between them."""
    return re.search(r"\s+".join(map(re.escape, parts)), text) is not None


def test_the_note_on_marks_names_every_form_in_use():
    best = Cell(4.0, 3.9, 4.1, 6, 6, 6, method="speaker t", mark="best")
    few, many = (
        table_of(codecs, MANY, best, (name,)) for codecs, name in (("ab", "x"), ("abcdef", "y"))
    )
    table = Table(("corpus",), MANY, few.rows + many.rows, (), many.labels)
    assert "second best of a row or column within" in " ".join(render(table, "rich").split())
    assert "second best of a column within" in " ".join(render(table, "markdown").split())


def test_intervals_of_a_codec_begin_below_each_other():
    cells = {"kbps": Cell(256.0, 255.0, 257.0, 6, 6, 6, method="speaker t"), "pesq_wb": CELL}
    text = render(with_cells({"a": cells}, {"kbps": KBPS, "pesq_wb": PESQ}), "rich")
    assert line_of(text, "kbps").index("±") == line_of(text, "PESQ-WB").index("±")


def test_a_long_label_breaks_after_commas_and_loses_nothing():
    label = "opus:kbps=24,complexity=10,frame-ms=20"
    text = render(table_of([label, "b"], MANY), "rich", width=80)
    assert is_upright(text)
    lines = [line.split() for line in head_of(text).splitlines()]
    assert lines == [["opus:kbps=24,"], ["complexity=10,"], ["frame-ms=20", "b"]]


@pytest.mark.parametrize(("codecs", "upright"), [("a", True), ("abcdef", False)])
def test_a_long_label_folds_and_is_not_cut(codecs, upright):
    label = "external:" + "x" * 100
    table = table_of(codecs, MANY)
    table.labels["a"] = label
    text = render(table, "rich", width=80)
    assert is_upright(text) == upright
    # Codecs in rows repeat the label in each block.
    copies = 1 if upright else text.count("speakers")
    assert text.count("x") == label.count("x") * copies
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("color", [False, True])
def test_hostile_labels_in_columns_are_shown_as_they_are(color):
    hostile = "x[red]\x1b[31m\nnew"
    column = Column("pesq_wb", hostile, "[b]", "higher")
    text = render(with_cells({hostile: {"pesq_wb": CELL}}, {"pesq_wb": column}), "rich", 100, color)
    assert text.count("x[red]�[31m new") == 2
    assert "[b]" in text
    assert "\x1b[31m" not in text
