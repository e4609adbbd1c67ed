"""Sounds of a regression in one folder: what a run's files name is not trusted."""

import json
import shutil

import numpy as np
import pytest

import codecbench
from codecbench.audio import Audio, read_audio, write_audio
from codecbench.cli.main import main
from codecbench.registry import load_corpus
from codecbench.subset import subset

SUBSET = 2
NOISE = Audio(np.random.default_rng(1).normal(0, 0.1, 16000).astype(np.float32), 16000)


@pytest.fixture(scope="module")
def kept_runs(tmp_path_factory):
    """Return base and a worse candidate, both with the decoded audio kept."""
    root = tmp_path_factory.mktemp("sounds")
    runs = []
    for name, noise in (("base", 0.001), ("candidate", 0.1)):
        for utterance in subset(load_corpus("demo").utterances(), SUBSET):
            speech = utterance.audio()
            random = np.random.default_rng(0).normal(0, noise, len(speech))
            noisy = Audio(speech.samples + random.astype(np.float32), speech.sample_rate)
            write_audio(root / "decoded" / f"{utterance.id}.wav", noisy)
        runs.append(root / name)
        codecbench.run(
            f'decoded:dir="{root / "decoded"}",label=x', "demo", ["lsd"], runs[-1],
            subset=SUBSET, jobs=1, keep_audio=True,
        )  # fmt: skip
    return runs


@pytest.fixture
def runs(kept_runs, tmp_path):
    """Return copies of both to tamper with."""
    return [shutil.copytree(run, tmp_path / run.name) for run in kept_runs]


@pytest.fixture
def heard(runs, tmp_path, capsys):
    """Compare the runs; return the files written by name, and what was said about others."""

    def call():
        folder = tmp_path / "worst"
        with pytest.raises(SystemExit) as ended:
            main(["compare", *map(str, runs), "--fail-on", "lsd>0", "--worst-audio", str(folder)])
        assert ended.value.code == 1
        return {path.name: path for path in folder.rglob("*.*")}, capsys.readouterr().err

    return call


def point_references_to(run, path):
    record = json.loads((run / "audio.json").read_text())
    for item in record:
        item[3]["path"] = str(path)
    (run / "audio.json").write_text(json.dumps(record))


def kinds_of(files):
    return sorted(name.rpartition("-")[2] for name in files)


def test_what_was_measured_is_written(runs, heard):
    files, err = heard()
    assert err == ""
    assert kinds_of(files) == ["base.wav"] * 2 + ["candidate.wav"] * 2 + ["reference.wav"] * 2
    hashes = {item[3]["sha256"] for item in json.loads((runs[0] / "audio.json").read_text())}
    found = {read_audio(path).sha256() for name, path in files.items() if "reference" in name}
    assert found == hashes
    kept = {read_audio(path).sha256() for path in (runs[1] / "audio").rglob("*.wav")}
    found = {read_audio(path).sha256() for name, path in files.items() if "candidate" in name}
    assert found == kept


@pytest.mark.parametrize("name", ["secret.txt", "secret.raw", "other.wav"])
def test_a_reference_that_was_not_measured_is_left_out(name, runs, heard, tmp_path):
    secret = tmp_path / name
    if secret.suffix == ".wav":
        write_audio(secret, NOISE)
    else:
        secret.write_text("secret")
    point_references_to(runs[1], secret)
    files, err = heard()
    assert kinds_of(files) == ["base.wav"] * 2 + ["candidate.wav"] * 2
    assert err.count("\n") == 1
    assert f"left out of {tmp_path / 'worst'}: {secret}" in err
    assert all(b"secret" not in path.read_bytes() for path in files.values())


@pytest.mark.parametrize("linked", ["file", "folder"])
def test_kept_audio_from_outside_the_run_is_left_out(linked, runs, heard, tmp_path):
    kept = sorted((runs[1] / "audio").rglob("*.wav"))
    write_audio(tmp_path / "other.wav", NOISE)
    if linked == "folder":
        (runs[1] / "audio").rename(tmp_path / "outside")
        (runs[1] / "audio").symlink_to(tmp_path / "outside")
    else:
        for path in kept:
            path.unlink()
            path.symlink_to(tmp_path / "other.wav")
    files, err = heard()
    assert kinds_of(files) == ["base.wav"] * 2 + ["reference.wav"] * 2
    assert err.count("leads out of its run folder") == 2


def test_kept_audio_that_is_none_is_left_out(runs, heard):
    for path in (runs[1] / "audio").rglob("*.wav"):
        path.write_text("secret")
    files, err = heard()
    assert kinds_of(files) == ["base.wav"] * 2 + ["reference.wav"] * 2
    assert err.count("not a readable audio file") == 2
