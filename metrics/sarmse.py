"""SaRMSE: root-mean-square error of the spectral amplitude."""

from __future__ import annotations

import math

from ..corpora.base import Utterance
from ..metric import Column, Decoded, Law, Metric, Score
from .spectra import LOG_SPECTRUM, squared_log_distances


class SpectralAmplitudeRmse(Metric):
    """Root-mean-square difference of log-amplitude spectra over all frames and lines."""

    name = "sarmse"
    columns = (Column("sarmse", "SaRMSE", "dB", "lower", (0.0, math.inf), digits=2),)
    laws = (
        Law("identity_is_best", ("sarmse",)),
        Law("monotone_in_snr", ("sarmse",)),
        Law("polarity_invariant", ("sarmse",)),
    )
    definition = f"""
        This project's definition, since the authors of SVCODEC, who report a SaRMSE, publish
        none. {LOG_SPECTRUM}; root of the mean over all frames and all lines, 0 Hz to half the
        evaluation rate, of the squared difference of 20 log10 amplitude. It differs from LSD
        in unit and in the order of root and mean. Level and time are not adjusted.
        """

    def _score(self, prepared: Utterance, decoded: Decoded) -> dict[str, Score]:
        distances = decoded.signal.analyse(squared_log_distances, reference=prepared.signal)
        # log10 of the amplitude is half of log10 of the power
        return {"sarmse": Score(10.0 * math.sqrt(float(distances.mean())))}
