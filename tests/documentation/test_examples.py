"""The commands and the code of the tutorial pages do what the pages say."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib

import pytest

from codecbench.cli.main import main
from codecbench.registry import load_corpus

from .markdown import ROOT, blocks, commands

DOCS = ROOT / "docs"
ELSEWHERE = ("librispeech", "runs/librispeech", "runs/a")
"""What commands name that needs data or runs which a test does not have."""

pytestmark = pytest.mark.slow


def runnable(name):
    return [words for words in commands(DOCS / name) if not set(words) & set(ELSEWHERE)]


def done(words):
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 0, words


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A folder in which the commands of the first page have been run, beside a speech.wav."""
    folder = tmp_path_factory.mktemp("desk")
    shutil.copy(load_corpus("demo").utterances()[0].path, folder / "speech.wav")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for words in runnable("first-run.md"):
            done(words)
    return folder


@pytest.fixture
def at_the_desk(desk, monkeypatch):
    monkeypatch.chdir(desk)
    return desk


def test_the_first_page_leaves_what_it_says(desk):
    for name in ("rates.pdf", "site/index.html", "speech.cbs", "decoded.wav"):
        assert (desk / name).stat().st_size


def test_the_table_that_is_shown_is_the_tables_form(at_the_desk, capsys):
    done(["report", "runs/first", "--metrics", "kbps,pesq_wb,stoi", "--format", "markdown"])
    page = (DOCS / "first-run.md").read_text(encoding="utf-8")

    def first_cells(text):
        return re.findall(r"^\| ([^|]+) \|", text, flags=re.MULTILINE)

    assert first_cells(capsys.readouterr().out) == first_cells(page)


@pytest.mark.parametrize("page", ["reading-numbers.md", "papers.md"])
def test_commands_of_a_page_run(page, at_the_desk):
    asked = runnable(page)
    assert asked
    for words in asked:
        done(words)
        if "-o" in words:
            assert (at_the_desk / words[words.index("-o") + 1]).stat().st_size


def test_the_python_page_runs_and_begins_with_five_lines(desk):
    parts = blocks(DOCS / "python.md", "python")
    assert len([line for line in parts[0].splitlines() if line]) <= 5
    ran = subprocess.run(
        [sys.executable, "-c", "\n".join(parts)],
        cwd=desk,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    for expected in ("opus:kbps=24", "svcodec:kbps=4", "kbit/s"):
        assert expected in ran.stdout


def installed(page, folder):
    """Install the example of a page as a distribution; return the environment of commands."""
    (code,) = blocks(page, "python")
    (declared,) = blocks(page, "toml")
    info = folder / "mine-1.0.dist-info"
    info.mkdir()
    ((group, entries),) = tomllib.loads(declared)["project"]["entry-points"].items()
    ((name, target),) = entries.items()
    (folder / f"{target.partition(':')[0]}.py").write_text(code)
    (info / "entry_points.txt").write_text(f"[{group}]\n{name} = {target}\n")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}


def table_of(words, environment, folder):
    ran = subprocess.run(
        [sys.executable, "-m", "codecbench", *words, "--format", "json"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    cells = json.loads(ran.stdout)["cells"]
    return {(cell["codec"], cell["metric"]): cell for cell in cells}


def test_the_codec_of_the_page_has_the_rates_it_should(tmp_path):
    page = DOCS / "add-codec.md"
    (words,) = [words for words in commands(page) if any("blocks" in word for word in words)]
    cells = table_of(words, installed(page, tmp_path), tmp_path)
    for size in (2, 4, 8):
        # 8 bits a block of so many samples at 8 kHz; the last block of an utterance is filled up.
        assert cells[f"blocks:size={size}", "kbps"]["value"] == pytest.approx(64 / size, rel=1e-3)
        assert cells[f"blocks:size={size}", "stoi"]["failures"] == 0
    assert cells["blocks:size=2", "stoi"]["value"] > cells["blocks:size=8", "stoi"]["value"]


def test_the_metric_of_the_page_prefers_more_bits(tmp_path):
    page = DOCS / "add-metric.md"
    (words,) = [words for words in commands(page) if words[0] == "run"]
    cells = table_of(words, installed(page, tmp_path), tmp_path)
    by_rate = [cell for (_, metric), cell in cells.items() if metric == "polarity_errors"]
    low, high = (cell["value"] for cell in by_rate)
    assert 0 < high < low < 1
