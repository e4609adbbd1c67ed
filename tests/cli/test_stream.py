"""``codecbench stream``: chunk by chunk, measured."""

import csv
import json
import sys
import types

import numpy as np
import pytest

from codecbench import load_codec
from codecbench.audio import Audio, read_audio, write_audio
from codecbench.cli.main import main

SPEC = "svcodec:kbps=1"


@pytest.fixture
def speech(tmp_path):
    noise = np.random.default_rng(0).standard_normal(8123)
    path = tmp_path / "speech.wav"
    write_audio(path, Audio(0.2 * np.convolve(noise, np.hanning(9) / 9, "same"), 8000))
    return path


def call(capsys, *arguments):
    with pytest.raises(SystemExit) as done:
        main(["stream", *map(str, arguments)])
    return done.value.code, capsys.readouterr()


def summary(capsys, *arguments):
    code, said = call(capsys, *arguments, "--format", "json")
    assert code == 0, said.err
    return json.loads(said.out)


@pytest.mark.parametrize("chunk_ms", [None, 3, 20, 47.5, 5000])
def test_what_is_heard_is_what_the_codec_decodes(speech, tmp_path, capsys, chunk_ms):
    out = tmp_path / "heard.wav"
    chunking = [] if chunk_ms is None else ["--chunk-ms", chunk_ms]
    found = summary(capsys, SPEC, "--in", speech, "--out", out, *chunking)
    codec = load_codec(SPEC)
    audio = read_audio(speech)
    whole = codec.detokenize(codec.tokens([codec.encode(audio)]))[0]
    heard = read_audio(out).samples
    assert len(heard) == len(whole) >= len(audio) + codec.card.delay_samples
    np.testing.assert_allclose(heard, np.clip(whole, -1, 1), atol=1e-4)
    size = 160 if chunk_ms is None else round(8 * chunk_ms)
    assert found["chunks"] == -(-8123 // size)
    assert found["seconds"] == pytest.approx(8123 / 8000, abs=1e-6)
    assert found["algorithmic_latency_ms"] == 40
    assert found["rtf_encode"] > 0
    assert found["rtf_decode"] > 0


def test_the_delay_is_what_is_held_back_and_the_time_of_coding(speech, tmp_path, capsys):
    table = tmp_path / "chunks.csv"
    found = summary(capsys, SPEC, "--in", speech, "--chunk-ms", 10, "--chunks", table)
    rows = list(csv.DictReader(table.open()))
    assert len(rows) == found["chunks"] == 102
    # Half a frame goes in at a time: every second chunk completes a packet.
    assert [int(row["bits"]) for row in rows[:4]] == [0, 20, 0, 20]
    assert [int(row["pending_samples"]) for row in rows[:4]] == [80, 0, 80, 0]
    spent = [float(row["encode_ms"]) + float(row["decode_ms"]) for row in rows]
    for row, cost in zip(rows[:-1], spent, strict=False):
        assert float(row["rtf"]) == pytest.approx(cost / 10, abs=1e-3)
    assert found["delay_ms_max"] == pytest.approx(10 + max(spent), abs=10)
    assert found["delay_ms_max"] >= found["delay_ms_95"] >= found["delay_ms_median"] > 10
    assert found["late_chunks"] == sum(float(row["rtf"]) > 1 for row in rows)
    assert found["kbps"] == pytest.approx(50 * 20 / (8123 / 8000) / 1000, abs=1e-3)


def test_input_of_another_rate_and_a_part_of_it(tmp_path, capsys):
    path = tmp_path / "other.flac"
    write_audio(path, Audio(np.zeros(22050, np.float32), 22050))
    found = summary(capsys, SPEC, "--in", path, "--seconds", 0.5)
    assert found["seconds"] == 0.5
    assert found["sample_rate"] == 8000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["opus", "--in", "{speech}"], "does not run chunk by chunk here; neural codecs do"),
        (["svcodec:entropy=on", "--in", "{speech}"], "can neither stream nor lose packets"),
        ([SPEC, "--in", "none.wav"], "none.wav"),
        ([SPEC, "--in", "{speech}", "--out", "x.mp3"], "can write .wav and .flac files"),
        ([SPEC, "--in", "{speech}", "--out", "{speech}"], "exists; give another -o or --force"),
    ],
)
def test_wrong_use_is_one_line(speech, capsys, arguments, message):
    code, said = call(capsys, *(one.format(speech=speech) for one in arguments))
    assert code == 2
    assert message in said.err
    assert said.err.count("\n") == 1


class FakeDevices(types.ModuleType):
    """A microphone that hums and a speaker that remembers."""

    class PortAudioError(Exception):
        """What the real module raises."""

    def __init__(self, refuses=False):
        super().__init__("sounddevice")
        self.heard, self.opened, self.refuses = [], [], refuses
        self.stops_after = None

    def open(self, kind, **settings):
        if self.refuses:
            raise self.PortAudioError("no such device")
        self.opened.append((kind, settings))
        return self

    def InputStream(self, **settings):  # noqa: N802 - the real module's name
        return self.open("in", **settings)

    def OutputStream(self, **settings):  # noqa: N802 - the real module's name
        return self.open("out", **settings)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def read(self, size):
        if self.stops_after is not None:
            if not self.stops_after:
                raise KeyboardInterrupt
            self.stops_after -= 1
        return np.full((size, 1), 0.1, np.float32), False

    def write(self, samples):
        self.heard.append(samples)


def test_from_microphone_to_speaker(monkeypatch, capsys):
    devices = FakeDevices()
    monkeypatch.setitem(sys.modules, "sounddevice", devices)
    arguments = (SPEC, "--in", "mic", "--out", "speaker")
    found = summary(capsys, *arguments, "--seconds", 0.25)
    assert found["seconds"] == 0.25
    assert sorted(kind for kind, _ in devices.opened) == ["in", "out"]
    assert all(settings["samplerate"] == 8000 for _, settings in devices.opened)
    samples = np.concatenate(devices.heard)
    assert samples.shape[1] == 1
    assert len(samples) >= 2000
    devices.stops_after = 5
    assert summary(capsys, *arguments)["chunks"] == 5


def test_devices_that_are_not_there(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "sounddevice", FakeDevices(refuses=True))
    code, said = call(capsys, SPEC, "--in", "mic")
    assert code == 2
    assert "the sound device cannot be opened at 8000 Hz: no such device" in said.err
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    code, said = call(capsys, SPEC, "--in", "mic")
    assert code == 2
    assert "pip install 'codecbench[live]'" in said.err
