"""Mel-cepstral distortion between WORLD envelopes of reference and decoded speech."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
import numpy.typing as npt
import pydantic

from ..component import Config, Requirement
from ..corpora.base import Utterance
from ..metric import Column, Decoded, Law, Metric, Score
from ..signals import Signal
from . import world
from .mel_cepstrum import all_pass_constant
from .time_warp import warped_mean_distance
from .world import Cepstra

_DB = 10.0 / math.log(10.0) * math.sqrt(2.0)
"""Natural-log cepstral distance to dB; one side of the even cepstrum stands for both."""

_RANGE_DB = 60.0

_CODECBENCH = """10 / ln 10 x mean over frames of sqrt(2 x sum of squared differences of the
    mel-cepstral coefficients c1 to c24), in dB. Mel-cepstra every 5 ms of WORLD's CheapTrick
    envelope (F0 by DIO and StoneMask, 50 to 550 Hz) at the evaluation rate; all-pass constant
    0.42 at 16 kHz, at other rates the nearest to the mel scale."""

_ACTIVE = """Frames where the envelope's power in the reference is within 60 dB of its maximum;
    frames are compared at equal times."""

_WARPED = """Frames where the envelope's power is within 60 dB of the signal's own maximum,
    aligned by dynamic time warping (full search, unweighted steps) and averaged along the path."""

_VERSA = """10 / ln 10 x mean over all frames of sqrt(2 x sum of squared differences of the
    mel-cepstral coefficients c0 to c39), in dB, as VERSA computes it without time warping: samples
    x 32767, high-pass at 70 Hz (255 taps), F0 by Harvest from 40 to 800 Hz, CheapTrick with 1024
    points, all-pass constant 0.466 at every rate, every 5 ms."""


class McdConfig(Config):
    """Which of the definitions in use."""

    dtw: bool = False
    """Align the frames by dynamic time warping; codecs keep time, so it hides their errors."""
    definition: Literal["codecbench", "versa"] = "codecbench"
    """versa: c0 to c39, all frames, all-pass constant 0.466."""

    @pydantic.model_validator(mode="after")
    def _check(self) -> Self:
        if self.dtw and self.definition == "versa":
            raise ValueError("dtw=on goes with definition=codecbench only")
        return self


@dataclass(frozen=True, eq=False)
class _Reference:
    signal: Signal
    cepstra: Cepstra


class MelCepstralDistortion(Metric):
    """Mean distance of mel-cepstra in dB."""

    name = "mcd"
    Config = McdConfig
    config: McdConfig
    requirements = (Requirement("module", "pyworld", "pip install pyworld"),)
    columns = (Column("mcd", "MCD", "dB", "lower", bounds=(0.0, math.inf), digits=2),)
    definition = _CODECBENCH
    package = "pyworld"
    paper = "Kubichek, Mel-cepstral distance measure for objective speech quality assessment, 1993"
    laws = (
        Law("identity_is_best", ("mcd",)),
        Law("monotone_in_snr", ("mcd",)),
        Law("gain_invariant", ("mcd",), tolerance=1e-3),
        Law("polarity_invariant", ("mcd",), tolerance=1e-3),
    )

    def describe_definition(self) -> str:
        """Return the definition of this configuration in words."""
        if self.config.definition == "versa":
            return _VERSA
        return f"{_CODECBENCH} {_WARPED if self.config.dtw else _ACTIVE}"

    def _prepare(self, utterance: Utterance) -> _Reference:
        return _Reference(utterance.signal, self._cepstra(utterance.signal))

    def _score(self, prepared: _Reference, decoded: Decoded) -> dict[str, Score]:
        reference, other = prepared.cepstra, self._cepstra(decoded.signal)
        if self.config.dtw:
            x, y = (c.coefficients[_active(c), 1:] for c in (reference, other))
            return {"mcd": Score(_DB * warped_mean_distance(x, y))}
        if self.config.definition == "versa":
            difference = reference.coefficients - other.coefficients
        else:
            frames = _active(reference)
            difference = (reference.coefficients - other.coefficients)[frames, 1:]
        return {"mcd": Score(_DB * float(np.sqrt((difference**2).sum(axis=1)).mean()))}

    def _cepstra(self, signal: Signal) -> Cepstra:
        if self.config.definition == "versa":
            return signal.analyse(world.cepstra, analysis=world.VERSA, order=39, alpha=0.466)
        alpha = all_pass_constant(signal.sample_rate)
        return signal.analyse(world.cepstra, analysis=world.DIO, order=24, alpha=alpha)


def _active(cepstra: Cepstra) -> npt.NDArray[np.int64]:
    return np.flatnonzero(cepstra.level_db >= cepstra.level_db.max() - _RANGE_DB)
