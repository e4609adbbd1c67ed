"""The repository's own leaderboards: fresh pages, results that can be made again."""

import importlib.util
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


def test_results_hold_no_machine_paths():
    for path in BOARDS.glob("results/*/*.json"):
        text = path.read_text()
        assert not re.search(r'"/\w', text), "a path of a machine"
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
