"""LSD: log-spectral distance."""

from __future__ import annotations

import math

import numpy as np

from ..codec import CodecCard
from ..corpora.base import Utterance
from ..metric import Column, Decoded, Law, Metric, Score
from .spectra import LOG_SPECTRUM, squared_log_distances


class LogSpectralDistance(Metric):
    """Mean over frames of the root-mean-square difference of log10 power spectra."""

    name = "lsd"
    columns = (
        Column("lsd", "LSD", "log10", "lower", (0.0, math.inf)),
        Column("lsd_inband", "LSD in band", "log10", "lower", (0.0, math.inf), ranked=False),
    )
    paper = "Gray and Markel, Distance measures for speech processing, TASSP 1976"
    laws = (
        Law("identity_is_best", ("lsd",)),
        Law("monotone_in_snr", ("lsd",)),
        Law("polarity_invariant", ("lsd",)),
    )
    definition = f"""
        {LOG_SPECTRUM}; of each frame the root of the mean over all lines, 0 Hz to half the
        evaluation rate, of the squared difference of log10 power (ten times that is the form
        in dB); mean over frames. lsd_inband: lines up to the highest frequency that the codec
        can carry, where that is below half the evaluation rate; a diagnostic, never ranked.
        Level and time are not adjusted.
        """

    def applicable(self, utterance: Utterance, card: CodecCard | None) -> frozenset[str]:
        """Leave out ``lsd_inband`` where the codec carries the whole band."""
        if _top_hz(card, utterance.rate or utterance.signal.sample_rate) is None:
            return self.selected - {"lsd_inband"}
        return self.selected

    def _score(self, prepared: Utterance, decoded: Decoded) -> dict[str, Score]:
        scores = {}
        if "lsd" in self.selected:
            distances = decoded.signal.analyse(squared_log_distances, reference=prepared.signal)
            scores["lsd"] = Score(float(np.sqrt(distances).mean()))
        if "lsd_inband" in self.selected:
            scores["lsd_inband"] = _in_band(prepared, decoded)
        return scores


def _in_band(prepared: Utterance, decoded: Decoded) -> Score:
    top_hz = _top_hz(decoded.card, decoded.signal.sample_rate)
    if top_hz is None:
        return Score.failed("no codec is known whose band is narrower than the signal's")
    distances = squared_log_distances(decoded.signal, prepared.signal, top_hz)
    return Score(float(np.sqrt(distances).mean()))


def _top_hz(card: CodecCard | None, rate: int) -> float | None:
    """Return the codec's bandwidth if it is below half the evaluation rate."""
    if card is None:
        return None
    top = card.bandwidth_hz or (card.sample_rate or rate) / 2
    return top if top < rate / 2 else None
