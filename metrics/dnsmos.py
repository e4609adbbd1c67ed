"""DNSMOS: P.835 signal, background and overall quality and P.808 MOS, without a reference."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..component import Requirement
from ..corpora.base import Utterance
from ..errors import MetricError
from ..metric import Column, Decoded, Law, Metric, Score
from ..signals import Signal, Wave
from .dnsmos_networks import RATE, WINDOW, P808Network, P835Network, load_networks

WINDOW_SECONDS = 9.01
SHORTEST = 320
"""Samples of one frame of the networks, 20 ms."""

_POLYNOMIALS = {
    "dnsmos_sig": (-0.08397278, 1.22083953, 0.0052439),
    "dnsmos_bak": (-0.13166888, 1.60915514, -0.39604546),
    "dnsmos_ovrl": (-0.06766283, 1.11546468, 0.04602535),
}
"""Coefficients from the square down, from raw output to MOS."""


def _column(name: str, title: str) -> Column:
    return Column(name, title, "MOS", "higher", bounds=(-math.inf, _highest(name)), digits=2)


def _highest(name: str) -> float:
    """Return what a column cannot exceed.

    The networks end in a linear layer, so their outputs are not bounded; the polynomials of P.835
    open downwards and have a top, P.808 has no polynomial.
    """
    if name not in _POLYNOMIALS:
        return math.inf
    square, slope, constant = _POLYNOMIALS[name]
    return constant - slope**2 / (4.0 * square)


class Dnsmos(Metric):
    """DNSMOS P.835 (SIG, BAK, OVRL) and P.808, means over windows of 9.01 s."""

    name = "dnsmos"
    requirements = (
        Requirement("module", "speechmos", "pip install speechmos==0.0.1.1"),
        Requirement("module", "onnxruntime", "pip install onnxruntime"),
        Requirement("module", "librosa", "pip install librosa"),
    )
    columns = (
        _column("dnsmos_sig", "DNSMOS SIG"),
        _column("dnsmos_bak", "DNSMOS BAK"),
        _column("dnsmos_ovrl", "DNSMOS OVRL"),
        _column("dnsmos_p808", "DNSMOS P.808"),
    )
    definition = """The networks sig_bak_ovr and model_v8 of speechmos 0.0.1.1 at 16 kHz; raw P.835
        outputs through the published second-order polynomials; mean over windows of 9.01 s that
        start every second. As in speechmos: a shorter clip is repeated by doubling; the last
        window starts floor(seconds) - 9.01 s in at the latest, so up to 2 s at the end are not
        heard; and windows that start at 7 to 23 s or at 119 to 122 s are left out (a rounding of
        their ends). No change of level, samples clipped to [-1, 1]. No reference is used: the
        reference's own score is the ceiling, about 3.3 for OVRL of clean speech. Scores lie
        between 1 and 5 as a rule, but the networks' outputs are not bounded: the polynomials alone
        bound SIG, BAK and OVRL from above (4.44, 4.52, 4.64), and intervals are not clipped to a
        guess. Signals shorter
        than one frame of 20 ms have no score."""
    evaluation_rate = RATE
    paper = "Reddy, Gopal, Cutler, DNSMOS P.835, ICASSP 2022; DNSMOS, ICASSP 2021"
    package = "speechmos, onnxruntime"
    laws = (
        Law("monotone_in_snr", ("dnsmos_bak", "dnsmos_ovrl"), tolerance=0.05),
        Law("polarity_invariant", tuple(column.name for column in columns), tolerance=1e-4),
    )
    accepts_unequal_lengths = True
    scores_reference = True

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._networks: tuple[P835Network, P808Network] | None = None

    def setup(self, device: str = "cpu") -> None:
        """Load the networks; they run on the CPU whatever the device."""
        if self._networks is None:
            self._networks = load_networks()

    def _score_reference(self, prepared: Utterance) -> dict[str, Score]:
        """Score the reference itself: what a perfect codec would get."""
        return self._quality(prepared.signal)

    def _score(self, prepared: Utterance, decoded: Decoded) -> dict[str, Score]:
        return self._quality(decoded.signal)

    def _quality(self, signal: Signal) -> dict[str, Score]:
        if self._networks is None:
            raise RuntimeError("setup() has not been called")
        wave = signal.at(RATE)
        if len(wave) < SHORTEST:
            raise MetricError(f"shorter than one frame of {1000 * SHORTEST // RATE} ms")
        clip = repeated(np.clip(wave, -1.0, 1.0))
        starts = window_starts(len(clip))
        p835, p808 = self._networks
        scores: dict[str, Score] = {}
        if self.selected & set(_POLYNOMIALS):
            period = len(wave) if len(wave) < len(clip) else None
            raw = p835(clip, starts, period).astype(np.float64).T
            for (name, polynomial), values in zip(_POLYNOMIALS.items(), raw, strict=True):
                scores[name] = Score(float(np.polyval(polynomial, values).mean()))
        if "dnsmos_p808" in self.selected:
            scores["dnsmos_p808"] = Score(float(p808(clip, starts).mean()))
        return scores


def repeated(wave: Wave) -> Wave:
    """Double a clip until it fills a window.

    Parameters
    ----------
    wave : array, shape (samples,)
        Not empty.
    """
    doublings = 0
    while len(wave) << doublings < WINDOW:
        doublings += 1
    return np.tile(wave, 1 << doublings)


def window_starts(samples: int) -> list[int]:
    """Return the first seconds of the windows that speechmos scores.

    A window whose end, computed in floating point, falls one sample short is left out there; it is
    left out here as well, so that the numbers agree.

    Parameters
    ----------
    samples : int
        Length of the clip at 16 kHz, at least a window's.
    """
    hops = int(samples // RATE - WINDOW_SECONDS) + 1
    return [i for i in range(hops) if int((i + WINDOW_SECONDS) * RATE) - i * RATE == WINDOW]
