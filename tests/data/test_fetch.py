"""Whole fetches: archives into place, once, atomically, and never over somebody's files."""

import io
import json
import shutil
import threading
import wave
from collections import namedtuple

import numpy as np
import pytest

from codecbench import load_corpus
from codecbench.corpora.aishell1 import Aishell1
from codecbench.data import fetch as module
from codecbench.data.fetch import default_root, fetch, wanted_archives
from codecbench.data.verify import verify
from codecbench.errors import UserError

from .server import archive_of, card_of, tar_bytes
from .test_unpack import written, zip_bytes


@pytest.fixture
def card(site):
    one = tar_bytes({"Tiny/one/s/a.wav": b"1a", "Tiny/README": b"of one"})
    two = tar_bytes({"Tiny/two/s/b.wav": b"2b", "Tiny/README": b"of two"})
    return card_of(
        archive_of(site, "/r/one.tar.gz", one, ("one",)),
        archive_of(site, "/r/two.tar.gz", two, ("two",)),
    )


def audio_of(root):
    return {name: data for name, data in written(root).items() if name.endswith(".wav")}


def test_default_splits_then_others_beside_them(card, tmp_path):
    (got,) = fetch(card, root=tmp_path)
    assert (got.already, got.verified, got.folder) == (False, True, tmp_path / "Tiny")
    assert got.sha256 == card.archives[0].sha256
    assert audio_of(tmp_path) == {"Tiny/one/s/a.wav": b"1a"}
    fetch(card, ["two"], tmp_path)
    assert audio_of(tmp_path) == {"Tiny/one/s/a.wav": b"1a", "Tiny/two/s/b.wav": b"2b"}
    assert (tmp_path / "Tiny/README").read_bytes() == b"of two"
    assert not list(tmp_path.glob(".unpacking-*"))
    assert not list(tmp_path.rglob("*.tar.gz"))
    marker = json.loads((tmp_path / "Tiny/.complete-one.tar.gz.json").read_text())
    assert marker["sha256"] == card.archives[0].sha256


def test_a_second_call_downloads_nothing(card, site, tmp_path):
    fetch(card, root=tmp_path)
    asked = len(site.requests)
    (got,) = fetch(card, root=tmp_path)
    assert got.already
    assert got.verified
    assert len(site.requests) == asked


def test_a_deleted_split_is_fetched_again(card, tmp_path):
    fetch(card, root=tmp_path)
    shutil.rmtree(tmp_path / "Tiny/one")
    (got,) = fetch(card, root=tmp_path)
    assert not got.already
    assert audio_of(tmp_path) == {"Tiny/one/s/a.wav": b"1a"}


def test_archives_can_be_kept(card, tmp_path):
    fetch(card, root=tmp_path, keep_archives=True)
    assert (tmp_path / ".downloads/tiny/one.tar.gz").is_file()


def test_unpublished_checksum_is_reported(site, tmp_path):
    data = tar_bytes({"Tiny/x.wav": b"x"})
    card = card_of(archive_of(site, "/r/x.tar.gz", data, published=False))
    (got,) = fetch(card, root=tmp_path)
    assert not got.verified
    assert len(got.sha256) == 64


def test_archive_without_top_folder(site, tmp_path):
    data = zip_bytes({"txt/p1/a.txt": b"text", "wav48/p1/a.flac": b"audio"})
    fetch(card_of(archive_of(site, "/r/x.zip", data)), root=tmp_path)
    assert {"Tiny/txt/p1/a.txt", "Tiny/wav48/p1/a.flac"} <= set(written(tmp_path))


def test_wrong_bytes_leave_nothing_behind(card, site, tmp_path):
    site.files["/r/one.tar.gz"] = site.files["/r/one.tar.gz"][:-1] + b"!"
    with pytest.raises(UserError, match="not the published file"):
        fetch(card, root=tmp_path)
    assert not (tmp_path / "Tiny").exists()
    assert not list(tmp_path.rglob("*.tar.gz*"))


def test_hostile_archive_leaves_nothing_in_place(site, tmp_path):
    data = tar_bytes({"Tiny/one/a.wav": b"ok", "../victim": b"evil"})
    card = card_of(archive_of(site, "/r/one.tar.gz", data, ("one",)))
    with pytest.raises(UserError, match=r"refused, member '\.\./victim'"):
        fetch(card, root=tmp_path / "root")
    assert not (tmp_path / "victim").exists()
    assert not (tmp_path / "root/Tiny").exists()
    assert not list((tmp_path / "root").glob(".unpacking-*"))


@pytest.mark.parametrize("moment", ["unpack", "_move", "write_text_atomic"])
def test_killed_at_any_moment_the_same_call_continues(card, tmp_path, monkeypatch, moment):
    natural = getattr(module, moment)
    calls = []

    def killed(*arguments):
        calls.append(arguments)
        natural(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(module, moment, killed)
    with pytest.raises(KeyboardInterrupt):
        fetch(card, root=tmp_path)
    assert len(calls) == 1
    (tmp_path / ".unpacking-tiny-0123").mkdir()
    monkeypatch.setattr(module, moment, natural)
    fetch(card, root=tmp_path)
    assert audio_of(tmp_path) == {"Tiny/one/s/a.wav": b"1a"}
    assert (tmp_path / "Tiny/.complete-one.tar.gz.json").is_file()
    assert not list(tmp_path.glob(".unpacking-*"))


def test_files_of_the_user_are_not_overwritten(card, site, tmp_path):
    mine = tmp_path / "Tiny/one/mine.wav"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"precious")
    with pytest.raises(UserError, match="is there already, not fetched by this command"):
        fetch(card, root=tmp_path)
    assert mine.read_bytes() == b"precious"
    assert site.requests == []


def test_an_archive_with_another_split_does_not_overwrite_it(card, site, tmp_path):
    fetch(card, root=tmp_path)
    data = tar_bytes({"Tiny/two/b.wav": b"b", "Tiny/one/a.wav": b"evil"})
    other = card_of(archive_of(site, "/r/two.tar.gz", data, ("two",)))
    with pytest.raises(UserError, match="is not overwritten"):
        fetch(other, ["two"], tmp_path)
    assert (tmp_path / "Tiny/one/s/a.wav").read_bytes() == b"1a"


def test_too_little_room_is_told_before_downloading(card, site, tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    free = int(card.archives[0].size * 3)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage(10**9, 0, free))
    with pytest.raises(UserError, match="are needed to fetch tiny"):
        fetch(card, root=tmp_path)
    assert site.requests == []


def test_two_processes_do_not_fetch_the_same(card, site, tmp_path):
    entered, leave = threading.Event(), threading.Event()

    def slow(stage, done, total):
        entered.set()
        leave.wait(10)

    first = threading.Thread(target=fetch, args=(card, (), tmp_path, slow))
    first.start()
    try:
        assert entered.wait(10)
        with pytest.raises(UserError, match=r"being fetched into .* by another process"):
            fetch(card, root=tmp_path)
    finally:
        leave.set()
        first.join()
    assert fetch(card, root=tmp_path)[0].already


def test_wrong_requests(card, tmp_path):
    with pytest.raises(UserError, match="no split three"):
        fetch(card, ["three"], tmp_path)
    with pytest.raises(UserError, match="demo cannot be fetched"):
        fetch("demo", root=tmp_path)
    with pytest.raises(UserError, match="unknown corpus"):
        fetch("librispeach", root=tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be made"):
        fetch(card, root=tmp_path / "file")


def test_default_root(monkeypatch, tmp_path):
    monkeypatch.setenv("CODECBENCH_DATA", f"{tmp_path}/a:{tmp_path}/b")
    assert default_root() == tmp_path / "a"
    monkeypatch.delenv("CODECBENCH_DATA")
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: f"{tmp_path}/cache/{name}")
    assert default_root() == tmp_path / "cache/codecbench/data"


def test_official_cards_ask_for_their_test_splits_only():
    names = {
        name: [archive.url.rsplit("/", 1)[1] for archive in wanted_archives(load_corpus(name).card)]
        for name in ("librispeech", "libritts", "aishell1", "ljspeech", "vctk")
    }
    assert names == {
        "librispeech": ["test-clean.tar.gz", "test-other.tar.gz"],
        "libritts": ["test-clean.tar.gz", "test-other.tar.gz"],
        "aishell1": ["data_aishell.tgz"],
        "ljspeech": ["LJSpeech-1.1.tar.bz2"],
        "vctk": ["VCTK-Corpus-0.92.zip"],
    }


def _wav(seconds, rate=16000):
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        tone = 3000 * np.sin(np.arange(int(seconds * rate)) / 10)
        file.writeframes(tone.astype("<i2").tobytes())
    return buffer.getvalue()


def test_aishell_from_nested_archives_to_utterances(site, tmp_path):
    """The published archive holds one archive a speaker, with the split inside."""
    spoken = {"test": "S0764", "train": "S0002"}
    outer = {
        f"data_aishell/wav/{speaker}.tar.gz": tar_bytes(
            {f"{split}/{speaker}/BAC009{speaker}W0121.wav": _wav(1)}
        )
        for split, speaker in spoken.items()
    }
    text = "BAC009S0764W0121 甚至 出现 交易\nBAC009S0002W0121 一 二 线\n"
    outer["data_aishell/transcript/aishell_transcript_v0.8.txt"] = text.encode()
    card = card_of(
        archive_of(site, "/r/data_aishell.tgz", tar_bytes(outer)),
        folder="data_aishell",
        splits=("train", "dev", "test"),
        default=("test",),
    )
    fetch(card, root=tmp_path)
    assert not list(tmp_path.rglob("*gz"))
    (found,) = Aishell1(data_roots=(tmp_path,)).utterances()
    assert (found.id, found.speaker) == ("BAC009S0764W0121", "S0764")
    assert found.transcript == "甚至出现交易"
    assert found.source_audio().seconds == 1
    report = verify(Aishell1(data_roots=(tmp_path,)))
    assert report.splits[0].differences == ("1 of 7176 utterances", "1 of 20 speakers")
