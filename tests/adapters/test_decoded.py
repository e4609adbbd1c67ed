"""Folders of decoded audio: finding files, counting their rate, and hostile folders and ids."""

import os
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codecbench.adapters.decoded import folder as folder_module
from codecbench.audio import Audio, write_audio
from codecbench.bitstream import Bitstream, Packet
from codecbench.corpora.base import Utterance
from codecbench.errors import CodecError, UnavailableError, UserError
from codecbench.metrics.bitrate import Bitrate
from codecbench.protocol import look_up
from codecbench.registry import codec_of, load_codec
from codecbench.spec import Spec

from .codec_signals import voice

RATE = 16_000
AUDIO = voice(1_600, RATE)


@pytest.fixture(autouse=True)
def _nothing_is_remembered():
    folder_module.inventory.cache_clear()
    folder_module.content_hash.cache_clear()


def put(root, *names):
    for number, name in enumerate(names):
        level = 1 - number / 10
        write_audio(root / name, Audio(level * AUDIO.samples, RATE))


def load(root, **params):
    return load_codec(Spec("decoded", (("", str(root)), *((k, str(v)) for k, v in params.items()))))


def utterance(id_, corpus="c", split="s", speaker="p"):
    return Utterance(id_, corpus, split, speaker, load=lambda: AUDIO)


def level_of(found):
    return round(float(np.abs(found.audio.samples).max() / np.abs(AUDIO.samples).max()), 2)


@pytest.mark.parametrize(
    "name",
    ["a-1.wav", "a-1.flac", "x/y/z/a-1.wav", "a-1.WAV", "LibriSpeech/test-clean/a/1/a-1.flac"],
)
def test_a_file_is_found_by_id_in_any_sub_folder(tmp_path, name):
    upper = name.endswith(".WAV")
    put(tmp_path, name.lower() if upper else name, "other.wav")
    if upper:
        (tmp_path / "a-1.wav").rename(tmp_path / name)
    found = load(tmp_path).lookup(utterance("a-1"))
    assert level_of(found) == 1.0
    assert found.audio.sample_rate == RATE


def test_ids_with_dots_and_folders_are_found(tmp_path):
    put(tmp_path, "v1.2_take.3.wav", "ann/001.wav", "bob/001.wav")
    source = load(tmp_path)
    assert level_of(source.lookup(utterance("v1.2_take.3"))) == 1.0
    assert level_of(source.lookup(utterance("ann/001"))) == 0.9
    assert level_of(source.lookup(utterance("bob/001"))) == 0.8


def test_a_folder_of_an_id_is_matched_as_a_whole(tmp_path):
    put(tmp_path, "joann/001.wav")
    with pytest.raises(CodecError, match="no audio file named ann/001"):
        load(tmp_path).lookup(utterance("ann/001"))


def test_lossy_audio_is_read_where_there_is_nothing_else(tmp_path):
    import soundfile

    soundfile.write(tmp_path / "a.ogg", AUDIO.samples, RATE)
    found = load(tmp_path).lookup(utterance("a"))
    assert len(found.audio) == len(AUDIO)
    assert found.main_bits is None


@pytest.mark.parametrize(
    ("fields", "level"),
    [
        ({"speaker": "ann"}, 1.0),
        ({"speaker": "bob"}, 0.9),
        ({"split": "test-other"}, 0.8),
        ({"corpus": "vctk", "speaker": "ann"}, 0.7),
    ],
)
def test_corpus_split_and_speaker_folders_tell_equal_names_apart(tmp_path, fields, level):
    put(tmp_path, "ann/1.wav", "bob/1.wav", "test-other/x/1.wav", "vctk/1.wav")
    assert level_of(load(tmp_path).lookup(utterance("1", **fields))) == level


@pytest.mark.parametrize("names", [("x/1.wav", "y/1.wav"), ("1.flac", "1.wav")])
def test_an_ambiguous_match_names_both(tmp_path, names):
    put(tmp_path, *names)
    with pytest.raises(CodecError, match=rf"1 may be {names[0]} or {names[1]}$"):
        load(tmp_path).lookup(utterance("1"))


def test_a_missing_file_names_folder_and_id(tmp_path):
    put(tmp_path, "a.wav")
    with pytest.raises(CodecError, match=rf"^{tmp_path}: no audio file named b$"):
        load(tmp_path).lookup(utterance("b"))


def test_the_rate_is_unknown_without_files_beside_the_audio(tmp_path):
    put(tmp_path, "a.wav")
    (tmp_path / "a.txt").write_text("a transcript")
    found = load(tmp_path).lookup(utterance("a"))
    assert found.main_bits is None
    assert found.side_bits is None


@pytest.mark.parametrize(
    ("params", "beside", "columns", "note"),
    [
        ({}, None, set(), "rate: not known"),
        ({}, "a.bits", {"kbps", "kbps_main"}, "rate: counted"),
        ({}, "a.bin", {"kbps", "kbps_main"}, "rate: counted"),
        ({"kbps": 6}, None, {"kbps"}, "rate: as given"),
        ({"kbps": 6}, "a.bits", {"kbps"}, "rate: as given"),
    ],
)
def test_rates_are_shown_as_far_as_they_are_known(tmp_path, params, beside, columns, note):
    put(tmp_path, "a.wav", "b.wav")
    if beside:
        (tmp_path / beside).write_text("1")
    card = load(tmp_path, **params).card
    assert Bitrate().applicable(utterance("a"), card) == columns
    assert card.notes[0].startswith(note)


def test_a_given_rate_is_bits_over_the_references_seconds(tmp_path):
    put(tmp_path, "a.wav")
    (tmp_path / "a.bits").write_text("1")
    source = load(tmp_path, kbps=6)
    found = source.lookup(utterance("a"))
    assert (found.main_bits, found.side_bits) == (600, 0)
    assert "not counted" in source.card.notes[0]


@pytest.mark.parametrize(
    ("name", "content", "bits"),
    [
        ("a.bits", b" 1234\n", (1234, 0)),
        ("a.bits", b"0", (0, 0)),
        ("a.bin", b"12345", (40, 0)),
        ("a.opus", b"1" * 7, (56, 0)),
        ("a.SPX", b"", (0, 0)),
        (
            "a.cbs",
            Bitstream("x", 1600, RATE, (Packet(b"\x80", 3),), (Packet.whole(b"ab"),)).to_bytes(),
            (3, 16),
        ),
    ],
)
def test_the_rate_is_counted_from_what_lies_beside(tmp_path, name, content, bits):
    put(tmp_path, "deep/a.wav", "deep/b.wav", "a2.wav")
    (tmp_path / "deep" / name).write_bytes(content)
    source = load(tmp_path)
    found = source.lookup(utterance("a"))
    assert (found.main_bits, found.side_bits) == bits
    assert source.lookup(utterance("b")).main_bits is None


def test_a_number_of_bits_comes_before_a_bitstream(tmp_path):
    put(tmp_path, "a.wav")
    (tmp_path / "a.bits").write_text("7")
    (tmp_path / "a.bin").write_bytes(b"1")
    assert load(tmp_path).lookup(utterance("a")).main_bits == 7


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a.bits": b"six"}, "a.bits: holds no whole number of bits"),
        ({"a.bits": b"-5"}, "no whole number"),
        ({"a.bits": b""}, "no whole number"),
        ({"a.bits": b"1.5"}, "no whole number"),
        ({"a.bits": "\u0665".encode()}, "no whole number"),
        ({"a.bits": b"9" * 10_000}, "no whole number"),
        ({"a.cbs": b"CBS\x01 damaged"}, "a.cbs: the bitstream is damaged"),
        ({"a.bin": b"1", "a.opus": b"2"}, "both a.bin and a.opus lie beside"),
    ],
)
def test_a_malformed_rate_is_a_reason_not_a_number(tmp_path, files, message):
    put(tmp_path, "a.wav")
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(CodecError, match=message):
        load(tmp_path).lookup(utterance("a"))


def test_delay_and_label_are_on_the_card(tmp_path):
    put(tmp_path, "a.wav")
    assert load(tmp_path).card.delay_samples is None
    assert load(tmp_path).card.title == tmp_path.name
    assert load(tmp_path, delay=-40, label="ours").card.delay_samples == -40
    assert load(tmp_path, label="ours").card.title == "ours"


def test_a_declared_delay_is_removed_at_the_files_rate(tmp_path):
    late = Audio(np.pad(AUDIO.samples, (70, 0)), RATE)
    write_audio(tmp_path / "a.wav", late)
    got = look_up(load(tmp_path, delay=70), utterance("a"), None).audio
    assert len(got) == len(AUDIO)
    assert np.abs(got.samples - AUDIO.samples).max() < 1e-4


def identity_of(root):
    folder_module.inventory.cache_clear()
    folder_module.content_hash.cache_clear()
    return codec_of(f"decoded:dir={root}").identity


def change_audio(root):
    write_audio(root / "x" / "b.wav", Audio(-AUDIO.samples, RATE))


@pytest.mark.parametrize(
    "change",
    [
        change_audio,
        lambda root: put(root, "c.wav"),
        lambda root: (root / "a.wav").unlink(),
        lambda root: (root / "a.wav").rename(root / "x" / "a.wav"),
        lambda root: (root / "a.bits").write_text("2"),
        lambda root: (root / "a.bits").unlink(),
        lambda root: (root / "x" / "b.bin").write_bytes(b"1"),
    ],
)
def test_changed_files_are_another_identity(tmp_path, change):
    put(tmp_path, "a.wav", "x/b.wav")
    (tmp_path / "a.bits").write_text("1")
    before = identity_of(tmp_path)
    (tmp_path / "notes.txt").write_text("not a result")
    os.utime(tmp_path / "a.wav", (0, 0))
    assert identity_of(tmp_path) == before
    change(tmp_path)
    assert identity_of(tmp_path) != before


def test_long_files_are_hashed_by_blocks_from_first_to_last(tmp_path):
    rng = np.random.default_rng(0)
    samples = rng.uniform(-0.5, 0.5, 200_000).astype(np.float32)
    write_audio(tmp_path / "a.wav", Audio(samples, RATE))
    before = identity_of(tmp_path)
    for place in (slice(0, 100), slice(-100, None), slice(None)):
        changed = samples.copy()
        changed[place] *= -1
        write_audio(tmp_path / "a.wav", Audio(changed, RATE))
        assert identity_of(tmp_path) != before


def test_the_folder_is_listed_and_hashed_once_a_process(tmp_path, monkeypatch):
    put(tmp_path, "a.wav")
    identity = load(tmp_path).identity
    monkeypatch.setattr(os, "walk", None)
    monkeypatch.setattr(folder_module, "_sampled", None)
    again = load(tmp_path)
    assert again.identity == identity
    assert level_of(again.lookup(utterance("a"))) == 1.0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda root: root / "absent", "No such file or directory"),
        (lambda root: root / "a.wav", "is not a folder"),
        (lambda root: root / "empty", "holds no audio files"),
        (lambda root: root / "loop", "symbolic link"),
        (lambda root: root / ("x" * 5_000), "name too long"),
    ],
)
def test_what_is_no_folder_of_audio_is_unavailable(tmp_path, make, message):
    put(tmp_path, "a.wav")
    (tmp_path / "empty").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(UnavailableError, match=message) as caught:
        load(make(tmp_path))
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "spec",
    [
        "decoded",
        "decoded:dir=",
        'decoded:"a\0b"',
        "decoded:/x,kbps=-1",
        "decoded:/x,kbps=nan",
        "decoded:/x,delay=soon",
        "decoded:/x,unknown=1",
    ],
    ids=ascii,
)
def test_a_wrong_spec_is_a_users_error(spec):
    with pytest.raises(UserError):
        codec_of(spec)


def test_loops_pipes_and_broken_links_are_passed_over(tmp_path):
    root = tmp_path / "root"
    put(tmp_path, "outside/secret.wav", "root/sub/a.wav")
    (root / "sub" / "up").symlink_to(root)
    (root / "out").symlink_to(tmp_path / "outside")
    (root / "self.wav").symlink_to(root / "self.wav")
    (root / "gone.wav").symlink_to(root / "nowhere.wav")
    os.mkfifo(root / "pipe.wav")
    (root / "folder.wav").mkdir()
    source = load(root)
    assert level_of(source.lookup(utterance("a"))) == 0.9
    for name in ("secret", "self", "gone", "pipe", "folder"):
        with pytest.raises(CodecError, match="no audio file named"):
            source.lookup(utterance(name))


def test_a_link_to_a_file_is_that_file(tmp_path):
    put(tmp_path, "store/1.wav")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "a.wav").symlink_to(tmp_path / "store" / "1.wav")
    assert level_of(load(tmp_path / "root").lookup(utterance("a"))) == 1.0


HOSTILE = [
    *("../outside", "sub/../../outside", "a/../a", "/etc/passwd", "./a", "//a", "a/", "/"),
    *("..", ".", "", "a\0", "\0", "a\n", "x" * 9_999, "~", "*", "a.wav", "\ud800"),
]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    top = tmp_path_factory.mktemp("top")
    put(top, "outside.wav", "root/a.wav", "root/sub/b.wav")
    return top / "root"


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_hostile_ids_find_nothing(guarded, name):
    with pytest.raises(CodecError, match="no audio file named") as caught:
        load(guarded).lookup(utterance(name))
    assert str(caught.value).isprintable()


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet="ab/.\0\n~ soutide", max_size=20))
def test_an_id_finds_a_file_only_if_it_ends_the_files_name(guarded, name):
    source = load(guarded)
    if name in ("a", "b", "sub/b"):
        source.lookup(utterance(name))
        return
    with pytest.raises(CodecError):
        source.lookup(utterance(name))


def test_a_file_that_is_no_audio_is_a_reason(tmp_path):
    put(tmp_path, "a.wav")
    (tmp_path / "b.wav").write_text("text")
    (tmp_path / "c.wav").touch()
    source = load(tmp_path)
    for name in "bc":
        with pytest.raises(CodecError, match=rf"{name}\.wav: "):
            source.lookup(utterance(name))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
def test_unreadable_files_and_folders_are_reasons(tmp_path):
    put(tmp_path, "a.wav", "b.wav", "shut/c.wav")
    (tmp_path / "b.wav").chmod(0)
    source = load(tmp_path)
    assert len(source.identity) == 16
    with pytest.raises(CodecError, match="Permission denied"):
        source.lookup(utterance("b"))
    (tmp_path / "shut").chmod(0)
    folder_module.inventory.cache_clear()
    try:
        with pytest.raises(UnavailableError, match="shut: Permission denied"):
            load(tmp_path)
    finally:
        (tmp_path / "shut").chmod(0o700)


@pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes are Linux's")
def test_names_that_are_no_text_do_not_disturb(tmp_path):
    put(tmp_path, "a.wav", "b.wav")
    (tmp_path / "b.wav").rename(tmp_path / os.fsdecode(b"b\xff\n.wav"))
    source = load(tmp_path)
    assert len(source.identity) == 16
    assert level_of(source.lookup(utterance("a"))) == 1.0
