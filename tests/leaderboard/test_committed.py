"""The repository's own leaderboards: fresh pages, results that can be made again."""

import importlib.util
import json
import re
from pathlib import Path

import numpy as np
import pytest

import codecbench

from .board_commands import check

ROOT = Path(__file__).parents[2]
BOARDS = ROOT / "leaderboards"


def test_pages_and_results_are_fresh(capsys):
    assert check(BOARDS) == 0, capsys.readouterr().out


def test_tables_of_the_readme_are_fresh():
    path = ROOT / "tools" / "readme_results.py"
    spec = importlib.util.spec_from_file_location("readme_results", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.main(["--check"]) == 0


# A slash between words (and/or, kbit/s), in an address or in a relative path begins no path.
MACHINE_PATH = re.compile(r"(?<![\w/.)\]%°])/\w|\bfile:/|\b[A-Za-z]:\\")


def texts_of(value):
    """Yield all texts of a JSON document, keys among them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from texts_of([*value, *value.values()])
    elif isinstance(value, list):
        for item in value:
            yield from texts_of(item)


@pytest.mark.parametrize(
    "text",
    ["/home/u", "--data-root=/home/u", "x 'dir=/mnt'", "a:/opt/b", "a\n/tmp/x", "~/data",
     "file:///home/u", r"C:\Users\u"],
)  # fmt: skip
def test_paths_of_machines_are_recognised(text):
    assert MACHINE_PATH.search(text)


@pytest.mark.parametrize(
    "text",
    ["and/or", "12 kbit/s", "errors / words", "https://doi.org/10.1/x", "docs/gate.md", "../up",
     "(a+b)/c", "N/A", "10 %/s", "application/json", "openai/whisper-tiny"],
)  # fmt: skip
def test_other_slashes_are_no_paths(text):
    assert not MACHINE_PATH.search(text)


def test_results_hold_no_machine_paths():
    files = sorted(BOARDS.glob("results/**/*.json"))
    assert BOARDS / "results" / "speed.json" in files
    for path in files:
        text = path.read_text(encoding="utf-8")
        found = [one for one in texts_of(json.loads(text)) if MACHINE_PATH.search(one)]
        assert not found, path
        assert '"path": "' not in text


def test_demo_results_are_measured_again(tmp_path):
    """A few of the committed numbers, as this machine and its libraries give them."""
    metrics = ["kbps", "stoi", "pesq_wb", "mcd"]
    codecs = ["opus:kbps=6", "codec2:bps=3200", "soundstream:kbps=4"]
    again = codecbench.run(codecs, "demo", metrics, tmp_path / "again", subset=2, jobs=1).frame()
    committed = codecbench.load_run(BOARDS / "results" / "demo-36").frame()
    key = ["codec", "utterance", "metric"]
    both = again[again["metric"].isin(metrics)].merge(committed, on=key, suffixes=("", "_then"))
    assert len(both) == 2 * len(codecs) * len(metrics)
    np.testing.assert_allclose(both["value"], both["value_then"], rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("name", ["librispeech-60", "libritts-20-16000Hz", "demo-36"])
def test_a_board_of_real_speech_rests_on_pinned_audio(name):
    run = codecbench.load_run(BOARDS / "results" / name)
    frame = run.frame(metrics=["kbps"])
    assert set(frame["rate"]) == {16000}
    assert frame["error"].isna().all()
