"""What passes between the engine and its workers."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ..corpora.base import Utterance
from ..packet_loss import PacketLoss
from ..results.schema import Row, StoredBitstream


@dataclass(frozen=True)
class WorkerSetup:
    """What a worker is told once.

    Parameters
    ----------
    metrics : tuple of (spec, columns)
        Every metric of the run and its selected columns.
    device : str
    packet_loss : PacketLoss or None
        What happens to packets on their way to the decoder.
    registered : bytes
        What the parent has registered without a package; see `registered_copy`.
    """

    metrics: tuple[tuple[str, tuple[str, ...]], ...]
    device: str
    packet_loss: PacketLoss | None = None
    registered: bytes = b""


@dataclass(frozen=True)
class CodecTask:
    """What one utterance lacks of one codec.

    Parameters
    ----------
    codec : str
        Canonical spec, or ``reference`` for the reference's own scores.
    columns : dict of metric spec to columns
        Empty: only the delay is to be estimated, or the audio to be kept.
    delay_samples : int or None
        Delay to remove, where it is not the card's.
    bitstream : StoredBitstream or None
        Kept from an earlier run; encoded afresh if None.
    audio_path : Path or None
        Where the decoded audio is to be kept.
    """

    codec: str
    columns: dict[str, tuple[str, ...]]
    delay_samples: int | None = None
    bitstream: StoredBitstream | None = None
    audio_path: Path | None = None


@dataclass(frozen=True)
class Shard:
    """The unit of scheduling: one utterance and everything that it lacks."""

    number: int
    utterance: Utterance
    tasks: tuple[CodecTask, ...]
    estimate_delay: bool = False


@dataclass(frozen=True)
class Step:
    """What a worker is about to do; if it dies now, this is what killed it."""

    shard: int
    codec: str
    metric: str | None = None

    def __str__(self) -> str:
        return f"{self.codec}, {self.metric}" if self.metric else self.codec


@dataclass(frozen=True)
class CodecResult:
    """What one codec task gave.

    Parameters
    ----------
    rows : list of Row
    bitstream : StoredBitstream or None
        If it was encoded now.
    delay : int or None
        Estimated delay in samples at the codec's rate.
    partial : bool
        Whether another result of the same task follows.
    """

    shard: int
    codec: str
    rows: list[Row] = field(default_factory=list)
    bitstream: StoredBitstream | None = None
    delay: int | None = None
    partial: bool = False


@dataclass(frozen=True)
class Ready:
    """The worker has started and may be given its first shard."""


@dataclass(frozen=True)
class ShardDone:
    """The worker is ready for another shard."""

    shard: int


@dataclass(frozen=True)
class Fatal:
    """The worker cannot work at all; the message is for the user."""

    message: str
