"""Arithmetic coding of an utterance's codes, adaptive, decodable on any machine.

Every codebook has a model of its own. It starts as the codebook's code counts on training speech
(the tensor `COUNTS` of the weights file) and learns from what was sent. All model arithmetic is on
integers: frequencies of all codes sum to exactly 2**24, the coder's own resolution, so that nothing
is left to round when they are handed over as floating point numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ...bitstream import Packet
from ...errors import BitstreamError, UserError
from .weights import COUNTS

if TYPE_CHECKING:
    from torch import Tensor

    from .network import CodecNetwork

PRIOR_FRAMES = 1024
"""A model trusts its training counts as much as so many frames of the utterance."""

_UNIT = 1 << 12
"""Weight of one code that was sent; fractions of it stand for rare codes of the prior."""
_TOTAL = 1 << 24
"""Sum of frequencies: constriction's fixed-point resolution."""
_WORD, _STATE = 32, 64
"""Bits of constriction's compressed words and of its coder's state."""

Integers = npt.NDArray[np.int64]


class EntropyCoder:
    """Codes utterances into one packet each; keeps nothing between them.

    Parameters
    ----------
    counts : array-like of int, shape (codebooks, size)
        How often each code occurred on training speech: at least 0 and below 2**31, two entries
        or more.
    """

    def __init__(self, counts: npt.ArrayLike) -> None:
        # Half a count for each code that never occurred (Krichevsky and Trofimov 1981).
        doubled = 2 * np.asarray(counts, np.int64) + 1
        scaled = doubled * (PRIOR_FRAMES * _UNIT) // doubled.sum(axis=1, keepdims=True)
        self._prior: Integers = np.maximum(scaled, 1)

    def encode(self, codes: npt.ArrayLike) -> Packet:
        """Code all frames of an utterance.

        The packet ends where no bits that might follow could change what is decoded, so that its
        length tells the decoder nothing.

        Parameters
        ----------
        codes : array-like of int, shape (codebooks, frames)
            Inside their codebooks.
        """
        from constriction import stream

        encoder = stream.queue.RangeEncoder()
        family = stream.model.Categorical(perfect=False)
        models = _AdaptiveModels(self._prior)
        for frame in np.asarray(codes, np.int32).T:
            encoder.encode(np.ascontiguousarray(frame), family, models.above_one())
            models.learn(frame)
        return _finished(encoder)

    def decode(self, packet: Packet, frames: int) -> Integers:
        """Decode a packet of so many frames.

        Returns
        -------
        array of int64, shape (codebooks, frames)

        Raises
        ------
        BitstreamError
            If the packet is damaged so that it cannot have come from `encode`. Other damage
            gives other codes.
        """
        from constriction import stream

        decoder = stream.queue.RangeDecoder(_words(packet))
        family = stream.model.Categorical(perfect=False)
        models = _AdaptiveModels(self._prior)
        codes = np.zeros((len(self._prior), frames), np.int64)
        spent = 0.0
        for frame in range(frames):
            above_one = models.above_one()
            try:
                decoded = decoder.decode(family, above_one)
            except AssertionError as error:  # how constriction says it
                raise BitstreamError(
                    f"frame {frame} of the entropy-coded packet is none"
                ) from error
            codes[:, frame] = decoded
            models.learn(decoded)
            spent += _information(above_one, decoded)
            # Beyond its end a packet decodes for ever; a bit of tolerance is for rounding here.
            if spent > packet.bits + 1:
                raise BitstreamError(f"the entropy-coded packet ends before frame {frame}")
        if self.encode(codes) != packet:
            raise BitstreamError(f"the entropy-coded packet is not one of {frames} frames")
        return codes


class _AdaptiveModels:
    """Frequencies of all codes of each codebook, which follow what was sent."""

    def __init__(self, prior: Integers) -> None:
        self._weights = prior.copy()
        self._rows = np.arange(len(prior))
        self._free = _TOTAL - prior.shape[1]

    def above_one(self) -> npt.NDArray[np.float64]:
        """Return what each frequency has above 1, (codebooks, size): integers, as floats.

        constriction gives each code a frequency of 1 and shares out what is left of 2**24 by
        rounding down cumulative sums of probabilities times what is left over their total. Both
        are the same number here, and sums of integers below 2**53 are exact.
        """
        sums = self._weights.cumsum(axis=1)
        # Below 2**63 for 2**27 frames and more: a month of speech.
        bounds: Integers = sums * self._free // sums[:, -1:]
        bounds[:, 1:] -= bounds[:, :-1].copy()
        return bounds.astype(np.float64)

    def learn(self, frame: npt.NDArray[Any]) -> None:
        """Take note of the codes of one frame, one a codebook."""
        self._weights[self._rows, frame] += _UNIT


def _information(above_one: npt.NDArray[np.float64], codes: npt.NDArray[Any]) -> float:
    """Return what the codes of one frame cost, in bits."""
    frequencies = above_one[np.arange(len(codes)), codes] + 1
    return float(len(codes) * math.log2(_TOTAL) - np.log2(frequencies).sum())


def _finished(encoder: Any) -> Packet:
    """Return the shortest packet that decodes to what was encoded, whatever follows it.

    The coder stands for all binary fractions of an interval. constriction ends with whole words;
    the shortest string of bits all of whose continuations lie inside is up to 62 bits shorter.
    """
    words, (lower, size) = encoder.pos()
    sealed = encoder.get_compressed()
    digits = words * _WORD + _STATE
    inside = int.from_bytes(sealed.astype(">u4").tobytes()) << (digits - _WORD * len(sealed))
    # The interval begins where its last 64 digits are `lower`: at or before the sealed number.
    start = inside - (inside - lower) % (1 << _STATE)
    for spare in range(_STATE, -1, -1):
        value = -(-start >> spare)
        if (value + 1) << spare <= start + size:
            break
    bits = digits - spare
    filled = value << (-bits % 8)
    return Packet(filled.to_bytes(-(-bits // 8)), bits)


def _words(packet: Packet) -> npt.NDArray[np.uint32]:
    padded = packet.data + bytes(-len(packet.data) % (_WORD // 8))
    return np.frombuffer(padded, ">u4").astype(np.uint32)


def read_counts(path: Path, shape: tuple[int, int]) -> Integers:
    """Read the code counts of a weights file.

    Parameters
    ----------
    path : Path
    shape : (int, int)
        Codebooks and their size.

    Raises
    ------
    UserError
        If the file has none, or not such.
    """
    import safetensors

    counts: npt.NDArray[Any] | None = None
    if path.suffix == ".safetensors":
        try:
            with safetensors.safe_open(path, "numpy") as file:
                names = file.keys()
                counts = file.get_tensor(COUNTS) if COUNTS in names else None
        except safetensors.SafetensorError as error:
            raise UserError(f"{path} is not a safetensors file, or is damaged") from error
    if counts is None:
        raise UserError(
            f"entropy=on needs weights with code counts; {path} has none: leave entropy=on out, or"
            " export the weights with this version's `codecbench train`"
        )
    if counts.shape != shape or counts.dtype != np.int32 or counts.min() < 0:
        raise UserError(f"{path}: {COUNTS} is no int32 table of {shape[0]} x {shape[1]} counts")
    return counts.astype(np.int64)


def count_codes(network: CodecNetwork, waves: Iterable[Tensor]) -> Tensor:
    """Count the codes of speech, for the tensor `COUNTS` of a weights file.

    Parameters
    ----------
    network : CodecNetwork
        In evaluation mode.
    waves : iterable of Tensor, each (batch, samples)
        Speech at the network's rate and level, without padding, on the network's device.

    Returns
    -------
    Tensor of int32, shape (codebooks, size)
        In the order in which codes are sent.
    """
    import torch

    size = network.quantizer.config.codebook_size
    counts = torch.zeros(len(network.quantizer), size, dtype=torch.int64)
    with torch.inference_mode():
        for batch in waves:
            codes = network.quantizer.encode(network.encode(batch).float())
            for row, layer in zip(counts, codes.transpose(0, 1).flatten(1), strict=True):
                row += torch.bincount(layer, minlength=size).cpu()
    return counts.clamp(max=torch.iinfo(torch.int32).max).to(torch.int32)
