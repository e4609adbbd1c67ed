"""Sends utterances through codecs: the same way for scores and for what is listened to."""

from __future__ import annotations

import functools
import hashlib
import random
import sys

import numpy as np

from .. import protocol
from ..codec import Codec, CodecBase, DecodedSource
from ..corpora.base import Utterance
from ..errors import UserError
from ..metric import Decoded
from ..packet_loss import PacketLoss
from ..registry import codec_of
from ..results.schema import StoredBitstream
from .tasks import CodecTask


def seed(*parts: str) -> None:
    """Seed every generator from names, so that no number depends on workers or order."""
    digest = hashlib.sha256("\n".join(parts).encode()).digest()
    number = int.from_bytes(digest[:4], "big")
    random.seed(number)
    np.random.seed(number)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(number)


class Transcoder:
    """Keeps codecs loaded and sends utterances through them.

    Parameters
    ----------
    device : str
    packet_loss : PacketLoss or None
        What happens to packets on their way to the decoder.
    """

    def __init__(self, device: str = "cpu", packet_loss: PacketLoss | None = None) -> None:
        self._device = device
        self._packet_loss = packet_loss
        self._codecs: dict[str, CodecBase] = {}

    def transcode(
        self, task: CodecTask, utterance: Utterance, with_losses: bool = True
    ) -> tuple[Decoded, StoredBitstream | None]:
        """Decode the kept bitstream of a task, or encode first, and align with the reference.

        Parameters
        ----------
        task : CodecTask
        utterance : Utterance
            With its evaluation rate set.
        with_losses : bool
            Whether packets are lost, if the run has packet loss.

        Returns
        -------
        decoded : Decoded
        fresh : StoredBitstream or None
            What is to be kept, if it was encoded now.
        """
        seed(*utterance.key, task.codec)
        codec = self.codec(task.codec)
        if isinstance(codec, DecodedSource):
            return protocol.look_up(codec, utterance, task.delay_samples), None
        if not isinstance(codec, Codec):
            raise UserError(f"{task.codec} is neither a Codec nor a DecodedSource")
        reference = utterance.audio()
        fresh: StoredBitstream | None = None
        if task.bitstream is not None:
            encoded = protocol.Encoded(task.bitstream.data, task.bitstream.seconds)
        else:
            encoded = protocol.encode(codec, reference)
            if codec.keeps_bitstreams:
                fresh = _stored(task.codec, utterance, encoded)
        draw_lost = self._draw_lost(utterance) if with_losses else None
        decoded = protocol.decode(codec, encoded, reference, task.delay_samples, draw_lost)
        return decoded, fresh

    def codec(self, spec: str) -> CodecBase:
        """Return a codec with its models loaded."""
        if spec not in self._codecs:
            codec = codec_of(spec)
            codec.setup(self._device)
            self._codecs[spec] = codec
        return self._codecs[spec]

    def _draw_lost(self, utterance: Utterance) -> protocol.DrawLost | None:
        """Return what draws an utterance's losses, the same for every codec."""
        loss = self._packet_loss
        return None if loss is None else functools.partial(loss.draw, key=utterance.key)


def _stored(codec: str, utterance: Utterance, encoded: protocol.Encoded) -> StoredBitstream:
    return StoredBitstream(
        codec, utterance.corpus, utterance.split, utterance.id, encoded.seconds, encoded.data
    )
