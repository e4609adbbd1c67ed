"""``codecbench data``: output of the three commands and their exit status."""

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from codecbench.cli.data import app
from codecbench.corpora.librispeech import LibriSpeech
from codecbench.errors import UnavailableError, UserError


@pytest.fixture
def run(monkeypatch, tmp_path):
    monkeypatch.delenv("CODECBENCH_DATA", raising=False)
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(tmp_path / "cache" / name))

    def invoke(*arguments):
        return CliRunner().invoke(app, [str(item) for item in arguments], catch_exceptions=True)

    return invoke


def test_list_as_json(run, tmp_path):
    (tmp_path / "VCTK-Corpus-0.92").mkdir()
    result = run("list", "--data-root", tmp_path, "--format", "json")
    rows = {row["name"]: row for row in json.loads(result.stdout)}
    assert set(rows) >= {
        "aishell1", "demo", "folder", "librispeech", "libritts", "ljspeech", "vctk",
    }  # fmt: skip
    assert rows["vctk"]["folders"] == [str(tmp_path / "VCTK-Corpus-0.92")]
    assert rows["librispeech"]["folders"] == []
    assert rows["librispeech"]["fetch_bytes"] == 346663984 + 328757843
    assert rows["demo"]["bundled"] is True
    assert rows["demo"]["fetch_bytes"] is None


def test_list_for_people(run):
    result = run("list")
    assert result.exit_code == 0
    assert "CC BY 4.0" in result.stdout
    assert "bundled" in result.stdout


def test_verify_tells_by_its_status(run, tmp_path):
    assert run("verify", "demo").exit_code == 0
    folder = tmp_path / "LibriSpeech/test-clean/1/2"
    folder.mkdir(parents=True)
    (folder / "1-2-0000.flac").write_bytes(b"broken")
    command = ("verify", "librispeech:test-clean", "--data-root", tmp_path)
    result = run(*command, "--format", "json")
    assert result.exit_code == 1
    (report,) = json.loads(result.stdout)
    assert report["complete"] is False
    assert report["splits"][0]["differences"][0] == "1 of 2620 utterances"
    assert report["broken"][0]["path"].endswith("1-2-0000.flac")
    shown = run(*command)
    assert shown.exit_code == 1
    assert "broken: " in shown.stdout
    assert "not whole" in shown.stdout


def test_errors_are_those_of_the_library(run):
    assert isinstance(run("verify", "vctk").exception, UnavailableError)
    assert isinstance(run("fetch", "folder").exception, UserError)
    assert isinstance(run("fetch", "librispeech", "--split", "x").exception, UserError)


def test_fetch_passes_on_what_was_found(run, monkeypatch, tmp_path):
    from codecbench.data import fetch as module

    asked = []

    def fetch(corpus, splits, root, progress, keep):
        asked.append((corpus, splits, root, keep))
        url = LibriSpeech.card.archives[0].url
        return [module.Fetched(url, tmp_path / "LibriSpeech", 5, "ab" * 32, False, False)]

    monkeypatch.setattr(module, "fetch", fetch)
    command = ("fetch", "librispeech", "--split", "dev-clean", "--data-root", tmp_path)
    assert "UNVERIFIED: no published checksum is known" in run(*command).stdout
    (row,) = json.loads(run(*command, "--keep-archives", "-f", "json").stdout)
    assert (row["verified"], row["sha256"], row["bytes"]) == (False, "ab" * 32, 5)
    assert asked == [
        ("librispeech", ["dev-clean"], tmp_path, False),
        ("librispeech", ["dev-clean"], tmp_path, True),
    ]


@pytest.mark.parametrize("command", ["list", "fetch", "verify"])
def test_help_has_an_example(run, command):
    assert f"codecbench data {command}" in run(command, "--help").stdout


def test_importing_the_command_loads_nothing_heavy():
    code = (
        "import sys; import codecbench.cli.data;"
        "print([m for m in ('numpy', 'requests', 'soundfile', 'pydantic') if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"
