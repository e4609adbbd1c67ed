"""Lists of utterances: written, read, replayed, and refused when something differs."""

import numpy as np
import pytest

from codecbench.audio import Audio, write_audio
from codecbench.corpora.base import Utterance
from codecbench.errors import UserError
from codecbench.utterance_list import ListedUtterance, read_list, replay, write_list


@pytest.fixture
def utterances(tmp_path):
    made = []
    for number, name in enumerate(("a", "b, with comma", "c")):
        path = tmp_path / f"{number}.wav"
        write_audio(path, Audio(np.full(1600 * (number + 1), 0.1 * (number + 1)), 16000))
        made.append(Utterance(name, "folder", "mine", f"s{number}", path=path))
    return made


@pytest.fixture
def listed(tmp_path, utterances):
    path = tmp_path / "utterances.csv"
    write_list(path, map(ListedUtterance.reading, utterances))
    return path


def test_columns_and_values(listed, utterances):
    lines = listed.read_text().splitlines()
    assert lines[0] == "corpus,split,id,speaker,seconds,sample_rate,sha256"
    sha256 = utterances[1].source_audio().sha256()
    assert lines[2] == f'folder,mine,"b, with comma",s1,0.200000,16000,{sha256}'


def test_round_trip(listed, utterances):
    assert read_list(listed) == [ListedUtterance.reading(item) for item in utterances]


def test_replay_picks_exactly_these_in_order(listed, utterances, tmp_path):
    assert replay(listed, utterances) == utterances
    write_list(listed, map(ListedUtterance.reading, utterances[2:0:-1]))
    assert replay(listed, utterances) == utterances[2:0:-1]


def test_missing_utterances_are_refused(listed, utterances):
    with pytest.raises(UserError, match="2 of 3 listed utterances are not in the corpora: folder"):
        replay(listed, utterances[:1])


def test_changed_audio_is_refused_by_name(listed, utterances):
    write_audio(utterances[1].path, Audio(np.full(3200, 0.3), 16000))
    with pytest.raises(UserError, match="the audio of folder/mine/b, with comma is not what"):
        replay(listed, utterances)
    assert replay(listed, utterances, check_audio=False) == utterances


def test_audio_that_has_become_unreadable_is_refused(listed, utterances):
    utterances[1].path.write_bytes(b"")
    with pytest.raises(UserError, match="b, with comma cannot be read"):
        replay(listed, utterances)


def test_the_same_sound_in_another_container_is_accepted(listed, utterances, tmp_path):
    write_audio(tmp_path / "0.flac", utterances[0].source_audio())
    moved = Utterance("a", "folder", "mine", "s0", path=tmp_path / "0.flac")
    assert replay(listed, [moved, *utterances[1:]])[0] is moved


def test_audio_that_was_unreadable_when_listed_is_not_compared(tmp_path, utterances):
    utterances[0].path.write_bytes(b"")
    path = tmp_path / "list.csv"
    write_list(path, [ListedUtterance.reading(utterances[0])])
    assert path.read_text().splitlines()[1] == "folder,mine,a,s0,,,"
    assert replay(path, utterances) == utterances[:1]


def test_plain_lists_of_ids(tmp_path, utterances):
    path = tmp_path / "ids.txt"
    path.write_text("# mine\n\nc\n  b, with comma \n")
    assert replay(path, utterances) == [utterances[2], utterances[1]]


def test_plain_id_that_is_not_unique(tmp_path, utterances):
    path = tmp_path / "ids.txt"
    path.write_text("a\n")
    twin = Utterance("a", "vctk", "all", "p1")
    with pytest.raises(UserError, match="not unique: folder/mine/a and vctk/all/a"):
        replay(path, [*utterances, twin])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "lists no utterances"),
        ("a\na\n", "a is listed twice"),
        ("corpus,split,id\nc,s,a\nc,s,a\n", "c/s/a is listed twice"),
        ("corpus,split,id,seconds\nc,s,a,long\n", r"list:2: not a row of"),
        ("corpus,split,id\nc,s\n", r"list:2: not a row of"),
        ("corpus,split,id\nc,s,a,b\n", r"list:2: not a row of"),
        ("corpus,split,id\n,s,a\n", r"list:2: .*empty"),
        ('corpus,split,id\nc,s,"a\n', r"list:\d: not a row"),
    ],
)
def test_malformed_lists(tmp_path, text, message):
    path = tmp_path / "list"
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        read_list(path)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(UserError, match="No such file"):
        read_list(tmp_path / "absent")
    path = tmp_path / "binary"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="not UTF-8"):
        read_list(path)
