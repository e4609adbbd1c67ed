"""What is forgotten is gone, and the rest is as it was."""

import pytest

import codecbench
from codecbench.results.forgetting import forget, forget_everything
from codecbench.results.run_folder import BITSTREAMS, ROWS, load_run
from codecbench.results.schema import parts

GONE, LEFT = "codec2:bps=1200", "codec2:bps=2400"
CODECS = [GONE, LEFT]
METRICS = ["kbps", "stoi"]


@pytest.fixture
def run(tmp_path):
    return codecbench.run(CODECS, "demo", METRICS, tmp_path / "run", subset=2, jobs=1)


def kept_codecs(run):
    with run.connection() as database:
        found = database.execute("SELECT DISTINCT codec FROM bitstreams").fetchall()
    return {codec for (codec,) in found}


def test_a_codec_is_forgotten_with_its_bitstreams(run):
    before = run.frame()
    forget(run.path, codecs=[GONE])
    after = load_run(run.path)
    assert after.order == [LEFT]
    assert kept_codecs(after) == {LEFT}
    left = before[before["codec"] != GONE].reset_index(drop=True)
    assert after.frame().equals(left)


def test_a_metric_is_forgotten_and_measured_again(run):
    before = run.frame()
    forget(run.path, metrics=["stoi"])
    after = load_run(run.path)
    assert "stoi" not in set(after.frame()["metric"])
    assert kept_codecs(after) == set(CODECS)
    again = codecbench.run(CODECS, "demo", METRICS, run.path, subset=2, jobs=1)
    assert again.frame().equals(before)


def test_nothing_is_left_of_everything(run):
    forget_everything(run.path)
    assert not parts(run.path / ROWS)
    assert not parts(run.path / BITSTREAMS)
    assert not (run.path / "manifest.json").exists()
    again = codecbench.run(CODECS, "demo", METRICS, run.path, subset=2, jobs=1)
    assert len(again.frame())
