"""F0 error and voicing error between reference and decoded speech."""

from __future__ import annotations

import math
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
import pydantic

from ..component import Config, Requirement
from ..corpora.base import Utterance
from ..metric import Column, Decoded, Law, Metric, Score
from ..signals import Signal
from . import world
from .world import Analysis, F0Track

Track = npt.NDArray[np.float64]

_SHARED = """F0 every 5 ms at the evaluation rate, 0 where unvoiced. f0_rmse_cents:
    1200 x root mean square of log2(decoded F0 / reference F0) over frames voiced in both.
    vuv_error: frames voiced in one signal alone / frames, pooled. f0_coverage: frames voiced in
    both / frames voiced in the reference, pooled. Errors without a frame to rest on have no value
    but a reason."""

_CODECBENCH = """f0_rmse: root mean square in Hz of the difference over frames voiced in both;
    f0_corr: Pearson correlation over the same frames."""

_VERSA = """f0_rmse: root mean square in Hz of the difference over all frames, unvoiced ones
    counted as 0 Hz, as VERSA does without time warping; f0_corr: Pearson correlation over all
    frames, likewise; both need a voiced frame in one signal at least. High-pass at
    70 Hz (255 taps) first."""


_UNVOICED = "no frame is voiced in both signals"


class F0Config(Config):
    """How F0 is tracked and compared."""

    tracker: Literal["dio", "harvest"] = "dio"
    """dio (refined by StoneMask) is fast and steady in noise; harvest is what VERSA uses."""
    definition: Literal["codecbench", "versa"] = "codecbench"
    """versa: Harvest from 40 to 800 Hz, unvoiced frames counted as 0 Hz."""

    @pydantic.model_validator(mode="before")
    @classmethod
    def _versa_means_harvest(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("definition") == "versa":
            return {"tracker": "harvest", **values}
        return values

    @pydantic.model_validator(mode="after")
    def _check(self) -> Self:
        if self.definition == "versa" and self.tracker != "harvest":
            raise ValueError("definition=versa goes with tracker=harvest")
        return self


class F0(Metric):
    """Root mean square F0 error (Hz, cents), voicing error and coverage, by WORLD."""

    name = "f0"
    Config = F0Config
    config: F0Config
    requirements = (Requirement("module", "pyworld", "pip install pyworld"),)
    columns = (
        Column("f0_rmse", "F0-RMSE", "Hz", "lower", bounds=(0.0, math.inf), digits=2),
        Column("f0_rmse_cents", "F0-RMSE", "cents", "lower", bounds=(0.0, math.inf), digits=1),
        Column("vuv_error", "V/UV error", "", "lower", bounds=(0.0, 1.0), pooled=True),
        Column(
            "f0_coverage",
            "F0 coverage",
            "",
            "higher",
            bounds=(0.0, 1.0),
            pooled=True,
            ranked=False,
        ),
        Column("f0_corr", "F0 correlation", "", "higher", bounds=(-1.0, 1.0), default=False),
    )
    definition = _SHARED
    package = "pyworld"
    paper = "Morise et al., WORLD, IEICE Trans. Inf. & Syst. E99-D(7), 2016"
    laws = (
        Law(
            "identity_is_best", ("f0_rmse", "f0_rmse_cents", "vuv_error", "f0_coverage", "f0_corr")
        ),
        Law("monotone_in_snr", ("vuv_error",), tolerance=0.03),
        Law("gain_invariant", ("f0_rmse", "f0_rmse_cents", "vuv_error"), tolerance=1e-6),
    )

    @property
    def analysis(self) -> Analysis:
        """The WORLD analysis of this configuration."""
        if self.config.definition == "versa":
            return world.VERSA
        return world.HARVEST if self.config.tracker == "harvest" else world.DIO

    def describe_definition(self) -> str:
        """Return the definition of this configuration in words."""
        versa = self.config.definition == "versa"
        tracker = "Harvest" if self.config.tracker == "harvest" else "DIO refined by StoneMask"
        search = f"F0 by {tracker} from {self.analysis.floor:g} to {self.analysis.ceiling:g} Hz."
        return " ".join((_VERSA if versa else _CODECBENCH, search, _SHARED))

    def _prepare(self, utterance: Utterance) -> Signal:
        utterance.signal.analyse(world.f0_track, analysis=self.analysis)
        return utterance.signal

    def _score(self, prepared: Signal, decoded: Decoded) -> dict[str, Score]:
        reference = prepared.analyse(world.f0_track, analysis=self.analysis)
        track = decoded.signal.analyse(world.f0_track, analysis=self.analysis)
        all_frames = self.config.definition == "versa"
        return {**_errors(reference, track, all_frames), **_voicing(reference, track)}


def _errors(reference: F0Track, decoded: F0Track, all_frames: bool) -> dict[str, Score]:
    both = reference.voiced & decoded.voiced
    used = np.full_like(both, (reference.voiced | decoded.voiced).any()) if all_frames else both
    x, y = reference.hertz[used], decoded.hertz[used]
    scores = dict.fromkeys(("f0_rmse", "f0_rmse_cents", "f0_corr"), Score.failed(_UNVOICED))
    if used.any():
        scores["f0_rmse"] = Score(_root_mean_square(y - x))
        scores["f0_corr"] = _correlation(x, y)
    if both.any():
        octaves = np.log2(decoded.hertz[both] / reference.hertz[both])
        scores["f0_rmse_cents"] = Score(1200.0 * _root_mean_square(octaves))
    return scores


def _voicing(reference: F0Track, decoded: F0Track) -> dict[str, Score]:
    wrong = int(np.count_nonzero(reference.voiced != decoded.voiced))
    both = int(np.count_nonzero(reference.voiced & decoded.voiced))
    voiced = int(np.count_nonzero(reference.voiced))
    coverage = (
        Score.ratio(both, voiced) if voiced else Score.failed("the reference has no voiced frame")
    )
    return {"vuv_error": Score.ratio(wrong, len(reference.hertz)), "f0_coverage": coverage}


def _correlation(x: Track, y: Track) -> Score:
    x, y = x - x.mean(), y - y.mean()
    power = math.sqrt(float(x @ x) * float(y @ y))
    if power == 0.0:
        return Score.failed("F0 is constant, so it has no correlation")
    return Score(min(1.0, max(-1.0, float(x @ y) / power)))


def _root_mean_square(values: Track) -> float:
    return math.sqrt(float(np.mean(values**2)))
