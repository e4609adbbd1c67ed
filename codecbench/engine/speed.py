"""Real-time factors of a codec: processor seconds per second of audio, one thread.

Timings of a busy run mean nothing, so this is a pass of its own; `speed_process` puts it into a
fresh process whose maths libraries use one thread.
"""

from __future__ import annotations

import os
import platform
import resource
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from ..audio import Audio
from ..bitstream import Bitstream
from ..codec import Codec, CodecBase
from ..corpora.base import Utterance
from ..errors import UserError
from ..metric import Column
from ..processes import limit_torch_threads

LEAST_REPEATS = 5
BUSY = 1.25
"""Wall time above this multiple of processor time means that the machine was busy."""

COLUMNS = (
    Column("rtf_encode", "RTF encode", "", "lower", (0.0, float("inf")), pooled=True, digits=4),
    Column("rtf_decode", "RTF decode", "", "lower", (0.0, float("inf")), pooled=True, digits=4),
)
"""Below 1 is faster than real time."""

Result = TypeVar("Result")


@dataclass(frozen=True)
class Timing:
    """One direction of a codec.

    Parameters
    ----------
    rtf : float
        Processor seconds (its child processes' among them) per second of audio; median of the
        repeats.
    rtf_wall : float
        Elapsed seconds per second of audio; median of the repeats.
    repeats : tuple of float
        Processor seconds of each repeat over all utterances.
    """

    rtf: float
    rtf_wall: float
    repeats: tuple[float, ...]


@dataclass(frozen=True)
class Speed:
    """How fast a codec is on this machine.

    Parameters
    ----------
    codec : str
        Canonical spec.
    encode, decode : Timing
    audio_seconds : float
        Of the utterances together.
    utterances : int
    hardware : dict
        Processor, counts, memory, system.
    notes : tuple of str
        What makes the figures doubtful.
    """

    codec: str
    encode: Timing
    decode: Timing
    audio_seconds: float
    utterances: int
    hardware: dict[str, Any]
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form with the columns ``rtf_encode`` and ``rtf_decode``."""
        found = asdict(self) | {"rtf_encode": self.encode.rtf, "rtf_decode": self.decode.rtf}
        return found | {"notes": list(self.notes)}


def measure_speed(
    codec: CodecBase, utterances: Sequence[Utterance], repeats: int = LEAST_REPEATS,
    warm_up: int = 1,
) -> Speed:  # fmt: skip
    """Time the encoder and the decoder apart, in this process.

    Only `Codec.encode` and `Codec.decode` are timed: audio is read and resampled before, and
    bitstreams pass through bytes between.

    Parameters
    ----------
    codec : CodecBase
        Ready to use.
    utterances : sequence of Utterance
    repeats : int
        Passes over all utterances; five or more.
    warm_up : int
        Passes before those, which are not counted.

    Raises
    ------
    UserError
        If the codec only looks up decoded audio, there is nothing to code, or there are too few
        repeats.
    CodecError
        If an utterance cannot be coded.
    """
    if not isinstance(codec, Codec):
        raise UserError(f"{codec.spec} only looks up decoded audio: there is nothing to time")
    if repeats < LEAST_REPEATS:
        raise UserError(f"a median needs {LEAST_REPEATS} repeats or more; got {repeats}")
    signals = [_at_codec_rate(codec, utterance) for utterance in utterances]
    seconds = sum(signal.seconds for signal in signals)
    if not seconds:
        raise UserError("there is no audio to code")
    limit_torch_threads()
    streams = _through_bytes(codec, signals)
    encode = _timing(
        lambda: [codec.encode(signal) for signal in signals], seconds, repeats, warm_up
    )
    decode = _timing(
        lambda: [codec.decode(stream) for stream in streams], seconds, repeats, warm_up
    )
    notes = [*_busy_notes("encoding", encode), *_busy_notes("decoding", decode)]
    return Speed(
        codec.spec, encode, decode, seconds, len(signals), describe_hardware(), tuple(notes)
    )


def describe_hardware() -> dict[str, Any]:
    """Return what the figures depend on."""
    import psutil

    from ..results.manifest import cpu_model

    return {
        "cpu": cpu_model(),
        "cpu_count": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "platform": platform.platform(),
        "python": platform.python_version(),
    }


def _at_codec_rate(codec: Codec, utterance: Utterance) -> Audio:
    audio = utterance.audio()
    return audio.resampled(codec.card.sample_rate or audio.sample_rate)


def _through_bytes(codec: Codec, signals: Sequence[Audio]) -> list[Bitstream]:
    return [Bitstream.from_bytes(codec.encode(signal).to_bytes()) for signal in signals]


def _timing(work: Callable[[], Result], seconds: float, repeats: int, warm_up: int) -> Timing:
    for _ in range(warm_up):
        work()
    processor, wall = [], []
    for _ in range(repeats):
        start, began = processor_seconds(), time.perf_counter()
        work()
        wall.append(time.perf_counter() - began)
        processor.append(processor_seconds() - start)
    return Timing(
        statistics.median(processor) / seconds, statistics.median(wall) / seconds, tuple(processor)
    )


def processor_seconds() -> float:
    """Return user and system seconds of this process and of the children it has waited for."""
    whose = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    usages = [resource.getrusage(who) for who in whose]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _busy_notes(what: str, timing: Timing) -> list[str]:
    if timing.rtf_wall > BUSY * timing.rtf:
        ratio = timing.rtf_wall / timing.rtf if timing.rtf else float("inf")
        return [
            f"{what} took {ratio:.1f} times its processor time: the machine was busy, or the"
            " codec waits"
        ]
    if timing.rtf > BUSY * timing.rtf_wall:
        return [f"{what} used more than one thread; the factor counts the work of all of them"]
    return []
