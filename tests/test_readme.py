"""The README's examples do what it says."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def block_with(language, text):
    (found,) = [block for block in blocks(language) if text in block]
    return found


@pytest.fixture
def installed(tmp_path):
    """Install both examples as one distribution; return the environment of commands."""
    site = tmp_path / "site"
    info = site / "mine-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "my_codec.py").write_text(block_with("python", "class SignCodec"))
    (site / "my_metric.py").write_text(block_with("python", "class CrestDifference"))
    lines = []
    for text in blocks("toml"):
        for group, entries in tomllib.loads(text)["project"]["entry-points"].items():
            lines += [f"[{group}]", *(f"{name} = {target}" for name, target in entries.items())]
    (info / "entry_points.txt").write_text("\n".join(lines))
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    return {**os.environ, "PYTHONPATH": str(site)}


def test_the_example_codec_and_metric_run(installed, tmp_path):
    command = [sys.executable, "-m", "codecbench", "run", "--codec", "sign", "--subset", "2",
               "--metrics", "crest_difference,stoi", "--format", "csv", "--jobs", "1"]  # fmt: skip
    done = subprocess.run(
        command, env=installed, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "crest_difference" in done.stdout
    assert re.search(r"\bkbps,.*\b8\b", done.stdout), "one bit a sample at 8 kHz is 8 kbps"


def test_the_example_classes_take_about_twenty_lines():
    for text in ("class SignCodec", "class CrestDifference"):
        code = [line for line in block_with("python", text).splitlines() if line.strip()]
        assert len(code) <= 20


def test_the_python_example_runs(tmp_path):
    code = block_with("python", "import codecbench\n")
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "opus:kbps=24" in done.stdout
