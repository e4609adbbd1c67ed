"""Bitrate: counted bits over the reference's duration, pooled over the corpus."""

from __future__ import annotations

import math

import numpy as np

from ..codec import CodecCard, Tokens
from ..corpora.base import Utterance
from ..errors import MetricError
from ..metric import Column, Decoded, Metric, Score

_UNKNOWN = "the rate is not known: this audio came without bits"

_COUNTED = {
    "bitstream": frozenset({"kbps", "kbps_main", "kbps_file", "kbps_entropy"}),
    "files": frozenset({"kbps", "kbps_main"}),
    "claim": frozenset({"kbps"}),
    "none": frozenset[str](),
}
"""Columns that each source of the rate gives; `CodecCard.rate_source`."""


def _column(name: str, title: str, default: bool = True) -> Column:
    return Column(
        name,
        title,
        "kbit/s",
        "lower",
        bounds=(0.0, math.inf),
        pooled=True,
        ranked=False,
        default=default,
        digits=2,
    )


class Bitrate(Metric):
    """Rates in kbit/s; numerators are kilobits, denominators seconds of reference."""

    name = "bitrate"
    columns = (
        _column("kbps", "kbps"),
        _column("kbps_main", "kbps (main)"),
        _column("kbps_file", "kbps (file)"),
        _column("kbps_entropy", "kbps (entropy)"),
    )
    definition = """Counted bits / 1000 / seconds of the reference, pooled over utterances.
        kbps: packets and side information, or as claimed for decoded:kbps=. kbps_main: packets
        alone. kbps_file: all bytes of the container file, with its header, packet lengths and
        checksum. kbps_entropy: an estimate, not a rate anybody sends: for each codebook,
        codes x empirical entropy of that utterance's codes; biased low for short utterances."""
    accepts_silence = True
    accepts_unequal_lengths = True
    always = True

    def applicable(self, utterance: Utterance, card: CodecCard | None) -> frozenset[str]:
        """Leave out what is known not to be counted.

        That is the entropy of codecs without codebooks, and what the source of the rate lacks.
        """
        if card is None:
            return self.selected
        known = self.selected & _COUNTED[card.rate_source]
        return known if card.codebook_sizes else known - {"kbps_entropy"}

    def _prepare(self, utterance: Utterance) -> float:
        return utterance.signal.audio.seconds

    def _score(self, prepared: float, decoded: Decoded) -> dict[str, Score]:
        kilobits = {
            "kbps": _kilobits(decoded.main_bits, decoded.side_bits),
            "kbps_main": _kilobits(decoded.main_bits),
            "kbps_file": _kilobits(None if decoded.file_bytes is None else 8 * decoded.file_bytes),
        }
        scores = {
            name: Score.failed(_UNKNOWN) if bits is None else Score.ratio(bits, prepared)
            for name, bits in kilobits.items()
        }
        return {**scores, "kbps_entropy": self._entropy(prepared, decoded.tokens)}

    @staticmethod
    def _entropy(seconds: float, tokens: Tokens | None) -> Score:
        if tokens is None:
            return Score.failed("the codec sends no codes from codebooks")
        return Score.ratio(entropy_bits(tokens) / 1000.0, seconds)


def entropy_bits(tokens: Tokens) -> float:
    """Return the codes' empirical entropy in bits, summed over codebooks.

    Parameters
    ----------
    tokens : Tokens
        Of one signal, codes of shape (1, codebooks, frames).

    Raises
    ------
    MetricError
        If there is more than one signal.
    """
    if len(tokens) != 1:
        raise MetricError(f"the codes of one signal are needed; got {len(tokens)}")
    frames = int(tokens.lengths[0])
    total = 0.0
    for codes in tokens.codes[0, :, :frames]:
        _, counts = np.unique(codes, return_counts=True)
        total -= float(np.sum(counts * np.log2(counts / max(frames, 1))))
    return max(total, 0.0)


def _kilobits(*bits: int | None) -> float | None:
    known = [number for number in bits if number is not None]
    return sum(known) / 1000.0 if len(known) == len(bits) else None
