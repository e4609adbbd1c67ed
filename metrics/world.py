"""WORLD analyses that several metrics share: one F0 track and one set of mel-cepstra a signal.

Both are asked for through ``signal.analyse``, which remembers them, so that the reference is
analysed once for all codecs and all metrics.

Sources: M. Morise, F. Yokomori, K. Ozawa, "WORLD: a vocoder-based high-quality speech synthesis
system for real-time applications", IEICE Trans. Inf. & Syst., 2016 (DIO, StoneMask, CheapTrick);
M. Morise, "Harvest: a high-performance fundamental frequency estimator from speech signals",
Interspeech 2017.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ..errors import MetricError
from ..quiet import import_quietly
from ..signals import Signal, Wave
from .mel_cepstrum import cepstrum_matrix

Tracker = Literal["dio", "harvest"]

FRAME_MS = 5.0
LOWEST_RATE = 4000
"""Below this rate in Hz an F0 range up to 800 Hz cannot be searched in earnest."""

_BLOCK_FRAMES = 12000
"""Frames (60 s) of envelope held in memory at once."""

_INT16_SCALE = 32767.0
_LOW_CUT_TAPS = 255
_LOW_CUT_HZ = 70


@dataclass(frozen=True)
class Analysis:
    """How F0 and envelope are found.

    Parameters
    ----------
    tracker : {"dio", "harvest"}
        ``dio`` is refined by StoneMask.
    floor, ceiling : float
        F0 search range in Hz.
    low_cut : bool
        Filter by a 255-tap high-pass at 70 Hz and scale to the range of 16 bits first, as VERSA
        and ESPnet do.
    fft_size : int or None
        Of the envelope; None: the size that WORLD asks for at the rate and `floor`.
    """

    tracker: Tracker
    floor: float
    ceiling: float
    low_cut: bool = False
    fft_size: int | None = None


DIO = Analysis("dio", 50.0, 550.0)
HARVEST = Analysis("harvest", 50.0, 550.0)
VERSA = Analysis("harvest", 40.0, 800.0, low_cut=True, fft_size=1024)


@dataclass(frozen=True, eq=False)
class F0Track:
    """F0 every 5 ms.

    Parameters
    ----------
    hertz : array of float64, shape (frames,)
        0 where unvoiced; frames = floor(seconds / 0.005) + 1.
    times : array of float64, shape (frames,)
        In seconds.
    """

    hertz: Wave
    times: Wave

    @property
    def voiced(self) -> npt.NDArray[np.bool_]:
        """Which frames are voiced."""
        return self.hertz > 0


@dataclass(frozen=True, eq=False)
class Cepstra:
    """Mel-cepstra of the WORLD envelope every 5 ms.

    Parameters
    ----------
    coefficients : array of float64, shape (frames, order + 1)
        c0 … c_order, natural logarithm of power.
    level_db : array of float64, shape (frames,)
        Power of the envelope, summed over its bins, in dB.
    """

    coefficients: npt.NDArray[np.float64]
    level_db: Wave


def f0_track(signal: Signal, analysis: Analysis) -> F0Track:
    """Track F0 at the signal's own rate; call as ``signal.analyse(f0_track, analysis=…)``.

    Raises
    ------
    MetricError
        If the rate is below 4 kHz.
    """
    pyworld, rate = _pyworld(), signal.sample_rate
    if rate < LOWEST_RATE:
        raise MetricError(f"F0 is tracked at {LOWEST_RATE} Hz or more; the signal has {rate} Hz")
    wave = signal.analyse(_input, low_cut=analysis.low_cut)
    search = {
        "f0_floor": analysis.floor,
        "f0_ceil": analysis.ceiling,
        "frame_period": FRAME_MS,
    }
    if analysis.tracker == "harvest":
        return F0Track(*pyworld.harvest(wave, rate, **search))
    coarse, times = pyworld.dio(wave, rate, **search)
    return F0Track(pyworld.stonemask(wave, coarse, times, rate), times)


def cepstra(signal: Signal, analysis: Analysis, order: int, alpha: float) -> Cepstra:
    """Find the mel-cepstra of the CheapTrick envelope; call through ``signal.analyse``.

    Parameters
    ----------
    signal : Signal
    analysis : Analysis
        Its F0 track is shared with other metrics.
    order : int
        Highest coefficient.
    alpha : float
        All-pass constant of the frequency warping.
    """
    track = signal.analyse(f0_track, analysis=analysis)
    wave = signal.analyse(_input, low_cut=analysis.low_cut)
    pyworld, rate = _pyworld(), signal.sample_rate
    size = analysis.fft_size or pyworld.get_cheaptrick_fft_size(rate, analysis.floor)
    matrix = cepstrum_matrix(size, order, alpha)
    coefficients, levels = [], []
    for start in range(0, len(track.hertz), _BLOCK_FRAMES):
        block = slice(start, start + _BLOCK_FRAMES)
        envelope = pyworld.cheaptrick(
            wave, track.hertz[block], track.times[block], rate, fft_size=size
        )
        levels.append(10.0 * np.log10(envelope.sum(axis=1)))
        coefficients.append(np.log(envelope, out=envelope) @ matrix)
    return Cepstra(np.concatenate(coefficients), np.concatenate(levels))


def _input(signal: Signal, low_cut: bool) -> Wave:
    wave = signal.at(signal.sample_rate)
    if not low_cut:
        return wave
    from scipy.signal import firwin, oaconvolve

    cutoff = _LOW_CUT_HZ / (signal.sample_rate // 2)
    high_pass = firwin(_LOW_CUT_TAPS, cutoff, pass_zero=False)
    filtered = oaconvolve(wave * _INT16_SCALE, high_pass)[: len(wave)]
    return np.ascontiguousarray(filtered)


def _pyworld() -> Any:
    return import_quietly("pyworld")
