"""Losses between waveforms."""

from __future__ import annotations

from torch import Tensor

SDR_RANGE = (-20.0, 30.0)
"""In dB. Outside it an item has no gradient."""

PRE_EMPHASIS = 0.9
"""Coefficient of the first-order high-pass that lifts speech's weak upper band."""

_ENERGY_FLOOR = 1e-8


def waveform_sdr(reference: Tensor, decoded: Tensor) -> Tensor:
    """Return minus the signal-to-distortion ratio in dB, averaged over items.

    Each item's ratio is clamped to `SDR_RANGE`: a silent reference has a ratio of minus infinity
    whatever is decoded, and an item that is already right needs no more.

    Parameters
    ----------
    reference, decoded : Tensor, shape (batch, samples)

    Returns
    -------
    Tensor
        Scalar in -30..20.
    """
    signal = reference.square().sum(-1) + _ENERGY_FLOOR
    distortion = (reference - decoded).square().sum(-1) + _ENERGY_FLOOR
    return -(10 * (signal / distortion).log10()).clamp(*SDR_RANGE).mean()


def emphasized_sdr(reference: Tensor, decoded: Tensor) -> Tensor:
    """Return `waveform_sdr` after pre-emphasis, so that the upper band counts too.

    Parameters
    ----------
    reference, decoded : Tensor, shape (batch, samples)
    """
    return waveform_sdr(_emphasized(reference), _emphasized(decoded))


def _emphasized(x: Tensor) -> Tensor:
    return x[..., 1:] - PRE_EMPHASIS * x[..., :-1]
