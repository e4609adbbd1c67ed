"""Official layouts on small copies: splits, transcripts, speakers, and what is refused."""

import tracemalloc

import pytest

import codecbench
from codecbench.corpora import official
from codecbench.errors import UnavailableError, UserError


@pytest.fixture(autouse=True)
def _no_other_roots(monkeypatch, tmp_path):
    monkeypatch.delenv("CODECBENCH_DATA", raising=False)
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(tmp_path / "cache" / name))


def listed(spec, root):
    return codecbench.load_corpus(spec, root).utterances()


class TestLibriSpeech:
    @pytest.fixture
    def root(self, place, tmp_path):
        place("LibriSpeech/test-other/9/8/9-8-0001.flac")
        place("LibriSpeech/test-clean/61/70968/61-70968-0001.flac")
        place("LibriSpeech/test-clean/61/70968/61-70968-0000.flac")
        place("LibriSpeech/test-clean/61/70968/._61-70968-0000.flac", "junk of macOS")
        place(
            "LibriSpeech/test-clean/61/70968/61-70968.trans.txt",
            "61-70968-0000 HE BEGAN A CONFUSED COMPLAINT\n\n",
        )
        return tmp_path

    def test_lists_both_test_splits_sorted(self, root):
        found = listed("librispeech", root)
        assert [(u.split, u.id, u.speaker, u.transcript) for u in found] == [
            ("test-clean", "61-70968-0000", "61", "HE BEGAN A CONFUSED COMPLAINT"),
            ("test-clean", "61-70968-0001", "61", None),
            ("test-other", "9-8-0001", "9", None),
        ]
        assert {u.language for u in found} == {"en"}
        assert {u.corpus for u in found} == {"librispeech"}

    def test_spec_is_canonical_and_sweeps_over_splits(self, root):
        assert codecbench.load_corpus("librispeech").spec == "librispeech:split=test"
        assert (
            codecbench.load_corpus("librispeech:test-other").spec == "librispeech:split=test-other"
        )
        assert [u.id for u in listed("librispeech:split=test-other", root)] == ["9-8-0001"]

    def test_unknown_split_lists_the_splits(self, root):
        with pytest.raises(UserError, match=r"test-clean.*train-other-500"):
            listed("librispeech:split=test-dirty", root)

    def test_missing_corpus_names_places_and_command(self, tmp_path, monkeypatch):
        monkeypatch.setenv("CODECBENCH_DATA", f"{tmp_path}/one:{tmp_path}/two")
        (tmp_path / "given").mkdir()
        with pytest.raises(UnavailableError) as caught:
            listed("librispeech", tmp_path / "given")
        message = str(caught.value)
        for place_name in ("given", "one", "two", "cache"):
            assert str(tmp_path / place_name) in message
        assert "`codecbench data fetch librispeech --split test-clean`" in message
        assert "\n" not in message

    def test_a_missing_split_is_not_silently_left_out(self, root):
        (root / "LibriSpeech/test-other/9/8/9-8-0001.flac").unlink()
        with pytest.raises(UserError, match="holds no audio of split test-other"):
            listed("librispeech", root)

    def test_misplaced_file_is_named(self, root, place):
        place("LibriSpeech/test-clean/61/70968/62-70968-0000.flac")
        with pytest.raises(UserError, match=r"62-70968-0000\.flac is not where"):
            listed("librispeech", root)

    def test_malformed_transcript_has_file_and_line(self, root, place):
        place("LibriSpeech/test-clean/61/70968/61-70968.trans.txt", "61-70968-0000 OK\nwhat\n")
        with pytest.raises(UserError, match=r"trans\.txt:2: expected"):
            listed("librispeech", root)

    def test_transcript_that_is_not_utf8(self, root):
        path = root / "LibriSpeech/test-clean/61/70968/61-70968.trans.txt"
        path.write_bytes(b"61-70968-0000 \xff\xfe\n")
        with pytest.raises(UserError, match="not UTF-8"):
            listed("librispeech", root)

    def test_listing_reads_no_audio(self, root):
        for path in root.rglob("*.flac"):
            path.write_bytes(b"")
        assert len(listed("librispeech", root)) == 3

    def test_order_of_the_file_system_does_not_matter(self, root, monkeypatch):
        before = [u.key for u in listed("librispeech", root)]
        natural = official._children
        monkeypatch.setattr(
            official, "_children", lambda folder, pattern: natural(folder, pattern)[::-1]
        )
        assert [u.key for u in listed("librispeech", root)] == before

    def test_splits_may_lie_in_different_roots(self, root, place, monkeypatch):
        place("elsewhere/LibriSpeech/dev-clean/1/2/1-2-0003.flac")
        monkeypatch.setenv("CODECBENCH_DATA", str(root / "elsewhere"))
        assert [u.id for u in listed("librispeech:dev-clean", root)] == ["1-2-0003"]

    def test_the_root_may_be_the_corpus_itself(self, root):
        assert len(listed("librispeech", root / "LibriSpeech")) == 3

    def test_a_folder_that_cannot_be_read_is_an_error(self, root, monkeypatch):
        def refuse(self):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr("pathlib.Path.iterdir", refuse)
        with pytest.raises(UserError, match="cannot be listed"):
            listed("librispeech", root)


class TestLibriTTS:
    def test_reads_the_normalised_text(self, place, tmp_path):
        stem = "LibriTTS/test-clean/5683/32879/5683_32879_000029_000001"
        place(f"{stem}.wav", rate=24000)
        place(f"{stem}.normalized.txt", "Mister Smith\nleft. ")
        place(f"{stem}.original.txt", "Mr. Smith left.")
        place(stem.replace("000001", "000002") + ".wav", rate=24000)
        one, other = listed("libritts:split=test-clean", tmp_path)
        assert (one.id, one.speaker) == ("5683_32879_000029_000001", "5683")
        assert one.transcript == "Mister Smith left."
        assert other.transcript is None

    def test_misplaced_file_is_named(self, place, tmp_path):
        place("LibriTTS/test-clean/5683/32879/other.wav")
        with pytest.raises(UserError, match=r"other\.wav"):
            listed("libritts:test-clean", tmp_path)


class TestLJSpeech:
    def test_prefers_the_normalised_column(self, place, tmp_path):
        for number in (1, 2, 3):
            place(f"LJSpeech-1.1/wavs/LJ001-000{number}.wav", rate=22050)
        place(
            "LJSpeech-1.1/metadata.csv",
            'LJ001-0001|in 1465 "so"|in fourteen sixty-five "so"\nLJ001-0002|plain\n',
        )
        found = listed("ljspeech", tmp_path)
        assert [u.transcript for u in found] == ['in fourteen sixty-five "so"', "plain", None]
        assert {(u.split, u.speaker) for u in found} == {("all", "LJ")}

    def test_transcripts_may_be_missing(self, place, tmp_path):
        place("LJSpeech-1.1/wavs/LJ001-0001.wav")
        assert [u.transcript for u in listed("ljspeech", tmp_path)] == [None]

    def test_malformed_metadata(self, place, tmp_path):
        place("LJSpeech-1.1/wavs/LJ001-0001.wav")
        place("LJSpeech-1.1/metadata.csv", "LJ001-0001\n")
        with pytest.raises(UserError, match=r"metadata\.csv:1"):
            listed("ljspeech", tmp_path)

    def test_folder_without_wavs(self, place, tmp_path):
        place("LJSpeech-1.1/README", "x")
        with pytest.raises(UserError, match=r"expected wavs/\*\.wav"):
            listed("ljspeech", tmp_path)


class TestAishell1:
    TRANSCRIPT = "data_aishell/transcript/aishell_transcript_v0.8.txt"

    @pytest.mark.parametrize(
        "text", ["甚至 出现 交易 几乎 停滞 的 情况", "甚至出现交易几乎停滞的情况"]
    )
    def test_segmented_and_unsegmented_text_are_the_same(self, place, tmp_path, text):
        place("data_aishell/wav/test/S0764/BAC009S0764W0121.wav")
        place(self.TRANSCRIPT, f"BAC009S0764W0121 {text}\n")
        (found,) = listed("aishell1", tmp_path)
        assert (found.speaker, found.language, found.split) == ("S0764", "zh", "test")
        assert found.transcript == "甚至出现交易几乎停滞的情况"

    def test_spaces_between_latin_words_stay(self, place, tmp_path):
        place("data_aishell/wav/test/S0764/BAC009S0764W0121.wav")
        place(self.TRANSCRIPT, "BAC009S0764W0121 苹果 iPhone six 发布\n")
        (found,) = listed("aishell1", tmp_path)
        assert found.transcript == "苹果iPhone six发布"

    def test_archives_that_are_still_packed(self, place, tmp_path):
        place("data_aishell/wav/S0764.tar.gz", "not opened")
        with pytest.raises(UserError, match=r"holds 1 archives of single speakers"):
            listed("aishell1", tmp_path)

    def test_absent(self, tmp_path):
        with pytest.raises(UnavailableError, match="`codecbench data fetch aishell1`"):
            listed("aishell1", tmp_path)


class TestVctk:
    @pytest.fixture
    def root(self, place, tmp_path):
        top = "VCTK-Corpus-0.92"
        for name in ("p225_001_mic1", "p225_001_mic2", "p280_004_mic1", "p315_002_mic1"):
            place(f"{top}/wav48_silence_trimmed/{name[:4]}/{name}.flac", rate=48000)
        place(f"{top}/wav48_silence_trimmed/s5/s5_001_mic1.flac", rate=48000)
        place(f"{top}/wav48_silence_trimmed/log.txt", "p225_001 0.1 2.3")
        place(f"{top}/txt/p225/p225_001.txt", "Please call Stella.\n")
        place(f"{top}/txt/p280/p280_004.txt", "We also need a small plastic snake.\n")
        return tmp_path

    def test_first_microphone(self, root):
        found = listed("vctk", root)
        assert [(u.id, u.speaker, u.transcript) for u in found] == [
            ("p225_001", "p225", "Please call Stella."),
            ("p280_004", "p280", "We also need a small plastic snake."),
            ("p315_002", "p315", None),
            ("s5_001", "s5", None),
        ]

    def test_second_microphone_has_ids_of_its_own(self, root):
        (found,) = listed("vctk:mic=mic2", root)
        assert (found.id, found.transcript) == ("p225_001_mic2", "Please call Stella.")
        assert found.path.name == "p225_001_mic2.flac"


def test_duplicate_ids_are_refused(place, tmp_path):
    place("data_aishell/wav/test/S0764/BAC009S0764W0121.wav")
    place("data_aishell/wav/test/S0765/BAC009S0764W0121.wav")
    with pytest.raises(UserError, match="two files have the id 'BAC009S0764W0121'"):
        listed("aishell1", tmp_path)


def test_listing_a_large_corpus_is_lean(tmp_path):
    """5,000 files cost a few megabytes: nothing but names is kept."""
    chapter = tmp_path / "LibriSpeech/test-clean/1/2"
    chapter.mkdir(parents=True)
    for number in range(5000):
        (chapter / f"1-2-{number:04d}.flac").touch()
    tracemalloc.start()
    found = listed("librispeech:test-clean", tmp_path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found) == 5000
    assert peak < 20e6


@pytest.mark.parametrize("name", ["librispeech", "libritts", "ljspeech", "aishell1", "vctk"])
def test_cards_are_whole(name):
    corpus = codecbench.load_corpus(name)
    card = corpus.card
    assert card.name == name == corpus.name
    assert set(card.default_splits) <= set(card.splits) == set(corpus.published)
    assert set(corpus.splits()) == set(card.default_splits)
    for archive in card.archives:
        assert archive.url.startswith("https://")
        assert archive.size
        assert len(archive.md5) == 32
        assert archive.sha256 is None or len(archive.sha256) == 64
        assert set(archive.splits) <= set(card.splits)
