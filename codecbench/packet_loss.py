"""`PacketLoss`: which packets of an utterance are lost on their way to the decoder.

Losses are simulated, seeded, and the same for every codec that sends equally many packets: they
depend on the model, its seed and the utterance alone. Side information is sent once and always
arrives. Concealment is the codec's own.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable
from typing import Any, Self

import pydantic

from .codec import CodecBase
from .component import Config, build_config
from .errors import UnavailableError, UserError
from .registry import CODECS, component_class, names
from .spec import parse_spec
from .streaming import StreamingCodec

_NAME = "packet-loss"
_SHARE = "write a share above 0 and below 1, such as 5% or 0.05"


class PacketLoss(Config):
    """Gilbert's model: a channel that is either good or bad, and loses every packet while bad.

    Source: E. N. Gilbert, "Capacity of a Burst-Noise Channel", Bell System Technical Journal
    39 (5), 1960.
    """

    positional = "rate"

    rate: float
    """Share of packets lost: 5% or 0.05."""
    burst: float | None = pydantic.Field(None, ge=1, le=1000)
    """Mean number of packets lost in a row; independent losses if not given."""
    seed: int = pydantic.Field(0, ge=0, lt=2**32)
    """Another seed loses other packets."""

    @pydantic.field_validator("rate", mode="before")
    @classmethod
    def _percent(cls, value: Any) -> Any:
        if not isinstance(value, str) or not value.endswith("%"):
            return value
        try:
            percent = float(value[:-1])
        except ValueError as error:
            raise ValueError(_SHARE) from error
        # Rounded, so that 0.3% and 0.003 are the same rate.
        return round(percent / 100, 12)

    @pydantic.field_validator("rate")
    @classmethod
    def _share(cls, rate: float) -> float:
        if not 0 < rate < 1:
            raise ValueError(_SHARE)
        return rate

    @pydantic.model_validator(mode="after")
    def _possible(self) -> Self:
        if self.burst is not None and self.burst * (1 - self.rate) < self.rate:
            least = self.rate / (1 - self.rate)
            raise ValueError(f"at this rate, burst is {least:.3g} or more")
        return self

    @classmethod
    def parse(cls, text: str) -> PacketLoss:
        """Read what stands after ``--packet-loss``: ``5%`` or ``5%,burst=3,seed=1``.

        Raises
        ------
        UserError
        """
        given = parse_spec(f"{_NAME}:{text}").params
        params = {key or cls.positional: value for key, value in given}
        if len(params) != len(given):
            raise UserError(f"{_NAME}: '{text}' gives the rate twice")
        return build_config(_NAME, cls, params)  # type: ignore[return-value]

    def __str__(self) -> str:
        burst = "" if self.burst is None else f",burst={self.burst:g}"
        return f"{100 * self.rate:.10g}%{burst}" + (f",seed={self.seed}" if self.seed else "")

    @property
    def note(self) -> str:
        """What must be said wherever numbers measured with losses are shown."""
        how = "" if self.burst is None else f" in bursts of {self.burst:g} on average"
        return (
            f"{100 * self.rate:.10g} % of packets lost{how}, seed {self.seed};"
            " concealment is the codec's own"
        )

    def draw(self, packets: int, key: Iterable[str] = ()) -> frozenset[int]:
        """Draw which packets are lost.

        Parameters
        ----------
        packets : int
            How many are sent; of two numbers, the larger adds losses and changes none.
        key : iterable of str
            What names the utterance.

        Returns
        -------
        frozenset of int
            Positions in [0, packets).
        """
        burst = 1 / (1 - self.rate) if self.burst is None else self.burst
        enter, stay = self.rate / (burst * (1 - self.rate)), 1 - 1 / burst
        uniform = self._generator(key).random
        lost = set()
        is_bad = uniform() < self.rate
        for packet in range(packets):
            if is_bad:
                lost.add(packet)
            is_bad = uniform() < (stay if is_bad else enter)
        return frozenset(lost)

    def _generator(self, key: Iterable[str]) -> random.Random:
        """Return Python's own generator: its numbers are the same in every version."""
        digest = hashlib.sha256("\n".join([str(self.seed), *key]).encode()).digest()
        return random.Random(int.from_bytes(digest, "big"))  # noqa: S311 - nothing is secret


def require_streaming(codecs: Iterable[CodecBase]) -> None:
    """Refuse codecs that cannot decode while packets are lost.

    Raises
    ------
    UserError
        Naming them and the codecs that can, or saying why a configuration cannot stream.
    """
    whole = []
    for codec in codecs:
        if isinstance(codec, StreamingCodec):
            codec.check_streams()
        else:
            whole.append(codec.spec)
    if whole:
        raise UserError(
            f"packets cannot be lost with {', '.join(whole)}: only codecs that decode packet by"
            f" packet conceal losses ({', '.join(_streaming_names())}); leave the others out"
        )


def _streaming_names() -> list[str]:
    return [name for name in names(CODECS) if _streams(name)]


def _streams(name: str) -> bool:
    try:
        return issubclass(component_class(CODECS, name), StreamingCodec)
    except UnavailableError:
        return False
