"""What a codec is: `Codec`, `TokenCodec`, `DecodedSource`, `CodecCard`, `Tokens`."""

from __future__ import annotations

import abc
import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from .audio import Audio
from .bits import bits_for, pack, unpack
from .bitstream import Bitstream, Packet
from .component import Component
from .errors import BitstreamError, CodecError

if TYPE_CHECKING:
    from .corpora.base import Utterance


@dataclass(frozen=True)
class CodecCard:
    """What a leaderboard prints of a codec and a comparison checks.

    Parameters
    ----------
    name, title, description, licence : str
    paper : str or None
        Reference, or the standard.
    sample_rate : int or None
        In Hz; None: the codec runs at whatever rate it is given.
    frame_rate : float or None
        Frames a second.
    codebook_sizes : tuple of int
        Entries of each codebook; empty for codecs without.
    bandwidth_hz : float or None
        Highest frequency it can carry; None: half its sample rate.
    causal : bool or None
    delay_samples : int or None
        Samples (at the codec's rate) by which the decoder's output lags its input, and which
        the engine removes; None: unknown, the engine estimates one delay for the codec.
    algorithmic_latency_ms : float or None
        Frame plus look-ahead; ``inf`` when the whole utterance is needed.
    nominal_kbps : float or None
        A label, never a measurement.
    parameters : int or None
        Trainable parameters.
    weights : str or None
        Which weights (``nano``, ``official``, a path).
    weights_sha256 : str or None
    training_speakers : frozenset of (corpus, speaker)
        Speakers of registered corpora that the weights were trained on.
    notes : tuple of str
        What a reader of a table must know.
    rate_source : {"bitstream", "files", "claim", "none"}
        Where the rate comes from: the codec's own bitstreams; files that lie beside audio decoded
        elsewhere; a claim, which counts no packets; none: the rate is not known.
    anchor : bool
        Whether it stands in tables as a fixed point of the scale; anchors are never ranked.
    """

    name: str
    title: str
    description: str
    licence: str
    paper: str | None = None
    sample_rate: int | None = None
    frame_rate: float | None = None
    codebook_sizes: tuple[int, ...] = ()
    bandwidth_hz: float | None = None
    causal: bool | None = None
    delay_samples: int | None = 0
    algorithmic_latency_ms: float | None = None
    nominal_kbps: float | None = None
    parameters: int | None = None
    weights: str | None = None
    weights_sha256: str | None = None
    training_speakers: frozenset[tuple[str, str]] = frozenset()
    notes: tuple[str, ...] = ()
    rate_source: Literal["bitstream", "files", "claim", "none"] = "bitstream"
    anchor: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        speakers = sorted(f"{corpus}:{speaker}" for corpus, speaker in self.training_speakers)
        return {**asdict(self), "training_speakers": speakers}


class CodecBase(Component, abc.ABC):
    """What real codecs and folders of decoded audio have in common."""

    keeps_bitstreams: ClassVar[bool] = True
    """Whether a run keeps its bitstreams; no where encoding again is cheaper than storing."""

    @property
    def names_outside_sources(self) -> bool:
        """Whether this configuration names commands, files or addresses.

        Such a spec in a bitstream is not obeyed unless the user repeats it: a stranger wrote it.
        Until this is asked, a codec runs, opens and fetches nothing, and the answer needs none.
        """
        return False

    @property
    @abc.abstractmethod
    def card(self) -> CodecCard:
        """The card of this configuration."""

    @property
    def identity(self) -> str:
        """Hash of what a result belongs to: spec, version, weights, rate and declared delay."""
        card = self.card
        parts = (
            self.spec,
            self.version,
            card.weights_sha256 or "",
            str(card.sample_rate),
            str(card.delay_samples),
        )
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


class Codec(CodecBase):
    """Turns a signal into bits and bits into a signal.

    The engine resamples to ``card.sample_rate`` before `encode`, passes the bitstream through
    bytes, removes ``card.delay_samples`` after `decode` and cuts to length; the codec does none
    of these. `decode` must return at least ``bitstream.samples + card.delay_samples`` samples:
    `encode` pads the end so that the last sample gets through.
    """

    @abc.abstractmethod
    def encode(self, audio: Audio) -> Bitstream:
        """Encode a signal at the codec's rate, one sample long or longer.

        Raises
        ------
        CodecError
            If this signal cannot be coded.
        """

    @abc.abstractmethod
    def decode(self, bitstream: Bitstream) -> Audio:
        """Decode; nothing but `bitstream` may be used.

        Raises
        ------
        CodecError, BitstreamError
        """

    def encode_batch(self, audios: Sequence[Audio]) -> list[Bitstream]:
        """Encode several signals; equal to a loop over `encode`."""
        return [self.encode(audio) for audio in audios]

    def decode_batch(self, bitstreams: Sequence[Bitstream]) -> list[Audio]:
        """Decode several bitstreams; equal to a loop over `decode`."""
        return [self.decode(bitstream) for bitstream in bitstreams]

    def bitstream(
        self, audio: Audio, packets: Sequence[Packet], side_information: Sequence[Packet] = ()
    ) -> Bitstream:
        """Make the bitstream of a signal that this codec coded."""
        return Bitstream(
            self.spec, len(audio), audio.sample_rate, tuple(packets), tuple(side_information)
        )


@dataclass(frozen=True)
class Precoded:
    """What a `DecodedSource` knows of one utterance.

    Parameters
    ----------
    audio : Audio
        As decoded elsewhere.
    main_bits, side_bits : int or None
        None if the rate is not known.
    """

    audio: Audio
    main_bits: int | None
    side_bits: int | None = 0


class DecodedSource(CodecBase):
    """Audio that was decoded elsewhere, looked up by utterance; it cannot encode."""

    @abc.abstractmethod
    def lookup(self, utterance: Utterance) -> Precoded:
        """Return the decoded audio of an utterance.

        Raises
        ------
        CodecError
            If there is none.
        """


@dataclass(frozen=True, eq=False)
class Tokens:
    """Codes of a batch of signals.

    Parameters
    ----------
    codes : array of int64, shape (batch, codebooks, frames)
        Frames beyond an item's length are zero.
    lengths : array of int64, shape (batch,)
        Frames of each item.
    samples : array of int64, shape (batch,)
        Samples of each signal at the codec's rate.
    side_information : tuple of tuple of Packet
        For each item; empty if the codec has none.
    """

    codes: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]
    samples: npt.NDArray[np.int64]
    side_information: tuple[tuple[Packet, ...], ...] = ()

    def __len__(self) -> int:
        return len(self.codes)

    def item(self, index: int) -> Tokens:
        """Return one item as a batch of one, without padding frames."""
        return self.rows([index])

    def rows(self, items: Sequence[int]) -> Tokens:
        """Return some items, with padding frames up to the longest of them."""
        rows = list(items)
        longest = int(self.lengths[rows].max(initial=0))
        side = self.side_information
        return Tokens(
            self.codes[rows, :, :longest],
            self.lengths[rows],
            self.samples[rows],
            tuple(side[row] for row in rows) if side else (),
        )


class TokenCodec(Codec):
    """A codec whose packets are frames of codes, one packet a frame, packed bit by bit.

    A subclass gives `tokenize` and `detokenize`; encoding and decoding are derived from them.
    """

    @abc.abstractmethod
    def tokenize(self, waves: npt.ArrayLike, lengths: npt.ArrayLike | None = None) -> Tokens:
        """Turn signals at the codec's rate into codes.

        Parameters
        ----------
        waves : array, shape (batch, samples)
            Zero beyond each signal's length.
        lengths : array of int, shape (batch,), optional
            Samples of each signal; all of them if None.
        """

    @abc.abstractmethod
    def detokenize(self, tokens: Tokens) -> npt.NDArray[np.float32]:
        """Turn codes into signals, shape (batch, samples)."""

    @property
    def widths(self) -> tuple[int, ...]:
        """Bits of one code of each codebook that is sent."""
        return tuple(bits_for(size) for size in self.card.codebook_sizes)

    def encode(self, audio: Audio) -> Bitstream:
        """Encode one signal; see `Codec.encode`."""
        return self.encode_batch([audio])[0]

    def decode(self, bitstream: Bitstream) -> Audio:
        """Decode one bitstream; see `Codec.decode`."""
        return self.decode_batch([bitstream])[0]

    def encode_batch(self, audios: Sequence[Audio]) -> list[Bitstream]:
        """Tokenize a padded batch and pack each item's codes."""
        lengths = np.array([len(audio) for audio in audios], np.int64)
        waves = np.zeros((len(audios), int(lengths.max(initial=0))), np.float32)
        for wave, audio in zip(waves, audios, strict=True):
            wave[: len(audio)] = audio.samples
        tokens = self.tokenize(waves, lengths)
        return [
            self.bitstream(audio, *self._packets(tokens.item(index)))
            for index, audio in enumerate(audios)
        ]

    def decode_batch(self, bitstreams: Sequence[Bitstream]) -> list[Audio]:
        """Unpack each bitstream and detokenize the padded batch."""
        tokens = self.tokens(bitstreams)
        waves = self.detokenize(tokens)
        margin = self.card.delay_samples or 0
        return [
            Audio(wave[: bitstream.samples + margin], bitstream.sample_rate)
            for wave, bitstream in zip(waves, bitstreams, strict=True)
        ]

    def tokens(self, bitstreams: Sequence[Bitstream]) -> Tokens:
        """Unpack bitstreams into a padded batch of codes.

        Raises
        ------
        BitstreamError
            If a packet is none of this codec's.
        """
        lengths = np.array([len(bitstream.packets) for bitstream in bitstreams], np.int64)
        widths, sizes = self.widths, np.array(self.card.codebook_sizes, np.int64)
        codes = np.zeros((len(bitstreams), len(widths), int(lengths.max(initial=0))), np.int64)
        for item, bitstream in zip(codes, bitstreams, strict=True):
            for frame, packet in enumerate(bitstream.packets):
                if packet.bits != sum(widths):
                    raise BitstreamError(
                        f"frame {frame} has {packet.bits} bits; {self.spec} sends {sum(widths)}"
                    )
                item[:, frame] = unpack(packet.data, widths)
            if (item >= sizes[:, None]).any():
                raise BitstreamError(f"a code lies outside its codebook; {self.spec} sends none")
        samples = np.array([bitstream.samples for bitstream in bitstreams], np.int64)
        side = tuple(bitstream.side_information for bitstream in bitstreams)
        return Tokens(codes, lengths, samples, side)

    def _packets(self, tokens: Tokens) -> tuple[list[Packet], tuple[Packet, ...]]:
        widths = self.widths
        if tokens.codes.shape[1] != len(widths):
            raise CodecError(
                f"{self.spec}: {tokens.codes.shape[1]} codebooks coded, {len(widths)} on the card"
            )
        packets = frame_packets(tokens.codes[0], widths)
        side = tokens.side_information[0] if tokens.side_information else ()
        return packets, side


def frame_packets(codes: npt.NDArray[np.int64], widths: Sequence[int]) -> list[Packet]:
    """Pack codes (codebooks, frames) into one packet a frame, a code a width."""
    return [Packet(pack(frame, widths), sum(widths)) for frame in codes.T]
