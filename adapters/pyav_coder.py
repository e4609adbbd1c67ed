"""Raw FFmpeg coders through PyAV: packets in, packets out, no container file around them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import AfterValidator

from ..audio import Audio, Samples
from ..bitstream import Bitstream, Packet
from ..codec import Codec
from ..component import Requirement
from ..errors import BitstreamError, CodecError, UnavailableError

_FULL_SCALE = 32768.0


@dataclass(frozen=True)
class Coder:
    """An FFmpeg encoder and the decoder of its packets, both mono and with one thread.

    Parameters
    ----------
    encoder, decoder : str
        FFmpeg's names.
    sample_rate : int
        In Hz.
    sample_format : {"s16", "flt", "fltp"}
        What the encoder takes.
    bit_rate : int, optional
        In bits a second.
    encoder_options, decoder_options : mapping of str to str
        FFmpeg's options, as on its command line.
    """

    encoder: str
    decoder: str
    sample_rate: int
    sample_format: str = "s16"
    bit_rate: int | None = None
    encoder_options: Mapping[str, str] = field(default_factory=dict)
    decoder_options: Mapping[str, str] = field(default_factory=dict)

    def encode(self, samples: Samples) -> tuple[list[bytes], bytes]:
        """Encode a signal from a fresh state, flushing the encoder.

        Returns
        -------
        packets : list of bytes
        stream_header : bytes
            FFmpeg's extradata; empty if the encoder has none.

        Raises
        ------
        CodecError
            If FFmpeg cannot.
        """
        import av

        try:
            context = self._encoder_context()
            packets = [*context.encode(self._frame(samples)), *context.encode(None)]
        except av.error.FFmpegError as error:
            raise CodecError(
                f"FFmpeg's {self.encoder} cannot encode this: {error.strerror}"
            ) from error
        return [bytes(packet) for packet in packets if packet.size], context.extradata or b""

    def decode(self, packets: Sequence[bytes], stream_header: bytes = b"") -> Samples:
        """Decode packets from a fresh state.

        Returns
        -------
        array of float32, shape (samples,)
            16-bit decoders' output divided by 32768.

        Raises
        ------
        BitstreamError
            If FFmpeg refuses a packet, or one changes the rate or the number of channels.
        """
        import av

        chunks: list[Samples] = []
        place = "the stream header"
        try:
            context = self._decoder_context(stream_header)
            for index, data in enumerate(packets):
                place = f"packet {index}"
                if not data:
                    raise BitstreamError(f"{place} is empty")
                chunks += self._chunks(context.decode(av.Packet(data)))
            chunks += self._chunks(context.decode(None))
        except av.error.FFmpegError as error:
            raise BitstreamError(
                f"FFmpeg's {self.decoder} cannot decode {place}: {error.strerror}"
            ) from error
        return np.concatenate(chunks) if chunks else np.zeros(0, np.float32)

    def _encoder_context(self) -> Any:
        context = self._context(self.encoder, "w")
        context.format = self.sample_format
        if self.bit_rate is not None:
            context.bit_rate = self.bit_rate
        # Bit-exact: no version string of FFmpeg inside the packets.
        context.options = {"flags": "+bitexact", **self.encoder_options}
        context.open()
        return context

    def _decoder_context(self, stream_header: bytes) -> Any:
        context = self._context(self.decoder, "r")
        if stream_header:
            context.extradata = stream_header
        context.options = dict(self.decoder_options)
        context.open()
        return context

    def _context(self, name: str, mode: Literal["r", "w"]) -> Any:
        import av

        context: Any = av.CodecContext.create(name, mode)
        context.sample_rate = self.sample_rate
        context.layout = "mono"
        context.thread_count = 1
        return context

    def _frame(self, samples: Samples) -> Any:
        import av

        is_integer = self.sample_format == "s16"
        data: npt.NDArray[Any] = pcm16(samples) if is_integer else samples.astype(np.float32)
        frame = av.AudioFrame.from_ndarray(data[None], format=self.sample_format, layout="mono")
        frame.sample_rate = self.sample_rate
        return frame

    def _chunks(self, frames: Iterable[Any]) -> list[Samples]:
        chunks = []
        for frame in frames:
            if frame.sample_rate != self.sample_rate or frame.layout.nb_channels != 1:
                raise BitstreamError(
                    f"a packet announces {frame.sample_rate} Hz and {frame.layout.nb_channels}"
                    f" channel(s); this stream is mono at {self.sample_rate} Hz"
                )
            data = frame.to_ndarray().ravel()
            scale = _FULL_SCALE if data.dtype == np.int16 else 1.0
            chunks.append((data / np.float32(scale)).astype(np.float32))
        return chunks


def pcm16(samples: Samples) -> npt.NDArray[np.int16]:
    """Round samples in [-1, 1) to 16 bits; what lies beyond full scale is clipped."""
    scaled = np.round(samples.astype(np.float64) * _FULL_SCALE)
    return np.clip(scaled, -32768, 32767).astype(np.int16)


class PyavCodec(Codec):
    """A codec whose coder is FFmpeg's; a subclass says which and how its packets are framed."""

    requirements = (Requirement("module", "av", "pip install av"),)
    encoder: ClassVar[str]
    decoder: ClassVar[str]

    def check_available(self) -> None:
        """Raise `UnavailableError` if PyAV or its build of FFmpeg lacks the coder."""
        super().check_available()
        import av

        try:
            av.Codec(self.encoder, "w")
            av.Codec(self.decoder, "r")
        except av.codec.codec.UnknownCodecError as error:
            raise UnavailableError(
                f"{self.name} cannot run here: the FFmpeg inside PyAV {av.__version__} lacks the"
                f" coder {error}; PyAV's own wheels have it: pip install --only-binary av av"
            ) from error

    def padded(self, audio: Audio, frame: int) -> tuple[Samples, int]:
        """Pad the end with zeros to whole frames, so that the delayed last sample gets through.

        Returns
        -------
        samples : array of float32, shape (frames * frame,)
        frames : int
            ceil((samples + delay) / frame).

        Raises
        ------
        CodecError
            If the signal is empty or not at the codec's rate.
        """
        rate = self.card.sample_rate
        if audio.sample_rate != rate:
            raise CodecError(
                f"{self.name} runs at {rate} Hz; the signal has {audio.sample_rate}"
                f" (Audio.resampled({rate}) converts it)"
            )
        if not len(audio):
            raise CodecError("the signal is empty")
        frames = -(-(len(audio) + self._delay) // frame)
        return np.pad(audio.samples, (0, frames * frame - len(audio))), frames

    def accept(self, bitstream: Bitstream, side_packets: int = 0) -> None:
        """Raise `BitstreamError` unless the stream has this codec's rate and side information."""
        if bitstream.sample_rate != self.card.sample_rate:
            raise BitstreamError(f"{self.name} does not run at {bitstream.sample_rate} Hz")
        found = len(bitstream.side_information)
        if found != side_packets:
            raise BitstreamError(
                f"{found} packets of side information where {self.name} sends {side_packets}"
            )

    def finished(self, samples: Samples, bitstream: Bitstream) -> Audio:
        """Wrap decoded samples; raise `BitstreamError` if there are fewer than were coded."""
        needed = bitstream.samples + self._delay
        if len(samples) < needed:
            raise BitstreamError(f"the packets hold {len(samples)} of {needed} samples")
        return Audio(samples, bitstream.sample_rate)

    @property
    def _delay(self) -> int:
        return self.card.delay_samples or 0


@dataclass(frozen=True)
class _OneOf:
    """Admits some numbers only; `choices` is read by descriptions of the key."""

    choices: tuple[float, ...]

    def __call__(self, value: float) -> float:
        if value not in self.choices:
            raise ValueError(f"must be one of {', '.join(f'{item:g}' for item in self.choices)}")
        return value


def one_of(*allowed: float) -> AfterValidator:
    """Make a pydantic validator that admits these numbers only."""
    return AfterValidator(_OneOf(allowed))


def whole_bytes(packets: Sequence[Packet]) -> list[bytes]:
    """Return the bytes of packets that end at a byte's end.

    Raises
    ------
    BitstreamError
        If one ends inside a byte.
    """
    for index, packet in enumerate(packets):
        if packet.bits % 8:
            raise BitstreamError(f"packet {index} has {packet.bits} bits, not whole bytes")
    return [packet.data for packet in packets]
