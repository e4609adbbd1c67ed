"""The bundled corpus: files as the manifest says, and as the script makes them."""

import hashlib
import importlib.util
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import codecbench
from codecbench.corpora.demo import COLUMNS, DATA, read_manifest

SCRIPT = Path(__file__).parents[2] / "tools" / "make_demo_corpus.py"


@pytest.fixture(scope="module")
def utterances():
    return codecbench.load_corpus("demo").utterances()


def test_shipped_files_are_those_of_the_manifest():
    rows = read_manifest()
    assert tuple(rows[0]) == COLUMNS
    files = {row["id"]: DATA / "test" / row["speaker"] / f"{row['id']}.flac" for row in rows}
    assert set(files.values()) == set(DATA.rglob("*.flac"))
    for row in rows:
        assert hashlib.sha256(files[row["id"]].read_bytes()).hexdigest() == row["sha256"]
        transcripts = (files[row["id"]].parent / f"{row['speaker']}.trans.txt").read_text("utf-8")
        assert f"{row['id']} {row['transcript']}\n" in transcripts


def test_size_and_shape(utterances):
    assert 30 <= len(utterances) <= 40
    assert len({u.speaker for u in utterances}) >= 8
    assert {u.language for u in utterances} == {"en", "zh"}
    assert all(u.transcript for u in utterances)
    assert sum(path.stat().st_size for path in DATA.rglob("*") if path.is_file()) < 4e6
    assert (DATA / "README.md").is_file()


def test_all_load_as_clean_speech(utterances):
    for utterance in utterances:
        audio = utterance.source_audio()
        assert audio.sample_rate == 16000
        assert 2 <= audio.seconds <= 8
        level = 10 * np.log10(np.mean(audio.samples.astype(np.float64) ** 2))
        assert level == pytest.approx(-26, abs=0.1)
        assert np.abs(audio.samples).max() < 0.95
    hashes = {u.source_audio().sha256() for u in utterances}
    assert len(hashes) == len(utterances)


def test_languages_can_be_chosen(utterances):
    english = codecbench.load_corpus("demo:language=en").utterances()
    mandarin = codecbench.load_corpus("demo:language=zh").utterances()
    assert sorted([*english, *mandarin], key=lambda u: u.id) == utterances
    assert {u.language for u in mandarin} == {"zh"}
    assert codecbench.load_corpus("demo").spec == "demo:split=test,language=all"


def _version(package):
    query = ["dpkg-query", "-W", "-f", "${Version}", package]
    if shutil.which("dpkg-query") is None:
        return ""
    return subprocess.run(query, capture_output=True, text=True, check=False).stdout


def test_the_script_makes_the_shipped_samples():
    if not _version("flite").startswith("2.2-5") or not _version("espeak-ng").startswith("1.51+"):
        pytest.skip("other versions of flite and espeak-ng than the corpus was made with")
    spec = importlib.util.spec_from_file_location("make_demo_corpus", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    shipped = {u.id: u for u in codecbench.load_corpus("demo").utterances()}
    assert {voice.speaker for voice in script.VOICES} == {u.speaker for u in shipped.values()}
    for voice in script.VOICES:
        for number, text in enumerate(voice.sentences, 1):
            utterance = shipped[f"{voice.speaker}-{number:03d}"]
            assert utterance.transcript == text
            made, audio = script.synthesize(voice, text), utterance.source_audio()
            assert len(made) == len(audio)
            # One quantization step: resampling may round otherwise on another processor.
            assert np.abs(made.samples - audio.samples).max() <= 1 / 32768
