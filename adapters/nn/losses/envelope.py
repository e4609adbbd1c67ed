"""A loss between the envelopes of bands."""

from __future__ import annotations

from torch import Tensor

from .spectra import MelScale, SpectrumPair


def band_envelope(pair: SpectrumPair, scale: MelScale, segment: int, floor: float) -> Tensor:
    """Return 1 minus the correlation of the mel bands' envelopes over short segments.

    Each band counts alike, however weak it is. Segments overlap by half; their means are removed
    and the floor is added to their power, so that silence counts as little as it should.
    Intelligibility measures judge much the same.

    Parameters
    ----------
    pair : SpectrumPair
    scale : MelScale
    segment : int
        Frames of a segment; at most those of the signal are used.
    floor : float
        Root mean square below which an envelope's movement counts less.

    References
    ----------
    Kolbæk, Tan, Jensen and Jensen, "On loss functions for supervised monaural time-domain speech
    enhancement" (arXiv 1909.01019): the correlation of envelopes and its relation to STOI.
    """
    reference, decoded = (_segments(mels, segment) for mels in pair.mels(scale))
    product = (reference * decoded).mean(-1)
    powers = (reference.square().mean(-1) + floor**2) * (decoded.square().mean(-1) + floor**2)
    return 1 - ((product + floor**2) / powers.sqrt()).mean()


def _segments(mels: Tensor, length: int) -> Tensor:
    """Cut (batch, frames, bins) into (batch, segments, bins, length), without their means."""
    length = min(length, mels.shape[1])
    parts = mels.unfold(1, length, max(1, length // 2))
    return parts - parts.mean(-1, keepdim=True)
