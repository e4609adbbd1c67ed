"""Counts against published ones, broken files, wrong rates."""

import numpy as np
import pytest

from codecbench import load_corpus
from codecbench.audio import Audio, write_audio
from codecbench.corpora.librispeech import LibriSpeech
from codecbench.corpora.official import SplitCount
from codecbench.data.verify import verify


@pytest.fixture
def root(tmp_path):
    for number in range(4):
        path = tmp_path / f"LibriSpeech/test-clean/1/2/1-2-000{number}.flac"
        write_audio(path, Audio(0.1 * np.sin(np.arange(36000)), 16000))
    (tmp_path / "LibriSpeech/test-clean/1/2/1-2.trans.txt").write_text("1-2-0000 HELLO\n")
    return tmp_path


@pytest.fixture
def corpus(root, monkeypatch):
    published = {"test-clean": SplitCount(4, 1, 0.0025)}
    monkeypatch.setattr(LibriSpeech, "published", published)
    return load_corpus("librispeech:test-clean", root)


@pytest.mark.parametrize("decode", [False, True])
def test_a_whole_corpus(corpus, decode):
    steps = []
    report = verify(corpus, decode, lambda *step: steps.append(step))
    assert report.is_complete
    assert report.decoded is decode
    (split,) = report.splits
    assert (split.utterances, split.speakers, split.transcripts) == (4, 1, 1)
    assert split.hours == pytest.approx(4 * 2.25 / 3600)
    assert split.sample_rates == (16000,)
    assert steps[-1] == ("reading", 4, 4)


def test_missing_files_are_counted(corpus, root):
    (root / "LibriSpeech/test-clean/1/2/1-2-0003.flac").unlink()
    report = verify(corpus)
    assert not report.is_complete
    assert report.splits[0].differences == ("3 of 4 utterances", "0.00 of 0.00 hours")


def test_files_without_a_header_are_broken(corpus, root):
    path = root / "LibriSpeech/test-clean/1/2/1-2-0001.flac"
    path.write_bytes(b"not audio")
    report = verify(corpus)
    assert [item.path for item in report.broken] == [path]
    assert str(path) in report.broken[0].reason
    assert "\n" not in report.broken[0].reason
    assert not report.is_complete


def test_a_file_cut_short_shows_when_decoded(corpus, root):
    path = root / "LibriSpeech/test-clean/1/2/1-2-0001.flac"
    path.write_bytes(path.read_bytes()[:-2000])
    assert not verify(corpus).broken
    assert [item.path for item in verify(corpus, decode=True).broken] == [path]


def test_another_sample_rate_is_broken(corpus, root):
    path = root / "LibriSpeech/test-clean/1/2/1-2-0001.flac"
    write_audio(path, Audio(np.zeros(8000), 8000))
    (broken,) = verify(corpus).broken
    assert "8000 Hz where 16000 Hz are published" in broken.reason


def test_nothing_published_is_no_difference(root):
    report = verify(load_corpus(f"folder:{root}"))
    assert report.splits[0].differences == ()
    assert report.is_complete


def test_the_demo_is_whole():
    for spec in ("demo", "demo:language=en", "demo:language=zh"):
        assert verify(load_corpus(spec), decode=True).is_complete


def test_real_data_is_readable(data_root):
    """A sample of the corpora: every file must decode, counts differ from the published ones."""
    report = verify(load_corpus("librispeech:test-clean", data_root), decode=True)
    assert not report.broken
    assert report.splits[0].published.utterances == 2620
