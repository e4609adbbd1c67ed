"""Codecs and metrics that misbehave, installed as another distribution would be."""

import os
import signal
import time
from pathlib import Path

import numpy as np

from codecbench.audio import Audio
from codecbench.bitstream import Packet
from codecbench.codec import Codec, CodecCard
from codecbench.component import Config
from codecbench.errors import MetricError, UserError
from codecbench.metric import Column, Metric, Score
from codecbench.streaming import DecoderStream, StreamingCodec


def log(kind, text):
    """Count a call: workers are other processes, so the count is a file."""
    folder = os.environ.get("PLUGIN_LOG")
    if folder:
        with (Path(folder) / kind).open("a") as file:
            file.write(text + "\n")


class Plain(Codec):
    """8-bit PCM; subclasses break it."""

    name = "plug-plain"
    delay = 0

    class Config(Config):
        step: int = 1
        """A key that changes the result."""

    @property
    def card(self):
        return CodecCard(self.name, self.name, "test", "none", delay_samples=self.delay)

    def encode(self, audio):
        log("encode", f"{self.spec} {len(audio)}")
        self.before(audio)
        pcm = np.clip(np.round(audio.samples * 127 / self.config.step), -127, 127)
        return self.bitstream(audio, [Packet.whole(pcm.astype(np.int8).tobytes())])

    def decode(self, bitstream):
        log("decode", self.spec)
        pcm = np.frombuffer(bitstream.packets[0].data, np.int8).astype(np.float32)
        return Audio(pcm * self.config.step / 127, bitstream.sample_rate)

    def before(self, audio):
        """Do what makes this codec special."""


class Late(Plain):
    """Comes back 37 samples late and does not say so."""

    name = "plug-late"
    delay = None

    def decode(self, bitstream):
        plain = super().decode(bitstream)
        return Audio(np.pad(plain.samples, (37, 0)), plain.sample_rate)


class Crash(Plain):
    """Takes its process down on signals of even length."""

    name = "plug-crash"

    def before(self, audio):
        if len(audio) % 2 == 0:
            os.kill(os.getpid(), signal.SIGSEGV)


class Raises(Plain):
    """Raises what no engine can expect."""

    name = "plug-raises"

    def before(self, audio):
        raise ZeroDivisionError("of course\nin two lines")


class Mute(Late):
    """Decodes to silence, of which no delay can be told."""

    name = "plug-mute"

    def decode(self, bitstream):
        return Audio(np.zeros(bitstream.samples), bitstream.sample_rate)


class Nan(Plain):
    """Decodes to NaN."""

    name = "plug-nan"

    def decode(self, bitstream):
        return Audio(np.full(bitstream.samples, np.nan), bitstream.sample_rate)


class Slow(Plain):
    """Takes a while."""

    name = "plug-slow"

    def before(self, audio):
        time.sleep(0.15)


class Frames(StreamingCodec, Plain):
    """8-bit PCM in packets of 100 samples; lost ones are silence."""

    name = "plug-frames"

    class Config(Config):
        step: int = 1
        streams: bool = True

    def encode(self, audio):
        whole = super().encode(audio).packets[0].data
        chunks = [whole[start : start + 100] for start in range(0, len(whole), 100)]
        return self.bitstream(audio, [Packet.whole(chunk.ljust(100, b"\0")) for chunk in chunks])

    def decode(self, bitstream):
        return self.decode_with_losses(bitstream, ())

    def decode_with_losses(self, bitstream, lost):
        log("lost", f"{self.spec} {len(bitstream.packets)} {sorted(lost)}")
        return super().decode_with_losses(bitstream, lost)

    def check_streams(self):
        if not self.config.streams:
            raise UserError("plug-frames cannot stream with streams=off")

    def encoder_stream(self):
        raise NotImplementedError

    def decoder_stream(self, side_information=()):
        return FramesStream(self.config.step)


class FramesStream(DecoderStream):
    """The decoder of `Frames`."""

    def __init__(self, step):
        self.step = step

    def push(self, packet):
        data = bytes(100) if packet is None else packet.data
        return np.frombuffer(data, np.int8).astype(np.float32) * self.step / 127


class Error(Metric):
    """Mean absolute error."""

    name = "plug_error"
    columns = (
        Column("plug_error", "error", "", "lower"),
        Column("plug_signs", "signs", "", "lower", pooled=True, default=False),
    )
    definition = "mean absolute difference; share of samples whose sign changed"

    def _prepare(self, utterance):
        log("prepare", utterance.id)
        return utterance

    def _score(self, prepared, decoded):
        log("score", decoded.card.name)
        log("selected", " ".join(sorted(self.selected)))
        x, y = prepared.audio().samples, decoded.audio.samples
        wrong = np.count_nonzero(np.sign(x) != np.sign(y))
        return {
            "plug_error": Score(float(np.abs(x - y).mean())),
            "plug_signs": Score.ratio(wrong, len(x)),
        }


class Fragile(Metric):
    """Crashes on one codec, refuses another."""

    name = "plug_fragile"
    columns = (Column("plug_fragile", "fragile", "", "higher"),)
    definition = "one"
    scores_reference = True

    def _score(self, prepared, decoded):
        if decoded.card.name == "plug-late":
            os.kill(os.getpid(), signal.SIGKILL)
        if decoded.card.name == "plug-slow":
            raise MetricError("too slow for me")
        return {"plug_fragile": Score(1.0)}

    def _score_reference(self, prepared):
        return {"plug_fragile": Score(2.0)}


ENTRY_POINTS = """
[codecbench.codecs]
plug-plain = plugins:Plain
plug-late = plugins:Late
plug-crash = plugins:Crash
plug-raises = plugins:Raises
plug-nan = plugins:Nan
plug-frames = plugins:Frames
plug-mute = plugins:Mute
plug-slow = plugins:Slow
[codecbench.metrics]
plug_error = plugins:Error
plug_fragile = plugins:Fragile
"""
