"""``codecbench measure``: what is said on stderr beside the numbers."""

import json

import pytest

from codecbench.audio import Audio, write_audio
from codecbench.cli.main import main
from codecbench.metrics.asr import PocketsphinxRecogniser


@pytest.fixture
def command(capsys):
    """Run ``measure`` on a file against itself; return exit status, JSON and stderr."""

    def call(path, *arguments):
        with pytest.raises(SystemExit) as ended:
            main(["measure", str(path), str(path), "--format", "json", *arguments])
        said = capsys.readouterr()
        return ended.value.code, json.loads(said.out), said.err

    return call


@pytest.fixture
def speech(tmp_path):
    tone = [0.3 if (n // 50) % 2 else -0.3 for n in range(16000)]
    write_audio(tmp_path / "a.wav", Audio(tone, 16000))
    return tmp_path / "a.wav"


def test_pocketsphinx_is_said_to_be_a_smoke_test(command, speech, monkeypatch):
    monkeypatch.setattr(PocketsphinxRecogniser, "transcribe", lambda *_: "red car")
    arguments = ("-m", "wer:asr=pocketsphinx", "--transcript", "red cat", "--language", "en")
    status, values, said = command(speech, *arguments)
    assert (status, values) == (0, {"wer": 0.5})
    assert said.splitlines() == ["codecbench: wer: smoke test only (pocketsphinx)"]


def test_a_column_that_was_asked_for_and_means_nothing_has_a_reason(command, speech):
    status, values, said = command(speech, "-m", "wer:asr=pocketsphinx,stoi")
    assert (status, values["wer"]) == (0, None)
    assert "wer:language=en" in said
    assert values["stoi"] == pytest.approx(1.0)


def test_folders_are_matched_by_name_and_what_has_no_partner_is_said(tmp_path, speech, capsys):
    first, second = tmp_path / "first", tmp_path / "second"
    for folder, names in ((first, "ab"), (second, "ac")):
        for name in names:
            write_audio(folder / f"{name}.wav", Audio([0.1, -0.1] * 4000, 16000))
    with pytest.raises(SystemExit) as ended:
        main(["measure", str(first), str(second), "-m", "si_sdr", "--format", "json"])
    said = capsys.readouterr()
    assert ended.value.code == 1
    found = json.loads(said.out)
    assert found["pairs"] == {"a": {"si_sdr": 100.0}, "b": {"si_sdr": None}}
    assert (found["mean"], found["n"]) == ({"si_sdr": 100.0}, {"si_sdr": 1})
    assert "c has no reference" in said.err
    assert "b: si_sdr: there is no decoded file for b" in said.err
