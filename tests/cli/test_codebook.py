"""``codecbench codebook`` on a codec whose codes can be counted by hand."""

import csv
import io
import json

import numpy as np
import pytest

from codecbench import registry
from codecbench.audio import Audio, write_audio
from codecbench.cli.main import main
from codecbench.codec import CodecCard, TokenCodec, Tokens

FRAME, RATE = 80, 8000
CODES = 30


class Levels(TokenCodec):
    """One code of two bits and one of ten for each 80 samples: level, and always 7."""

    name = "levels"

    @property
    def card(self):
        return CodecCard(
            self.name,
            "Levels",
            "test",
            "none",
            sample_rate=RATE,
            codebook_sizes=(4, 1024),
            training_speakers=frozenset({("folder", "anna")}),
        )

    def tokenize(self, waves, lengths=None):
        frames = waves.shape[1] // FRAME
        levels = np.round(waves[:, : frames * FRAME : FRAME] * 4).astype(np.int64)
        codes = np.stack([levels, np.full_like(levels, 7)], axis=1)
        return Tokens(codes, np.array([frames]), np.array([waves.shape[1]]))

    def detokenize(self, tokens):
        return np.repeat(tokens.codes[:, 0] / 4, FRAME, axis=1).astype(np.float32)


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    """Two speakers, one file each, whose codes are 0 0 1 2 over and over."""
    found = registry.component_class

    def component_class(kind, name):
        return Levels if name == Levels.name else found(kind, name)

    monkeypatch.setattr(registry, "component_class", component_class)
    for speaker in ("anna", "bert"):
        levels = np.tile([0, 0, 1, 2], CODES) / 4
        folder = tmp_path / "speech" / speaker
        folder.mkdir(parents=True)
        write_audio(folder / "a.wav", Audio(np.repeat(levels, FRAME), RATE))
    return f"folder:{tmp_path / 'speech'}"


def call(capsys, *arguments):
    with pytest.raises(SystemExit) as done:
        main(["codebook", *arguments])
    return done.value.code, capsys.readouterr()


def test_json_holds_the_counts(corpus, capsys):
    status, printed = call(capsys, "levels", "--corpus", corpus, "--format", "json")
    assert status == 0
    found = json.loads(printed.out)
    assert (found["utterances"], found["frames"]) == (2, 8 * CODES)
    assert found["seconds"] == pytest.approx(8 * CODES / 100)
    assert found["fixed_kbps"] == pytest.approx(1.2)
    assert found["unigram_kbps"] is None
    level, constant = found["codebooks"]
    assert (level["entries"], level["used"], level["unused"]) == (4, 3, 1)
    assert level["plug_in_entropy"] == pytest.approx(1.5)
    assert level["entropy"] == pytest.approx(1.5, abs=0.01)
    # After 0 comes 0 or 1, each half of the time; after 1 and 2 it is certain: half a bit.
    assert level["conditional_entropy"] == pytest.approx(0.5, abs=0.1)
    assert (constant["used"], constant["perplexity"], constant["entropy"]) == (1, 1.0, None)
    assert any("10240 in all" in note for note in found["notes"])
    assert "1 of 2 utterances are of speakers the weights were trained on" in found["notes"]


def test_csv_has_a_record_a_codebook(corpus, capsys):
    status, printed = call(capsys, "levels", "--corpus", corpus, "--format", "csv")
    assert status == 0
    records = list(csv.DictReader(io.StringIO(printed.out)))
    assert [record["codebook"] for record in records] == ["1", "2"]
    assert [record["used"] for record in records] == ["3", "1"]
    assert records[1]["entropy"] == ""


def test_the_table_says_rates_and_what_is_not_known(corpus, capsys):
    status, printed = call(capsys, "levels", "--corpus", corpus)
    assert status == 0
    assert "without entropy coding: 1.200 kbit/s" in printed.out
    assert "2 utterances, 2.4 s, 240 frames" in printed.out
    assert "–" in printed.out
    assert "no entropy is estimated" in printed.out


def test_a_subset_is_taken(corpus, capsys):
    _, printed = call(capsys, "levels", "--corpus", corpus, "--subset", "1", "--format", "json")
    assert json.loads(printed.out)["utterances"] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["opus"], "opus has no codebooks"),
        (["levelss"], "unknown codec 'levelss'"),
        (["levels", "--corpus", "folder:/nowhere"], "/nowhere"),
    ],
)
def test_wrong_use_is_one_line(corpus, capsys, arguments, message):
    status, printed = call(capsys, *arguments)
    assert status == 2
    assert printed.out == ""
    assert message in printed.err
    assert len(printed.err.splitlines()) == 1
