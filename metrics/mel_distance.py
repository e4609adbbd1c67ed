"""Distance of log-mel spectra."""

from __future__ import annotations

import math

import numpy as np

from ..corpora.base import Utterance
from ..metric import Column, Decoded, Law, Metric, Score
from .spectra import log_mel


class MelDistance(Metric):
    """Mean absolute difference of natural-log mel spectra."""

    name = "mel_distance"
    columns = (Column("mel_distance", "Mel distance", "", "lower", (0.0, math.inf)),)
    laws = (
        Law("identity_is_best", ("mel_distance",)),
        Law("monotone_in_snr", ("mel_distance",)),
        Law("polarity_invariant", ("mel_distance",)),
    )
    definition = """
        Magnitude spectra |X| of frames of 64 ms every 16 ms (1024 and 256 samples at 16 kHz),
        periodic Hann window, no padding; 80 triangular bands of unit area on Slaney's mel scale
        from 0 Hz to half the evaluation rate (librosa's default); natural logarithm, not below
        that of 1e-5; mean over frames and bands of the absolute difference. Level and time
        are not adjusted.
        """

    def _score(self, prepared: Utterance, decoded: Decoded) -> dict[str, Score]:
        x, y = prepared.signal.analyse(log_mel), decoded.signal.analyse(log_mel)
        return {"mel_distance": Score(float(np.abs(x - y).mean()))}
