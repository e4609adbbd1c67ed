"""Spectra that several metrics share: short-time power, its logarithm, mel bands.

Frames start at the first sample; the signal is not padded, so what is left at its end and fills
no frame is not looked at. Asked for through `Signal.analyse`, a spectrum is computed once.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from ..errors import MetricError
from ..signals import Signal

Array = npt.NDArray[np.float64]

_BLOCK_FRAMES = 256


def short_time_power(
    signal: Signal, frame_seconds: float, hop_seconds: float
) -> tuple[Iterator[Array], float]:
    """Return blocks of |X|², each of shape (frames, lines), and the sum of the window.

    Parameters
    ----------
    signal : Signal
    frame_seconds, hop_seconds : float
        Rounded to whole samples; the frame is windowed by a periodic Hann window and is
        the size of the transform.

    Raises
    ------
    MetricError
        If the signal is shorter than one frame.
    """
    rate = signal.sample_rate
    size, hop = round(frame_seconds * rate), round(hop_seconds * rate)
    wave = signal.at(rate)
    if hop < 1 or len(wave) < size:
        raise MetricError(
            f"too short: {1000 * len(wave) / rate:.0f} ms, one frame is {1000 * frame_seconds:g} ms"
        )
    frames = np.lib.stride_tricks.sliding_window_view(wave, size)[::hop]
    window = hann(size)
    blocks = (frames[i : i + _BLOCK_FRAMES] for i in range(0, len(frames), _BLOCK_FRAMES))
    return (_power(block * window) for block in blocks), float(window.sum())


def _power(frames: Array) -> Array:
    spectra = np.fft.rfft(frames)
    result: Array = np.square(spectra.real) + np.square(spectra.imag)
    return result


@functools.lru_cache(maxsize=16)
def hann(size: int) -> Array:
    """Return the periodic Hann window, shape (size,)."""
    window: Array = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    return window


# --- logarithmic power spectrum, for LSD and SaRMSE

LOG_FRAME_SECONDS = 0.128
LOG_HOP_SECONDS = 0.032
LOG_POWER_FLOOR = 1e-10
LOG_SPECTRUM = """
    power spectra of frames of 128 ms every 32 ms (2048 and 512 samples at 16 kHz), periodic
    Hann window, no padding (a rest at the end that fills no frame is not looked at), as
    |X|²/(Σw/2)², so that a sine of full scale has power 1, not below 1e-10
    """
"""The analysis in words, for definitions."""


def log_power(signal: Signal) -> Array:
    """Return log10 of the normalised, floored power, shape (frames, lines).

    Raises
    ------
    MetricError
        If the signal is shorter than one frame.
    """
    blocks, total = short_time_power(signal, LOG_FRAME_SECONDS, LOG_HOP_SECONDS)
    scale = (total / 2) ** 2
    return np.concatenate([np.log10(np.maximum(b / scale, LOG_POWER_FLOOR)) for b in blocks])


def squared_log_distances(decoded: Signal, reference: Signal, top_hz: float | None = None) -> Array:
    """Return each frame's mean over lines of the squared difference of `log_power`.

    Parameters
    ----------
    decoded, reference : Signal
        Of the same rate and length.
    top_hz : float, optional
        Highest frequency that is looked at; half the sample rate if None.

    Returns
    -------
    array, shape (frames,)
    """
    x, y = reference.analyse(log_power), decoded.analyse(log_power)
    lines = x.shape[1]
    if top_hz is not None:
        size = round(LOG_FRAME_SECONDS * reference.sample_rate)
        lines = int(top_hz * size / reference.sample_rate) + 1
    blocks = (slice(i, i + _BLOCK_FRAMES) for i in range(0, len(x), _BLOCK_FRAMES))
    return np.concatenate([np.square(x[b, :lines] - y[b, :lines]).mean(axis=1) for b in blocks])


# --- mel spectrum

MEL_BANDS = 80
MEL_FRAME_SECONDS = 0.064
MEL_HOP_SECONDS = 0.016
MEL_FLOOR = 1e-5


def log_mel(signal: Signal) -> Array:
    """Return the natural logarithm of the floored mel magnitude, shape (frames, MEL_BANDS).

    Raises
    ------
    MetricError
        If the signal is shorter than one frame.
    """
    blocks, _ = short_time_power(signal, MEL_FRAME_SECONDS, MEL_HOP_SECONDS)
    size = round(MEL_FRAME_SECONDS * signal.sample_rate)
    bank = mel_filters(signal.sample_rate, size, MEL_BANDS).T
    return np.concatenate([np.log(np.maximum(np.sqrt(b) @ bank, MEL_FLOOR)) for b in blocks])


@functools.lru_cache(maxsize=8)
def mel_filters(rate: int, size: int, bands: int) -> Array:
    """Return triangles on Slaney's mel scale from 0 Hz to half the rate, each of unit area.

    Parameters
    ----------
    rate : int
        In Hz.
    size : int
        Of the transform.
    bands : int

    Returns
    -------
    array, shape (bands, size // 2 + 1)
    """
    lines = np.arange(size // 2 + 1) * (rate / size)
    edges = _mel_to_hz(np.linspace(0.0, _hz_to_mel(rate / 2), bands + 2))[:, None]
    rising = (lines - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - lines) / (edges[2:] - edges[1:-1])
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    result: Array = triangles * 2.0 / (edges[2:] - edges[:-2])
    return result


_LINEAR_HZ = 200.0 / 3
_BREAK_HZ = 1000.0
_BREAK_MEL = _BREAK_HZ / _LINEAR_HZ
_LOG_STEP = float(np.log(6.4)) / 27.0


def _hz_to_mel(hertz: float) -> float:
    if hertz < _BREAK_HZ:
        return hertz / _LINEAR_HZ
    return _BREAK_MEL + float(np.log(hertz / _BREAK_HZ)) / _LOG_STEP


def _mel_to_hz(mel: Array) -> Array:
    above = _BREAK_HZ * np.exp(_LOG_STEP * (mel - _BREAK_MEL))
    return np.where(mel < _BREAK_MEL, mel * _LINEAR_HZ, above)
