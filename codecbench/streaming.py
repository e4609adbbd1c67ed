"""Codecs that run chunk by chunk: what comes in late is sent late, what is lost is concealed."""

from __future__ import annotations

import abc
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from .audio import Audio
from .bitstream import Bitstream, Packet
from .codec import Codec


class EncoderStream(abc.ABC):
    """The encoder of one signal that arrives in chunks."""

    @abc.abstractmethod
    def push(self, samples: npt.NDArray[np.float32]) -> list[Packet]:
        """Take samples at the codec's rate, any number; return the packets that are ready."""

    @abc.abstractmethod
    def finish(self) -> list[Packet]:
        """End the signal; return the packets still to be sent."""


class DecoderStream(abc.ABC):
    """The decoder of one signal whose packets arrive, or are lost, in order."""

    @abc.abstractmethod
    def push(self, packet: Packet | None) -> npt.NDArray[np.float32]:
        """Take the next packet, None if it was lost, and return the samples that are ready.

        Raises
        ------
        BitstreamError
            If the packet is none of this codec's.
        """


class StreamingCodec(Codec):
    """A codec with an encoder and a decoder that run chunk by chunk.

    The packets of a stream are those of `encode`, and the samples of a stream without losses are
    those of `decode`, up to rounding.
    """

    def check_streams(self) -> None:
        """Raise `UserError` if this configuration cannot stream; loads no model."""

    @abc.abstractmethod
    def encoder_stream(self) -> EncoderStream:
        """Start to encode a signal."""

    @abc.abstractmethod
    def decoder_stream(self, side_information: Sequence[Packet] = ()) -> DecoderStream:
        """Start to decode a signal whose side information has arrived."""

    def decode_with_losses(self, bitstream: Bitstream, lost: Iterable[int]) -> Audio:
        """Decode while the packets at these positions are lost; the codec conceals them.

        Parameters
        ----------
        bitstream : Bitstream
        lost : iterable of int
            Positions in ``bitstream.packets``.
        """
        gone = frozenset(lost)
        stream = self.decoder_stream(bitstream.side_information)
        parts = [
            stream.push(None if index in gone else packet)
            for index, packet in enumerate(bitstream.packets)
        ]
        samples = np.concatenate([np.zeros(0, np.float32), *parts])
        return Audio(samples, bitstream.sample_rate)
