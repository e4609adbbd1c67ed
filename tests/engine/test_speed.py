"""Real-time factors: what is timed, in which process, and what is refused."""

import json
import subprocess
import sys
import time

import numpy as np
import pytest

from codecbench.adapters.identity import IdentityCodec
from codecbench.audio import Audio
from codecbench.codec import DecodedSource
from codecbench.corpora.base import Utterance
from codecbench.engine.speed import measure_speed, processor_seconds
from codecbench.engine.speed_process import SpeedRequest, measure_apart
from codecbench.errors import CodecError, UserError


def work(seconds):
    """Burn processor time."""
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


class Slow(IdentityCodec):
    """Takes a known time for each second of audio."""

    encodings = decodings = 0

    def encode(self, audio):
        self.encodings += 1
        work(0.04 * audio.seconds)
        return super().encode(audio)

    def decode(self, bitstream):
        self.decodings += 1
        work(0.01 * bitstream.seconds)
        return super().decode(bitstream)


class Sleepy(IdentityCodec):
    def encode(self, audio):
        time.sleep(0.02)
        return super().encode(audio)


class Spawning(IdentityCodec):
    def encode(self, audio):
        script = "import time\nwhile time.process_time() < 0.15: pass"
        subprocess.run([sys.executable, "-c", script], check=True)
        return super().encode(audio)


def utterances(count=2, seconds=0.5):
    audio = Audio(0.1 * np.ones(int(16000 * seconds)), 16000)
    return [Utterance.from_audio(audio, id=f"u{number}") for number in range(count)]


def test_encoder_and_decoder_are_timed_apart():
    found = measure_speed(Slow(), utterances())
    assert found.encode.rtf == pytest.approx(0.04, rel=0.4)
    assert found.decode.rtf == pytest.approx(0.01, rel=0.4)
    assert found.audio_seconds == 1.0
    assert len(found.encode.repeats) == 5
    assert found.as_dict()["rtf_encode"] == found.encode.rtf


def test_warm_up_passes_are_not_counted():
    codec = Slow()
    measure_speed(codec, utterances(), repeats=6, warm_up=2)
    # One more pass makes the bitstreams that are decoded.
    assert (codec.encodings, codec.decodings) == (2 * (1 + 2 + 6), 2 * (2 + 6))


def test_waiting_is_noticed():
    found = measure_speed(Sleepy(), utterances())
    assert found.encode.rtf_wall > 0.02
    assert any("encoding took" in note for note in found.notes)


def test_the_work_of_child_processes_counts():
    found = measure_speed(Spawning(), utterances(count=1), warm_up=0)
    assert found.encode.rtf > 0.15 / 0.5


def test_processor_seconds_go_on():
    start = processor_seconds()
    work(0.05)
    assert 0.045 <= processor_seconds() - start < 0.5


def test_what_cannot_be_timed_is_refused():
    class Folder(DecodedSource):
        name = "folder-of-audio"
        card = None

        def lookup(self, utterance):
            raise CodecError("nothing")

    with pytest.raises(UserError, match="only looks up decoded audio"):
        measure_speed(Folder(), utterances())
    with pytest.raises(UserError, match="5 repeats or more; got 3"):
        measure_speed(IdentityCodec(), utterances(), repeats=3)
    with pytest.raises(UserError, match="no audio"):
        measure_speed(IdentityCodec(), [])


def test_a_fresh_process_measures_the_demo_corpus():
    found = measure_apart(SpeedRequest("mulaw", subset=2))
    assert found["codec"].startswith("mulaw")
    assert 0 < found["rtf_encode"] < 1
    assert 0 < found["rtf_decode"] < 1
    assert found["utterances"] == 2
    assert found["hardware"]["cpu_count"] >= 1
    json.dumps(found, allow_nan=False)


def test_wrong_requests_come_back_as_one_line():
    with pytest.raises(UserError, match="unknown codec 'opsu'"):
        measure_apart(SpeedRequest("opsu"))


def test_a_codec_that_dies_is_named():
    killed = (
        f'external:encode="{sys.executable} -c 1/0 {{in}} {{bitstream}}",'
        f'decode="{sys.executable} -c 1/0 {{bitstream}} {{out}}"'
    )
    with pytest.raises(CodecError):
        measure_apart(SpeedRequest(killed, subset=1))
