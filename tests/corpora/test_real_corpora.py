"""Every corpus against the real files: ids, speakers and transcripts as the manifest has them."""

import csv

import pytest

import codecbench

FOLDERS = {
    "librispeech": "LibriSpeech",
    "libritts": "LibriTTS",
    "ljspeech": "LJSpeech",
    "aishell1": "AISHELL-1",
    "vctk": "VCTK",
}


@pytest.fixture(scope="module")
def manifest(data_root):
    path = data_root / "manifest.csv"
    if not path.is_file():
        pytest.skip("the data folder has no manifest.csv to compare with")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("librispeech", "test-clean"),
        ("librispeech", "test-other"),
        ("librispeech", "dev-clean"),
        ("librispeech", "train-clean-100"),
        ("libritts", "test-clean"),
        ("libritts", "test-other"),
        ("ljspeech", "all"),
        ("aishell1", "test"),
        ("aishell1", "dev"),
        ("vctk", "all"),
    ],
)
def test_lists_exactly_what_the_manifest_lists(data_root, manifest, name, split):
    rows = [row for row in manifest if (row["corpus"], row["split"]) == (FOLDERS[name], split)]
    utterances = codecbench.load_corpus(f"{name}:split={split}", data_root).utterances()
    assert len(rows) > 0
    assert {(u.id, u.speaker, str(u.path.relative_to(data_root))) for u in utterances} == {
        (row["utterance_id"], row["speaker"], row["path"]) for row in rows
    }
    assert [u.id for u in utterances] == sorted(u.id for u in utterances)
    assert {u.key[:2] for u in utterances} == {(name, split)}
    with_text = {row["utterance_id"] for row in rows if row["has_transcript"] == "1"}
    assert {u.id for u in utterances if u.transcript} == with_text
    audio = utterances[0].source_audio()
    row = next(row for row in rows if row["utterance_id"] == utterances[0].id)
    assert audio.sample_rate == int(row["sample_rate"])
    assert audio.seconds == pytest.approx(float(row["seconds"]), abs=0.01)


@pytest.mark.parametrize(
    ("name", "count", "speakers"),
    [
        ("librispeech", 79, 13),
        ("libritts", 56, 20),
        ("ljspeech", 50, 1),
        ("aishell1", 69, 15),
        ("vctk", 8, 8),
    ],
)
def test_the_default_is_the_test_splits(data_root, manifest, name, count, speakers):
    del manifest
    utterances = codecbench.load_corpus(name, data_root).utterances()
    assert len(utterances) == count
    assert len({u.speaker for u in utterances}) == speakers
    keys = [(u.split, u.id) for u in utterances]
    assert keys == sorted(keys)


def test_known_transcripts(data_root, manifest):
    del manifest

    def text(spec, name):
        found = codecbench.load_corpus(spec, data_root).utterances()
        return next(u.transcript for u in found if u.id == name)

    assert text("librispeech", "1089-134686-0000").startswith("HE HOPED THERE WOULD BE STEW FOR")
    assert text("ljspeech", "LJ001-0002") == "in being comparatively modern."
    assert text("aishell1", "BAC009S0764W0121") == "甚至出现交易几乎停滞的情况"
