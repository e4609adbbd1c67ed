"""Two versions of one codec through the command line, as the workflow runs them: real bits of a
real network, one environment a version, one run folder each.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from codecbench.registry import load_codec

pytestmark = pytest.mark.slow

SOURCE = (Path(__file__).parent / "mine.py").read_text(encoding="utf-8")
THRESHOLDS = ("stoi<-0.005", "mel_distance>2%", "kbps>1%")
METRICS = "stoi,mel_distance,kbps"

VERSIONS = {
    "base": None,
    "fewer-quantizers": """
KBPS = 4


def resampled(audio, rate):
    return audio.resampled(rate)
""",
    "wrong-resampler": """
KBPS = 12


def resampled(audio, rate):  # along straight lines, without a filter
    times = np.arange(-(-len(audio) * rate // audio.sample_rate)) / rate
    known = np.arange(len(audio)) / audio.sample_rate
    return Audio(np.interp(times, known, audio.samples).astype(np.float32), rate)
""",
    "tidied": """
KBPS = 12.0


def resampled(audio, rate):  # what was done before, said otherwise
    return audio if rate == audio.sample_rate else audio.resampled(rate)
""",
}
OPTIONS = {"tidied": ["--jobs", "2"]}


def site_with(folder, version):
    """Install a version of the codec into a folder of its own."""
    info = folder / "mine-1.0.dist-info"
    info.mkdir(parents=True)
    changed = VERSIONS[version]
    text = SOURCE
    if changed is not None:
        text = re.sub(r"(?<=# begin\n).*?(?=\n# end)", lambda _: changed, text, flags=re.DOTALL)
        assert text != SOURCE
    (folder / "mine.py").write_text(text)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[codecbench.codecs]\nmine = mine:Mine\n")
    return folder


def codecbench(*arguments, path=None, cwd=None):
    paths = [str(path), *filter(None, [os.environ.get("PYTHONPATH")])] if path else []
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)} if path else None
    return subprocess.run(
        [sys.executable, "-m", "codecbench", *map(str, arguments)],
        env=environment, cwd=cwd, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture(scope="session")
def versions(tmp_path_factory):
    """Run every version in an environment of its own; return environments and run folders."""
    root = tmp_path_factory.mktemp("versions")
    sites = {}
    for version in VERSIONS:
        sites[version] = site_with(root / "env" / version, version)
        done = codecbench(
            "run", "--codec", "mine", "--subset", 6, "--metrics", METRICS, "--keep-audio",
            "--out", root / version, *OPTIONS.get(version, ["--jobs", "1"]),
            path=sites[version],
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    return root, sites


def gate(versions, candidate, *options):
    root, sites = versions
    limits = [argument for text in THRESHOLDS for argument in ("--fail-on", text)]
    return codecbench(
        "compare", root / "base", root / candidate, *limits, *options, path=sites[candidate]
    )


@pytest.mark.parametrize("planted", ["fewer-quantizers", "wrong-resampler"])
def test_a_planted_regression_is_caught_and_can_be_heard(versions, planted, tmp_path):
    done = gate(versions, planted, "--format", "json", "--worst-audio", tmp_path / "worst")
    assert (done.returncode, done.stderr) == (1, "")
    record = json.loads(done.stdout)
    columns = {column["name"]: column for column in record["codecs"][0]["columns"]}
    broken = {
        verdict["threshold"]
        for column in columns.values()
        for verdict in column["thresholds"]
        if verdict["broken"]
    }
    assert "mel_distance>2%" in broken
    assert ("stoi<-0.005" in broken) == (planted == "fewer-quantizers")
    assert "kbps>1%" not in broken
    assert (columns["kbps"]["candidate"] < 5) == (planted == "fewer-quantizers")
    worst = columns["mel_distance"]["worst"]
    assert worst
    for one in worst:
        assert set(one["audio"]) == {"reference", "base", "candidate"}
        assert all(Path(path).is_file() for path in one["audio"].values())
    copied = [path.name for path in (tmp_path / "worst").glob("mel_distance-*/1-*")]
    assert sorted(name.rpartition("-")[2] for name in copied) == [
        "base.wav", "candidate.wav", "reference.wav",
    ]  # fmt: skip


def test_a_harmless_change_passes_to_the_last_bit(versions):
    done = gate(versions, "tidied", "--format", "json", "--fail-on", "stoi<0")
    assert done.returncode == 0, done.stdout
    record = json.loads(done.stdout)
    differences = {
        column["name"]: column["difference"] for column in record["codecs"][0]["columns"]
    }
    assert set(differences.values()) == {0.0}
    assert {"stoi", "mel_distance", "kbps"} <= set(differences)


def test_two_rates_of_one_codec_are_compared_by_name(tmp_path):
    low, high = "soundstream:kbps=4", "soundstream:kbps=12"
    done = codecbench(
        "run", "--codec", "soundstream:kbps=4|12", "--subset", 6, "--metrics", METRICS,
        "--out", tmp_path / "run",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "run"
    pair = "--base-codec", high, "--candidate-codec", low
    worse = codecbench("compare", folder, folder, *pair, "--fail-on", "stoi<-0.005")
    assert worse.returncode == 1, worse.stderr
    assert "soundstream:kbps=12 → soundstream:kbps=4" in worse.stdout
    assert "repeat the command of" in worse.stdout
    better = "--base-codec", low, "--candidate-codec", high
    assert codecbench("compare", folder, folder, *better, "--fail-on", "stoi<0").returncode == 0
    dearer = codecbench("compare", folder, folder, *better, "--fail-on", "kbps>1%")
    assert dearer.returncode == 1
    absent = "--base-codec", high, "--candidate-codec", "soundstream:kbps=8"
    refused = codecbench("compare", folder, folder, *absent)
    assert refused.returncode == 2
    assert "has no codec 'soundstream:kbps=8'" in refused.stderr
    assert load_codec(low).spec in refused.stderr
