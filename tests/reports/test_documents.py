"""Tables as documents: LaTeX that compiles, wholes that a browser or Typst reads."""

import re
import shutil
import subprocess
from html.parser import HTMLParser

import pytest

from codecbench.errors import UserError
from codecbench.metric import Column
from codecbench.reports.cells import Cell
from codecbench.reports.formats import FORMATS, latex, render, typst
from codecbench.reports.formats.wrapping import Wrapping
from codecbench.reports.table import Row, Table

from .test_formats import HOSTILE

PESQ = Column("pesq_wb", "PESQ-WB", "MOS", "higher", (1.0, 5.0), digits=2)
EVERY_SIGN = "".join(map(chr, range(0x20, 0x180))) + "‘’“”…—–−×µμ†≤≥→日本語 русский 🙂 \U0010ffff"


def table_of(*names, columns=1):
    cell = Cell(2.5, 2.4, 2.6, 60, 20, 60, method="speaker bootstrap", mark="best")
    heads = {f"pesq_wb{f' ({place})' * bool(place)}": PESQ for place in range(columns)}
    rows = tuple(Row(name, ("c",), dict.fromkeys(heads, cell)) for name in names)
    return Table(("corpus",), heads, rows, names, {name: name for name in names})


def compiled(text, folder):
    """Compile with pdflatex; return the text of its only page."""
    for program in ("pdflatex", "pdfinfo", "pdftotext"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is absent: install texlive-latex-recommended, poppler-utils")
    (folder / "table.tex").write_text(text, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape"]
    done = subprocess.run([*command, "table.tex"], cwd=folder, capture_output=True, timeout=900)
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]
    assert b"Overfull" not in done.stdout
    told = subprocess.run(["pdfinfo", "table.pdf"], cwd=folder, capture_output=True, check=True)
    assert re.search(r"^Pages: +1$", told.stdout.decode(), flags=re.MULTILINE)
    said = subprocess.run(
        ["pdftotext", "-layout", "table.pdf", "-"], cwd=folder, capture_output=True, check=True
    )
    return said.stdout.decode(), told.stdout.decode()


@pytest.mark.slow
def test_a_document_compiles_and_shows_its_numbers(tmp_path):
    whole = Wrapping(caption="Codecs & rates, 100 %", label="tab:one", standalone=True)
    text, _ = compiled(render(table_of("one", "two"), "latex", wrapping=whole), tmp_path)
    assert "Codecs & rates, 100 %" in text
    assert re.search(r"two +2\.50 ± 0\.10", text)
    assert "PESQ-WB ↑" in text
    assert "(MOS)" in text


@pytest.mark.slow
def test_every_sign_compiles(tmp_path):
    whole = Wrapping(caption=EVERY_SIGN, standalone=True)
    hostile = table_of(HOSTILE, EVERY_SIGN, "[bracket]", "*star", "a--b<<c>>d``e''f")
    text, _ = compiled(render(hostile, "latex", wrapping=whole), tmp_path)
    assert "U+65E5" in text
    assert "<script>" in text


@pytest.mark.slow
def test_a_page_is_as_large_as_its_table(tmp_path):
    whole = Wrapping(standalone=True)
    names = [f"codec{place}" for place in range(120)]
    text, told = compiled(render(table_of(*names, columns=15), "latex", wrapping=whole), tmp_path)
    width, height = map(float, re.search(r"Page size: +([\d.]+) x ([\d.]+)", told).groups())
    assert width > 612
    assert height > 792
    assert "codec119" in text
    assert text.count("2.50 ± 0.10") == 120 * 15


@pytest.mark.slow
def test_a_fragment_compiles_in_a_paper(tmp_path):
    wrapping = Wrapping(caption="Ours", label="tab:ours")
    fragment = render(table_of("one", "two"), "latex", wrapping=wrapping)
    assert fragment.index(r"\caption") < fragment.index(r"\label") < fragment.index(r"\begin{tabul")
    paper = (
        r"\documentclass{article}\usepackage[T1]{fontenc}\usepackage{booktabs,lmodern}"
        r"\begin{document}"
        f"{fragment}" + r"\end{document}"
    )
    text, _ = compiled(paper, tmp_path)
    assert "Table 1: Ours" in text


def test_signs_without_a_letter_are_written_as_their_number():
    assert latex.escape("日b") == "U+65E5b"
    assert latex.escape("é≤†") == r"é$\le$\textdagger{}"


class Reader(HTMLParser):
    """Collects tags and checks that they are closed in order."""

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.cells, self.text = [], [], [], ""

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        if tag not in ("meta", "link"):
            self.open.append(tag)
        if tag == "tr":
            self.cells.append(0)
        if tag in ("th", "td"):
            self.cells[-1] += int(dict(attrs).get("colspan", 1))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("standalone", [False, True])
def test_html_is_well_formed_and_holds_no_tag_of_a_name(standalone):
    wrapping = Wrapping(caption=HOSTILE, label="tab:x", standalone=standalone)
    reader = Reader()
    reader.feed(render(table_of(HOSTILE, "two", columns=3), "html", wrapping=wrapping))
    assert reader.open == []
    assert "script" not in reader.seen
    assert "<script>" in reader.text
    assert set(reader.cells) == {4}
    assert reader.seen.count("strong") == 6
    assert ("html" in reader.seen) == standalone


def test_typst_texts_are_string_literals():
    text = render(table_of(HOSTILE), "typst", wrapping=Wrapping(HOSTILE, "tab:x"))
    code = re.sub(r'"(?:[^"\\]|\\.)*"', '""', text)
    for sign in ("<script>", "$", "`", "[red]", "\\"):
        assert sign not in code
    assert text.count("<tab:x>") == 1
    assert typst.literal('a"b\\c') == '"a\\"b\\\\c"'


def test_typst_compiles(tmp_path):
    compiler = pytest.importorskip("typst", reason="the package typst is absent")
    file = tmp_path / "table.typ"
    file.write_text(render(table_of(HOSTILE, EVERY_SIGN), "typst"), encoding="utf-8")
    assert compiler.compile(str(file)).startswith(b"%PDF")


@pytest.mark.parametrize("kind", FORMATS)
def test_what_a_format_has_not_is_refused_in_one_line(kind):
    table = table_of("one")
    for wrapping, option in (
        (Wrapping(caption="A"), "--caption"),
        (Wrapping(label="a"), "--label"),
        (Wrapping(standalone=True), "--standalone"),
    ):
        kinds = {
            "--caption": ("rich", "markdown", "latex", "html", "typst"),
            "--label": ("latex", "html", "typst"),
            "--standalone": ("latex", "html"),
        }[option]
        if kind in kinds:
            assert render(table, kind, wrapping=wrapping) != render(table, kind)
        else:
            with pytest.raises(UserError, match=f"{option} does not go with {kind}"):
                render(table, kind, wrapping=wrapping)


@pytest.mark.parametrize("label", ["a b", "}", "1a", 'x"', "<", ""])
def test_labels_are_names(label):
    if not label:
        Wrapping(label=label).require_possible("latex")
        return
    with pytest.raises(UserError, match="must begin with a letter"):
        Wrapping(label=label).require_possible("latex")
