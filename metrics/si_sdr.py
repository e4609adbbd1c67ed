"""SI-SDR: scale-invariant signal-to-distortion ratio."""

from __future__ import annotations

import math

from ..corpora.base import Utterance
from ..errors import MetricError
from ..metric import Column, Decoded, Law, Metric, Score
from ..signals import Wave

CAP_DB = 100.0


class SiSdr(Metric):
    """How much of the decoded waveform is the reference's, whatever its level."""

    name = "si_sdr"
    columns = (
        Column("si_sdr", "SI-SDR", "dB", "higher", (-math.inf, CAP_DB), ranked=False, digits=2),
    )
    paper = "Le Roux et al., SDR - half-baked or well done?, ICASSP 2019"
    laws = (
        Law("identity_is_best", ("si_sdr",)),
        Law("monotone_in_snr", ("si_sdr",)),
        Law("gain_invariant", ("si_sdr",), 1e-4),
        Law("polarity_invariant", ("si_sdr",), 1e-6),
    )
    definition = """
        10 log10(|a x|²/|y - a x|²) with a = <y, x>/<x, x>, x the reference, y the decoded
        signal, at the evaluation rate; means are not removed; capped at 100 dB, which is what
        an identical signal has. Never ranked: it asks for the waveform, and a codec that
        synthesizes speech may sound right and score below 0 dB.
        """

    def _score(self, prepared: Utterance, decoded: Decoded) -> dict[str, Score]:
        rate = decoded.signal.sample_rate
        return {"si_sdr": Score(si_sdr(prepared.signal.at(rate), decoded.signal.at(rate)))}


def si_sdr(reference: Wave, decoded: Wave) -> float:
    """Return the scale-invariant signal-to-distortion ratio in dB, at most 100.

    Parameters
    ----------
    reference, decoded : array, shape (samples,)
        The reference must not be all zeros.

    Raises
    ------
    MetricError
        If the signals are orthogonal: the ratio is minus infinity.

    Examples
    --------
    >>> import numpy as np
    >>> round(si_sdr(np.array([1.0, 0.0]), np.array([2.0, 0.2])), 6)
    20.0
    """
    scale = float(decoded @ reference) / float(reference @ reference)
    target = scale * reference
    error = decoded - target
    signal_energy, error_energy = float(target @ target), float(error @ error)
    if signal_energy == 0.0:
        raise MetricError("the decoded audio has nothing of the reference (SI-SDR is -inf dB)")
    if error_energy == 0.0:
        return CAP_DB
    return min(CAP_DB, 10.0 * math.log10(signal_energy / error_energy))
