"""Every notebook runs from its first cell to its last and gives the outputs that it shows."""

import copy
import importlib.util
import re
from pathlib import Path

import nbformat
import pytest

from codecbench.processes import python_environment

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
each = pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)


@pytest.fixture(scope="module")
def tool():
    path = ROOT / "tools" / "execute_notebooks.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read(path):
    return nbformat.read(path, as_version=4)


def outputs_of(notebook):
    return [one for cell in notebook.cells if cell.cell_type == "code" for one in cell.outputs]


@each
def test_it_gives_the_outputs_that_it_shows(notebook, tool, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", python_environment()["PYTHONPATH"])
    assert list(tool.differences(read(notebook), tool.execute(notebook))) == []


def test_there_are_notebooks():
    assert {path.stem for path in NOTEBOOKS} >= {
        "quickstart", "reproduce_paper_table", "add_your_own_codec", "rate_distortion",
    }  # fmt: skip


@each
def test_it_is_clean(notebook, tool):
    written = read(notebook)
    nbformat.validate(written)
    assert written == tool.cleaned(copy.deepcopy(written))
    cells = [cell for cell in written.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert all(one.get("name") != "stderr" for one in outputs_of(written))


@each
def test_it_names_no_folder_of_a_machine(notebook):
    text = re.sub(r'"image/png": "[^"]*"', "", notebook.read_text(encoding="utf-8"))
    assert not re.search(r"/(?:home|root|tmp|work|usr|opt|Users)/", text)


@each
def test_it_shows_what_its_cells_give(notebook):
    assert outputs_of(read(notebook)), "outputs are committed: tools/execute_notebooks.py"


def changed(notebook, old, new):
    """Return a notebook with a text of its outputs replaced; it must be there."""
    text = nbformat.writes(notebook)
    cells = nbformat.reads(text.replace(old, new), as_version=4)
    assert cells != notebook
    return cells


@pytest.fixture
def small():
    made = nbformat.v4.new_notebook()
    made.cells = [nbformat.v4.new_code_cell("print()"), nbformat.v4.new_code_cell("figure")]
    made.cells[0].outputs = [
        nbformat.v4.new_output("stream", name="stdout", text="opus  12.41 ± 0.05\n"),
        nbformat.v4.new_output("stream", name="stdout", text="n  8 best\n"),
    ]
    picture = {"image/png": "aGVsbG8=", "text/plain": "<Figure size 640x480>"}
    made.cells[1].outputs = [nbformat.v4.new_output("display_data", picture)]
    return made


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("12.41", "12.71", "12.71 where 12.41 is expected"),
        ("0.05", "0.09", "0.09 where 0.05"),
        ("12.41", "-12.41", "-12.41 where 12.41"),
        ("n  8", "n  9", "9 where 8"),
        ("n  8 best", "n  8 next", "is expected"),
        ("opus", "lc3", "'lc3"),
        ("image/png", "image/jpeg", "outputs"),
        ("stdout", "stderr", "outputs"),
    ],
)
def test_outputs_that_were_tampered_with_are_found(small, tool, old, new, said):
    (line,) = tool.differences(small, changed(small, old, new))
    assert said in line


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("12.41", "12.43"),
        ("12.41", "12.60"),
        ("0.05", "0.06"),
        ("opus  12.41", "opus 12.41"),
        ("aGVsbG8=", "d29ybGQ="),
        ("640x480", "600x400"),
    ],
)
def test_rounding_and_pixels_are_no_difference(small, tool, old, new):
    assert list(tool.differences(small, changed(small, old, new))) == []


def test_a_missing_output_is_found(small, tool):
    fewer = copy.deepcopy(small)
    del fewer.cells[1].outputs[0]
    assert [line.split(":")[0] for line in tool.differences(small, fewer)] == ["code cell 2"]


def test_the_command_fails_if_an_output_differs(tool, tmp_path, monkeypatch, capsys):
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("print(6 * 7)")])
    path = tmp_path / "made.ipynb"
    nbformat.write(made, path)
    monkeypatch.setattr("sys.argv", ["execute_notebooks.py", str(path)])
    assert tool.main() == 0
    assert read(path).cells[0].outputs[0].text == "42\n"
    monkeypatch.setattr("sys.argv", ["execute_notebooks.py", "--check", str(path)])
    assert tool.main() == 0
    path.write_text(path.read_text().replace("42", "43"))
    assert tool.main() == 1
    assert "42 where 43 is expected" in capsys.readouterr().out
