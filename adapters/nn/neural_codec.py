"""What all neural codecs share: rates, weights, batches, streams and the card."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
import pydantic

from ...bits import bits_for
from ...bitstream import Bitstream, Packet
from ...codec import CodecCard, TokenCodec, Tokens
from ...component import Config, canonical_spec
from ...errors import BitstreamError, CodecError, UserError
from ...streaming import DecoderStream, EncoderStream, StreamingCodec
from .weights import WeightsSource, is_outside_source

if TYPE_CHECKING:
    from .entropy import EntropyCoder
    from .network import CodecNetwork
    from .weights import OfficialWeights, WeightsFile

BUNDLED = "nano"
"""The weights that come with the package."""

CHUNK_SECONDS = 10.0
"""Causal networks work through long signals in chunks of this length, to bound memory."""


class NeuralConfig(Config):
    """What every neural codec is configured with."""

    positional = "kbps"

    kbps: float | None = pydantic.Field(None, gt=0)
    """Rate in kbit/s, chosen by the number of codebooks that are sent; the highest if not given."""
    weights: WeightsSource = BUNDLED
    """``nano`` (comes with the package), ``official`` (the authors'), a file, or an address that
    ends in ``#sha256=`` and the file's checksum."""
    entropy: bool = False
    """Arithmetic-code each utterance into one packet: fewer bits, no streaming."""


class NeuralCodec(TokenCodec, StreamingCodec):
    """A network with a residual vector quantizer, one packet of codes a frame.

    A subclass names its folder, its network and what its card says; everything else is here.
    """

    Config = NeuralConfig
    config: Any
    official: ClassVar[Callable[[], OfficialWeights] | None] = None
    """Where the authors' weights are; None if there are none."""
    title: ClassVar[str]
    description: ClassVar[str]
    paper: ClassVar[str]
    licence: ClassVar[str] = "Apache-2.0 (this implementation and its weights)"
    folder: ClassVar[Path]
    """The adapter's folder, which holds recipes and weights."""

    _network: CodecNetwork | None = None

    # -- what a codec gives ------------------------------------------------------------------

    @classmethod
    def network_config(cls) -> type[pydantic.BaseModel]:
        """Return the class of the network's configuration, a recipe's ``[model]`` table."""
        from .network import SeanetNetworkConfig

        return SeanetNetworkConfig

    @classmethod
    def build_network(cls, config: Any) -> CodecNetwork:
        """Build the network with fresh weights."""
        from .network import SeanetNetwork

        return SeanetNetwork(config)

    @property
    def weights_stem(self) -> str:
        """Name of the bundled file, without suffix."""
        return str(self.config.weights)

    @property
    def variant(self) -> str:
        """The variant that the weights must be of; empty if there is only one."""
        return ""

    # -- weights and rate --------------------------------------------------------------------

    @cached_property
    def weights_file(self) -> WeightsFile:
        """The weights' header; fetched first if they are not here.

        Raises
        ------
        UnavailableError, UserError
        """
        from .weights import check_format, locate, read_header

        official = self.official() if self.official else None
        name = self.weights_stem if self.config.weights == BUNDLED else self.config.weights
        header = read_header(locate(name, self.folder, official=official, codec=self.name))
        check_format(header, self.name)
        if header.variant != self.variant:
            raise UserError(
                f"{header.path} holds variant '{header.variant}' of {self.name},"
                f" not '{self.variant}'"
            )
        return header

    @cached_property
    def shape(self) -> Any:
        """The network's configuration, as the weights state it."""
        try:
            return self.network_config().model_validate(self.weights_file.config)
        except pydantic.ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise UserError(
                f"{self.weights_file.path}: not a configuration of {self.name}:"
                f" {where}: {first['msg']}"
            ) from error

    @property
    def names_outside_sources(self) -> bool:
        """Whether the spec names a file or an address."""
        return is_outside_source(self.config.weights)

    @property
    def hop_length(self) -> int:
        """Samples a frame."""
        hop: int = self.shape.hop_length
        return hop

    @property
    def layer_widths(self) -> tuple[int, ...]:
        """Bits of one frame's codes in one residual layer, one number a group."""
        quantizer = self.shape.quantizer
        return (bits_for(quantizer.codebook_size),) * quantizer.groups

    @property
    def rates(self) -> tuple[float, ...]:
        """Rates in kbit/s that the weights offer."""
        frame_rate = self.shape.sample_rate / self.hop_length
        layer = sum(self.layer_widths) * frame_rate / 1000
        return tuple(layer * count for count in range(1, self.shape.quantizer.codebooks + 1))

    @cached_property
    def layers(self) -> int:
        """Residual layers that are sent at the configured rate.

        Raises
        ------
        UserError
            If the weights do not offer the rate.
        """
        rates = self.rates
        if self.config.kbps is None:
            return len(rates)
        for count, rate in enumerate(rates, start=1):
            if abs(rate - self.config.kbps) < 1e-6 * rate:
                return count
        known = ", ".join(f"{rate:g}" for rate in rates)
        raise UserError(f"{self.name}: kbps={self.config.kbps:g} is no rate of it; it has {known}")

    @property
    def spec(self) -> str:
        """The canonical spec, with the rate that is used."""
        rate = round(self.rates[self.layers - 1], 9)
        return canonical_spec(self.name, self.config.model_copy(update={"kbps": rate}))

    @property
    def card(self) -> CodecCard:
        """The card of this configuration."""
        shape, header = self.shape, self.weights_file
        return CodecCard(
            name=self.name,
            title=f"{self.title} ({self.weights_label})",
            description=self.description,
            licence=self.licence,
            paper=self.paper,
            sample_rate=shape.sample_rate,
            frame_rate=shape.sample_rate / self.hop_length,
            codebook_sizes=(shape.quantizer.codebook_size,)
            * (self.layers * shape.quantizer.groups),
            bandwidth_hz=None,
            causal=shape.causal,
            delay_samples=shape.delay_samples,
            algorithmic_latency_ms=self.latency_ms,
            nominal_kbps=self.rates[self.layers - 1],
            parameters=header.parameters,
            weights=str(self.config.weights),
            weights_sha256=header.sha256,
            training_speakers=header.training_speakers,
            notes=self.notes,
        )

    @property
    def weights_label(self) -> str:
        """How tables call the weights."""
        return Path(self.config.weights).stem if self.names_outside_sources else self.weights_stem

    @property
    def latency_ms(self) -> float | None:
        """Frame plus overlap of a causal network; None (unknown) of one that looks ahead.

        Infinite with entropy coding, which sends nothing before the utterance has ended.
        """
        shape = self.shape
        if self.config.entropy:
            return math.inf
        if not shape.causal:
            return None
        return 1000.0 * (self.hop_length + shape.delay_samples) / float(shape.sample_rate)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of a table must know."""
        notes = []
        if self.config.weights == BUNDLED:
            notes.append("nano: a small network trained by this project; not the paper's model")
        if self.config.entropy:
            notes.append("entropy-coded: one packet an utterance; the nominal rate is without")
        return tuple(notes)

    def check_available(self) -> None:
        """Raise if the weights are not here or do not offer the rate."""
        super().check_available()
        _ = self.layers
        if self.config.entropy:
            _ = self.entropy_coder

    def setup(self, device: str = "cpu") -> None:
        """Load the network."""
        from .network import in_eval_mode
        from .weights import load_into, read_tensors

        _ = self.layers
        network = self.build_network(self.shape)
        load_into(network, read_tensors(self.weights_file.path), self.name)
        self._network = in_eval_mode(network, device)
        self._device = device

    @property
    def network(self) -> CodecNetwork:
        """The loaded network."""
        if self._network is None:
            self.setup()
        assert self._network is not None
        return self._network

    # -- codes -------------------------------------------------------------------------------

    def frames_of(self, samples: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Return how many frames carry signals of these lengths through the delay."""
        total = np.asarray(samples, np.int64) + self.shape.delay_samples
        return -(-total // self.hop_length)

    def tokenize(self, waves: npt.ArrayLike, lengths: npt.ArrayLike | None = None) -> Tokens:
        """Turn signals into codes; see `TokenCodec.tokenize`."""
        signals = np.atleast_2d(np.asarray(waves, np.float32))
        samples = (
            np.full(len(signals), signals.shape[1], np.int64)
            if lengths is None
            else np.asarray(lengths, np.int64)
        )
        frames = self.frames_of(samples)
        codes = np.zeros((len(signals), len(self.widths), int(frames.max(initial=0))), np.int64)
        for items in self._batches(frames):
            longest = int(frames[items].max())
            padded = np.zeros((len(items), longest * self.hop_length), np.float32)
            for row, item in enumerate(items):
                padded[row, : samples[item]] = signals[item, : samples[item]]
            codes[items, :, :longest] = self._codes_of(padded)
        codes *= np.arange(codes.shape[2]) < frames[:, None, None]
        return Tokens(codes, frames, samples)

    def detokenize(self, tokens: Tokens) -> npt.NDArray[np.float32]:
        """Turn codes of any number of residual layers into signals; see `TokenCodec.detokenize`."""
        self._check_codes(tokens)
        out = np.zeros((len(tokens), tokens.codes.shape[2] * self.hop_length), np.float32)
        for items in self._batches(tokens.lengths):
            longest = int(tokens.lengths[items].max())
            out[items, : longest * self.hop_length] = self._waves_of(
                tokens.codes[items, :, :longest]
            )
        beyond = np.arange(out.shape[1]) >= tokens.lengths[:, None] * self.hop_length
        out[beyond] = 0.0
        return out

    def _batches(self, frames: npt.NDArray[np.int64]) -> list[list[int]]:
        """Group items that may run together: any lengths if causal, else equal ones."""
        if self.shape.causal:
            return [list(range(len(frames)))] if len(frames) and frames.max() else []
        return [list(np.flatnonzero(frames == count)) for count in np.unique(frames) if count]

    def _codes_of(self, waves: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
        import torch

        with torch.inference_mode():
            signals = torch.from_numpy(waves).to(self._device_of())
            latents = self.network.encode_in_chunks(signals, self._chunk_frames)
            codes = self.network.quantizer.encode(latents, self.layers)
        return codes.cpu().numpy()

    def _waves_of(self, codes: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        import torch

        with torch.inference_mode():
            latents = self.network.quantizer.decode(torch.from_numpy(codes).to(self._device_of()))
            waves = self.network.decode_in_chunks(latents, self._chunk_frames)
        return waves.float().cpu().numpy()

    @property
    def _chunk_frames(self) -> int:
        return max(1, round(CHUNK_SECONDS * self.shape.sample_rate / self.hop_length))

    def _device_of(self) -> str:
        _ = self.network
        return self._device

    def _check_codes(self, tokens: Tokens) -> None:
        count, most = tokens.codes.shape[1], self.shape.quantizer.codebooks
        groups = self.shape.quantizer.groups
        if not 0 < count <= most * groups or count % groups:
            raise CodecError(f"{self.name}: {count} codebooks given; it has {most} x {groups}")
        size = self.shape.quantizer.codebook_size
        if tokens.codes.size and not 0 <= tokens.codes.min() <= tokens.codes.max() < size:
            raise BitstreamError(f"{self.name}: a code lies outside its codebook of {size} entries")

    @cached_property
    def entropy_coder(self) -> EntropyCoder:
        """The arithmetic coder of the codebooks that are sent.

        Raises
        ------
        UserError
            If the weights come without code counts.
        """
        from .entropy import EntropyCoder, read_counts

        quantizer = self.shape.quantizer
        shape = (quantizer.codebooks * quantizer.groups, quantizer.codebook_size)
        return EntropyCoder(read_counts(self.weights_file.path, shape)[: len(self.widths)])

    def tokens(self, bitstreams: Sequence[Bitstream]) -> Tokens:
        """Unpack or entropy-decode bitstreams; see `TokenCodec.tokens`.

        Raises
        ------
        BitstreamError
            If packets are missing or are none of this codec's.
        """
        for bitstream in bitstreams:
            self._check_packets(bitstream)
        if not self.config.entropy:
            return super().tokens(bitstreams)
        samples = np.array([bitstream.samples for bitstream in bitstreams], np.int64)
        lengths = self.frames_of(samples)
        codes = np.zeros((len(samples), len(self.widths), int(lengths.max(initial=0))), np.int64)
        for item, bitstream, frames in zip(codes, bitstreams, lengths, strict=True):
            item[:, :frames] = self.entropy_coder.decode(bitstream.packets[0], int(frames))
        return Tokens(codes, lengths, samples)

    def _check_packets(self, bitstream: Bitstream) -> None:
        due = 1 if self.config.entropy else int(self.frames_of(bitstream.samples))
        if len(bitstream.packets) != due or bitstream.sample_rate != self.shape.sample_rate:
            raise BitstreamError(
                f"{len(bitstream.packets)} packets at {bitstream.sample_rate} Hz where"
                f" {due} at {self.shape.sample_rate} Hz carry {bitstream.samples} samples"
            )

    def _packets(self, tokens: Tokens) -> tuple[list[Packet], tuple[Packet, ...]]:
        if self.config.entropy:
            return [self.entropy_coder.encode(tokens.codes[0])], ()
        return super()._packets(tokens)

    def at_lower_rate(self, bitstream: Bitstream, kbps: float) -> Bitstream:
        """Drop residual layers from a bitstream: what a `kbps` encoder would have sent.

        Packets of plain codes are shortened; an entropy-coded one is decoded and coded again,
        without a loss.

        Raises
        ------
        UserError
            If that rate is not offered or is higher than the bitstream's.
        """
        target = type(self)(self.config.model_copy(update={"kbps": kbps}))
        kept = len(target.widths)
        if kept > len(self.widths):
            raise UserError(f"{self.spec} cannot be raised to {kbps:g} kbit/s")
        tokens = self.tokens([bitstream])
        packets, _ = target._packets(replace(tokens, codes=tokens.codes[:, :kept]))
        return Bitstream(
            target.spec,
            bitstream.samples,
            bitstream.sample_rate,
            tuple(packets),
            bitstream.side_information,
        )

    # -- streams -----------------------------------------------------------------------------

    def encoder_stream(self) -> EncoderStream:
        """Start to encode a signal chunk by chunk."""
        self.check_streams()
        from .streams import NeuralEncoderStream

        return NeuralEncoderStream(self)

    def decoder_stream(self, side_information: Sequence[Packet] = ()) -> DecoderStream:
        """Start to decode a signal packet by packet; lost ones repeat and fade the last latents."""
        self.check_streams()
        from .streams import NeuralDecoderStream

        return NeuralDecoderStream(self)

    def check_streams(self) -> None:
        """Raise if this configuration cannot stream; see `StreamingCodec.check_streams`."""
        if not self.shape.causal:
            raise UserError(
                f"{self.spec} looks ahead, so it can neither stream nor lose packets;"
                " give causal weights"
            )
        if self.config.entropy:
            raise UserError(
                f"{self.name}: entropy=on codes the whole utterance into one packet, which can"
                " neither stream nor lose packets; leave it out"
            )

    # -- training ----------------------------------------------------------------------------

    @classmethod
    def trainer(cls) -> Callable[..., Any]:
        """Return the function that trains a recipe of this codec."""
        from ..training.trainer import train

        return train
