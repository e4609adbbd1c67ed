"""Any folder: ids, speakers, transcripts, links, and hostile contents."""

import os

import pytest

import codecbench
from codecbench.corpora import folder as folder_module
from codecbench.errors import AudioError, UserError


def listed(path, **keys):
    from codecbench.corpora.folder import Folder

    config = Folder.Config(path=str(path), **keys)
    return Folder(config).utterances()


def test_ids_speakers_and_label(place, tmp_path):
    place("mine/anna/a.wav")
    place("mine/bob/deep/b.flac")
    place("mine/top.WAV".replace("WAV", "wav"))
    place("mine/notes.txt", "not audio")
    place("mine/.hidden.wav")
    found = listed(tmp_path / "mine")
    assert [(u.id, u.speaker) for u in found] == [
        ("anna/a", "anna"),
        ("bob/deep/b", "bob"),
        ("top", "unknown"),
    ]
    assert {(u.corpus, u.split, u.transcript, u.language) for u in found} == {
        ("folder", "mine", None, None)
    }


def test_spec_takes_a_bare_path_and_keeps_it(place, tmp_path):
    place("mine/a.wav")
    corpus = codecbench.load_corpus(f"folder:{tmp_path}/mine")
    assert corpus.spec == f"folder:path={tmp_path}/mine,speakers=parent"
    assert len(corpus.utterances()) == 1
    assert codecbench.load_corpus(corpus.spec).utterances() == corpus.utterances()


def test_label_tells_two_folders_apart(place, tmp_path):
    place("x/set/a.wav")
    place("y/set/a.wav")
    one, other = listed(tmp_path / "x/set"), listed(tmp_path / "y/set", label="other")
    assert one[0].key == ("folder", "set", "a")
    assert other[0].key == ("folder", "other", "a")


@pytest.mark.parametrize(
    ("rule", "speaker"),
    [("none", "unknown"), ("parent", "s1"), (r"(\d+)$", "17"), (r"take", "take")],
)
def test_speaker_rules(place, tmp_path, rule, speaker):
    place("mine/s1/take17.wav")
    assert listed(tmp_path / "mine", speakers=rule)[0].speaker == speaker


def test_speaker_rule_that_does_not_fit(place, tmp_path):
    place("mine/a.wav")
    with pytest.raises(UserError, match="finds no speaker in 'a'"):
        listed(tmp_path / "mine", speakers=r"spk(\d+)")
    with pytest.raises(UserError, match="regular expression"):
        codecbench.load_corpus(f'folder:path={tmp_path},speakers="("')


def test_two_files_with_one_id(place, tmp_path):
    place("mine/a.wav")
    place("mine/a.flac")
    with pytest.raises(UserError, match="two files have the id 'a'"):
        listed(tmp_path / "mine")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.tsv", "id\ttext\ns/a\thello there\nb\tgood, day\n"),
        ("t.csv", 'file,text\ns/a.wav,hello there\nb.wav,"good, day"\n'),
        ("t.txt", "s/a|hello there\nb|raw|good, day\n"),
        ("t.txt", "s/a hello there\n\nb   good, day\n"),
        ("t.txt", "a hello there\nb good, day\n"),
        ("t.txt", "\ufeffa\thello there\nb\tgood, day\n"),
    ],
)
def test_transcript_formats(place, tmp_path, name, text):
    place("mine/s/a.wav")
    place("mine/b.wav")
    place("mine/c.wav")
    transcripts = place(name, text)
    found = {u.id: u.transcript for u in listed(tmp_path / "mine", transcripts=str(transcripts))}
    assert found == {"s/a": "hello there", "b": "good, day", "c": None}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("t.csv", "a,one,two\n", r"t\.csv:1: expected two columns"),
        ("t.csv", 'a,"one\n', r"t\.csv:\d"),
        ("t.tsv", "a\tone\nb\n", r"t\.tsv:2: expected an id and a text"),
        ("t.txt", "a one\na two\n", r"t\.txt:2: the id 'a' occurs twice"),
        ("t.txt", "zzz one\n", "none of its 1 ids belongs to a file.*'a'"),
        ("t.txt", "twin one\n", "'twin' fits 2 files"),
    ],
)
def test_transcript_errors(place, tmp_path, name, text, message):
    for file in ("a", "s1/twin", "s2/twin"):
        place(f"mine/{file}.wav")
    transcripts = place(name, text)
    with pytest.raises(UserError, match=message):
        listed(tmp_path / "mine", transcripts=str(transcripts))


def test_missing_transcripts_file(place, tmp_path):
    place("mine/a.wav")
    with pytest.raises(UserError, match="cannot be read"):
        listed(tmp_path / "mine", transcripts=str(tmp_path / "absent.txt"))


def test_follows_links_once_and_survives_loops(place, tmp_path):
    place("elsewhere/x.wav")
    real = place("mine/real/a.wav")
    (tmp_path / "mine/loop").symlink_to(tmp_path / "mine")
    (tmp_path / "mine/real/up").symlink_to("..")
    (tmp_path / "mine/self.wav").symlink_to("self.wav")
    (tmp_path / "mine/linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "mine/b.wav").symlink_to(real)
    found = {u.id: u for u in listed(tmp_path / "mine")}
    assert set(found) == {"b", "linked/x", "real/a", "self"}
    assert found["b"].source_audio().sha256() == found["real/a"].source_audio().sha256()
    with pytest.raises(AudioError):
        found["self"].source_audio()


def test_many_links_to_each_other_take_no_time(place, tmp_path):
    """Without memory of what was entered, 12 folders of links would be 12! paths."""
    names = [f"d{number}" for number in range(12)]
    for name in names:
        place(f"mine/{name}/{name}.wav")
        for other in names:
            (tmp_path / "mine" / name / f"to-{other}").symlink_to(tmp_path / "mine" / other)
    assert [u.id for u in listed(tmp_path / "mine")] == sorted(f"{n}/{n}" for n in names)


def test_pipes_are_passed_over(place, tmp_path):
    place("mine/a.wav")
    os.mkfifo(tmp_path / "mine/pipe.wav")
    assert [u.id for u in listed(tmp_path / "mine")] == ["a"]


def test_a_sub_folder_that_cannot_be_listed_is_refused(place, tmp_path, monkeypatch):
    place("mine/a.wav")
    place("mine/secret/b.wav")
    natural = folder_module.Path.iterdir

    def iterdir(self):
        if self.name == "secret":
            raise PermissionError(13, "Permission denied")
        return natural(self)

    monkeypatch.setattr(folder_module.Path, "iterdir", iterdir)
    with pytest.raises(UserError, match=r"secret cannot be listed \(Permission denied\)"):
        listed(tmp_path / "mine")


def test_files_that_cannot_be_decoded_are_listed_and_fail_by_name(place, tmp_path):
    place("mine/a.m4a", "not audio")
    (found,) = listed(tmp_path / "mine")
    with pytest.raises(AudioError, match=r"a\.m4a"):
        found.source_audio()


def test_name_that_is_not_utf8(place, tmp_path):
    place("mine/a.wav")
    try:
        (tmp_path / "mine" / os.fsdecode(b"\xff.wav")).touch()
    except OSError:
        pytest.skip("this file system refuses such names")
    with pytest.raises(UserError, match="not valid UTF-8"):
        listed(tmp_path / "mine")


@pytest.mark.parametrize("case", ["absent", "file", "empty"])
def test_wrong_paths(place, tmp_path, case):
    if case == "file":
        place("file", "x")
    if case == "empty":
        (tmp_path / "empty").mkdir()
    message = {"absent": "no such folder", "file": "is a file", "empty": "holds no audio"}[case]
    with pytest.raises(UserError, match=message):
        listed(tmp_path / case)


def test_path_is_required():
    with pytest.raises(UserError, match="path"):
        codecbench.load_corpus("folder")
