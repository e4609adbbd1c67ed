"""Utterances to train on, and speakers kept apart."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codecbench.adapters.training.corpora import divide, gather
from codecbench.corpora.base import Utterance
from codecbench.errors import UserError


def utterances(counts):
    return [
        Utterance(f"{speaker}-{n}", "folder", "mine", f"s{speaker}")
        for speaker, count in enumerate(counts)
        for n in range(count)
    ]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.integers(1, 4), min_size=2, max_size=9), st.randoms())
def test_reserved_speakers_are_apart_and_do_not_depend_on_order(counts, chance):
    found = utterances(counts)
    reserved = chance.randint(0, len(counts) - 1)
    data = divide(found, reserved, "librispeech")
    apart = data.speakers(data.reserved).get("librispeech", [])
    assert len(apart) == reserved
    assert not set(apart) & set(data.speakers(data.training)["librispeech"])
    assert len(data.training) + len(data.reserved) == len(found)
    shuffled = random.Random(1).sample(found, len(found))
    assert divide(shuffled, reserved, "librispeech").reserved == data.reserved


def test_more_speakers_stay_reserved_as_data_grows():
    few, many = divide(utterances([1] * 9), 3, None), divide(utterances([2] * 9), 3, None)
    assert few.speakers(few.reserved) == many.speakers(many.reserved)


def test_reserved_utterances_come_speaker_by_speaker_in_turn():
    data = divide(utterances([3] * 6), 4, None)
    assert len({item.speaker for item in data.reserved[:4]}) == 4


def test_speakers_are_known_under_the_corpus_whose_readers_they_are():
    reader = Utterance("1", "libritts", "dev-clean", "84")
    data = divide([reader, Utterance("2", "libritts", "dev-clean", "85")], 1, None)
    assert set(data.speakers(data.training)) == {"librispeech"}


def test_all_speakers_cannot_be_reserved():
    with pytest.raises(UserError, match=r"data.reserved_speakers: 3 cannot be reserved of 3"):
        divide(utterances([2, 2, 2]), 3, None)


def test_relative_folders_are_found_below_the_data_root(speech, monkeypatch):
    monkeypatch.setenv("CODECBENCH_DATA", str(speech.parent))
    assert len(gather([f"folder:{speech.name}"], None)) == 10
    assert len(gather([f"folder:path={speech.name},label=x"], speech.parent)) == 10


def test_the_same_utterance_twice_is_refused(speech):
    with pytest.raises(UserError, match="is there twice"):
        gather([f"folder:{speech}", f"folder:{speech}"], None)
