"""What all neural codecs share: codes in batches, streams and entropy coding."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ...audio import Audio
from ...bitstream import Bitstream, Packet
from ...codec import Tokens
from ...errors import BitstreamError, CodecError, UserError
from ...streaming import DecoderStream, EncoderStream
from .neural_base import NeuralBase

if TYPE_CHECKING:
    from torch import Tensor

    from .entropy import EntropyCoder
    from .network import CodecNetwork

CHUNK_SECONDS = 10.0
"""Causal networks work through long signals in chunks of this length, to bound memory."""


class NeuralCodec(NeuralBase):
    """A network with a residual vector quantizer, one packet of codes a frame.

    A subclass names its folder, its network and what its card says; everything else is here.
    """

    _network: CodecNetwork | None = None

    def check_available(self) -> None:
        """Raise if the weights are not here or do not offer the rate."""
        super().check_available()
        _ = self.layers
        if self.config.entropy:
            _ = self.entropy_coder

    def setup(self, device: str = "cpu") -> None:
        """Load the network."""
        import torch

        from .network import in_eval_mode
        from .weights import check_fit, load_into

        _ = self.layers
        with torch.device("meta"):
            skeleton = self.build_network(self.shape)
        tensors = self.read_weights(skeleton)
        check_fit(skeleton, tensors, self.name)
        network = self.build_network(self.shape)
        load_into(network, tensors, self.name)
        in_eval_mode(network, device)
        self._network = network

    def read_weights(self, skeleton: CodecNetwork) -> dict[str, Tensor]:
        """Read the weights' tensors, named as the network's.

        Parameters
        ----------
        skeleton : CodecNetwork
            The network without values, on the device ``meta``.

        Raises
        ------
        UserError
        """
        from .weights import read_tensors

        return read_tensors(self.weights_file.path)

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
        total = np.asarray(samples, np.int64) + int(self.shape.delay_samples)
        frames: npt.NDArray[np.int64] = -(-total // self.hop_length)
        return frames

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
        return Tokens(codes, frames, samples, self._side_information(signals, samples))

    def detokenize(self, tokens: Tokens) -> npt.NDArray[np.float32]:
        """Turn codes of any number of residual layers into signals; see `TokenCodec.detokenize`."""
        self._check_codes(tokens)
        out = np.zeros((len(tokens), tokens.codes.shape[2] * self.hop_length), np.float32)
        for items in self._batches(tokens.lengths):
            longest = int(tokens.lengths[items].max())
            out[items, : longest * self.hop_length] = self._waves_of(tokens.rows(items))
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
            signals = torch.from_numpy(waves).to(self.network.device)
            latents = self.network.encode_in_chunks(signals, self._chunk_frames)
            codes = self.network.quantizer.encode(latents, self.layers)
        return codes.cpu().numpy()

    def _side_information(
        self, waves: npt.NDArray[np.float32], samples: npt.NDArray[np.int64]
    ) -> tuple[tuple[Packet, ...], ...]:
        """Return what is sent once for each signal, as long as `side_widths` says."""
        return ()

    def _waves_of(self, tokens: Tokens) -> npt.NDArray[np.float32]:
        import torch

        with torch.inference_mode():
            codes = torch.from_numpy(tokens.codes).to(self.network.device)
            latents = self.network.quantizer.decode(codes)
            waves = self.network.decode_in_chunks(latents, self._chunk_frames)
        return waves.float().cpu().numpy()

    @property
    def _chunk_frames(self) -> int:
        return max(1, round(CHUNK_SECONDS * int(self.shape.sample_rate) / self.hop_length))

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
        side = tuple(bitstream.side_information for bitstream in bitstreams)
        return Tokens(codes, lengths, samples, side)

    def _check_packets(self, bitstream: Bitstream) -> None:
        due = 1 if self.config.entropy else int(self.frames_of(bitstream.samples))
        if len(bitstream.packets) != due or bitstream.sample_rate != self.shape.sample_rate:
            raise BitstreamError(
                f"{len(bitstream.packets)} packets at {bitstream.sample_rate} Hz where"
                f" {due} at {self.shape.sample_rate} Hz carry {bitstream.samples} samples"
            )
        self.check_side_information(bitstream.side_information)

    def check_side_information(self, side: Sequence[Packet]) -> None:
        """Raise `BitstreamError` if side information is none of this codec's."""
        found, due = [packet.bits for packet in side], sum(self.side_widths)
        if found != ([due] if due else []):
            raise BitstreamError(
                f"side information of {sum(found)} bits in {len(found)} packets where"
                f" {due} bits are due"
            )

    def _packets(self, tokens: Tokens) -> tuple[list[Packet], tuple[Packet, ...]]:
        if not self.config.entropy:
            return super()._packets(tokens)
        side = tokens.side_information[0] if tokens.side_information else ()
        return [self.entropy_coder.encode(tokens.codes[0])], side

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

    def decode_with_losses(self, bitstream: Bitstream, lost: Iterable[int]) -> Audio:
        """Decode with losses; see `StreamingCodec.decode_with_losses`.

        Raises
        ------
        BitstreamError
            If packets are missing that were not lost, or are none of this codec's.
        """
        self._check_packets(bitstream)
        return super().decode_with_losses(bitstream, lost)

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
