"""STOI and ESTOI: short-time objective intelligibility of Taal et al. and Jensen and Taal."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..corpora.base import Utterance
from ..errors import MetricError
from ..metric import Column, Decoded, Law, Metric, Score
from ..signals import Signal, Wave

RATE = 10000
FRAME = 256
HOP = FRAME // 2
FFT_SIZE = 512
BANDS = 15
LOWEST_CENTRE_HZ = 150.0
SEGMENT = 30
"""Frames of a segment: 384 ms."""
DYNAMIC_RANGE_DB = 40.0
_CLIP = 1.0 + 10.0 ** (15.0 / 20.0)
_EPS = float(np.finfo(np.float64).eps)
_BLOCK = 256
"""Frames or segments that are worked on at once: few enough for the processor's cache."""

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class PreparedStoi:
    """The reference's side.

    Parameters
    ----------
    signal : Signal
    active : array of bool, shape (frames,)
        Frames within 40 dB of the loudest.
    bands : array, shape (BANDS, frames)
        Third-octave spectrum of what is left without the other frames.
    """

    signal: Signal
    active: npt.NDArray[np.bool_]
    bands: Array


class Stoi(Metric):
    """Correlation of third-octave envelopes over segments of 384 ms."""

    name = "stoi"
    columns = (
        Column("stoi", "STOI", "", "higher", (-1.0, 1.0)),
        Column("estoi", "ESTOI", "", "higher", (-1.0, 1.0)),
    )
    evaluation_rate = RATE
    paper = (
        "Taal et al., An algorithm for intelligibility prediction of time-frequency weighted noisy"
        " speech, TASLP 2011; Jensen and Taal, An algorithm for predicting the intelligibility of"
        " speech masked by modulated noise maskers, TASLP 2016"
    )
    laws = (
        Law("identity_is_best", ("stoi", "estoi"), 1e-9),
        Law("monotone_in_snr", ("stoi", "estoi"), 1e-9),
        Law("gain_invariant", ("stoi", "estoi"), 1e-9),
        Law("polarity_invariant", ("stoi", "estoi"), 1e-9),
    )
    definition = """
        Both signals at 10 kHz, resampled from their own rate by the polyphase filter of the
        authors' Octave code; frames of 256 samples, hop 128, Hann; frames in which the
        reference is more than 40 dB below its loudest frame are taken out of both signals;
        512-point spectra in 15 third-octave bands from 150 Hz; segments of 30 frames. STOI:
        mean correlation of the bands' envelopes, the decoded one scaled to the reference's
        energy and clipped at -15 dB signal-to-distortion ratio. ESTOI: mean correlation of the
        spectra of segments whose rows, then columns, are normalised. Equal to pystoi, but
        without its random noise: that noise enters the norms with its expected energy, so an
        envelope that does not vary correlates with nothing. Fewer than 30 frames of speech
        (about 0.4 s) give no score.
        """

    def _prepare(self, utterance: Utterance) -> PreparedStoi:
        frames = _frames(utterance.signal.analyse(at_10_khz))
        if len(frames) == 0:
            raise MetricError(_too_short(0))
        energy = 20 * np.log10(np.linalg.norm(frames * _window(), axis=1) + _EPS)
        active = energy.max() - DYNAMIC_RANGE_DB - energy < 0
        count = int(active.sum()) - 1
        if count < SEGMENT:
            raise MetricError(_too_short(max(count, 0)))
        return PreparedStoi(utterance.signal, active, _third_octaves(frames, active))

    def _score(self, prepared: PreparedStoi, decoded: Decoded) -> dict[str, Score]:
        frames = _frames(decoded.signal.analyse(at_10_khz))
        x, y = prepared.bands, _third_octaves(frames, prepared.active)
        scores = {}
        if "stoi" in self.selected:
            scores["stoi"] = _mean_over_segments(x, y, _stoi_sum)
        if "estoi" in self.selected:
            scores["estoi"] = _mean_over_segments(x, y, _estoi_sum)
        return scores


def _too_short(count: int) -> str:
    return (
        f"too short for STOI: {count} frames of speech in the reference, {SEGMENT} needed"
        " (about 0.4 s)"
    )


def at_10_khz(signal: Signal) -> Array:
    """Return the signal at 10 kHz, shape (samples,); see `resample_octave`."""
    return resample_octave(signal.at(signal.sample_rate), signal.sample_rate)


def _frames(wave: Array) -> Array:
    """Cut into overlapping frames, shape (frames, FRAME), without copying.

    As in pystoi, a frame that ends exactly at the signal's end is left out.
    """
    count = max(0, -(-(len(wave) - FRAME) // HOP))
    if count == 0:
        return np.zeros((0, FRAME))
    return np.lib.stride_tricks.sliding_window_view(wave, FRAME)[: count * HOP : HOP]


@functools.cache
def _window() -> Array:
    """Return the Hann window without its zeros, as Matlab's ``hanning``."""
    return np.hanning(FRAME + 2)[1:-1]


def resample_octave(wave: Wave, rate: int) -> Array:
    """Resample to 10 kHz as Octave's ``resample`` (and pystoi) does.

    Parameters
    ----------
    wave : array, shape (samples,)
    rate : int
        Its rate in Hz.
    """
    if rate == RATE:
        return wave
    from scipy.signal import resample_poly

    divisor = int(np.gcd(RATE, rate))
    up, down = RATE // divisor, rate // divisor
    result: Array = resample_poly(wave, up, down, window=_octave_filter(up, down))
    return result


@functools.lru_cache(maxsize=8)
def _octave_filter(up: int, down: int) -> Array:
    """Return Octave's anti-aliasing filter: 60 dB rejection, a transition of a tenth."""
    rejection_db = 60.0
    cutoff = 1.0 / (2 * max(up, down))
    reach = np.ceil((rejection_db - 8) / (28.714 * cutoff / 10))
    taps = np.arange(-reach, reach + 1)
    beta = 0.1102 * (rejection_db - 8.7)
    lowpass = np.kaiser(len(taps), beta) * 2 * up * cutoff * np.sinc(2 * cutoff * taps)
    result: Array = lowpass / lowpass.sum()
    return result


def _third_octaves(frames: Array, active: npt.NDArray[np.bool_]) -> Array:
    """Join the active frames by overlap and add; return the bands' amplitudes (BANDS, frames)."""
    kept = frames[active] * _window()
    halves = np.zeros((len(kept) + 1, HOP))
    halves[:-1] += kept[:, :HOP]
    halves[1:] += kept[:, HOP:]
    joined = _frames(halves.ravel())
    blocks = (joined[i : i + _BLOCK] for i in range(0, len(joined), _BLOCK))
    return np.concatenate([_band_amplitudes(block * _window()) for block in blocks], axis=1)


def _band_amplitudes(frames: Array) -> Array:
    spectra = np.fft.rfft(frames, FFT_SIZE)
    power = np.square(spectra.real) + np.square(spectra.imag)
    result: Array = np.sqrt(_band_matrix() @ power.T)
    return result


@functools.cache
def _band_matrix() -> Array:
    """Return which spectral lines belong to which band, shape (BANDS, FFT_SIZE // 2 + 1)."""
    lines = np.arange(FFT_SIZE // 2 + 1) * (RATE / FFT_SIZE)
    index = np.arange(BANDS)
    edges = [LOWEST_CENTRE_HZ * 2.0 ** ((2 * index + side) / 6) for side in (-1, 1)]
    low, high = (np.abs(lines - edge[:, None]).argmin(axis=1)[:, None] for edge in edges)
    line = np.arange(len(lines))
    matrix: Array = ((low <= line) & (line < high)).astype(np.float64)
    return matrix


def _mean_over_segments(x: Array, y: Array, total: Any) -> Score:
    """Average a sum over blocks of segments, each of shape (segments, BANDS, SEGMENT)."""
    blocks = zip(_segments(x), _segments(y), strict=True)
    value = sum(total(block_x, block_y) for block_x, block_y in blocks)
    mean = value / (x.shape[1] - SEGMENT + 1)
    return Score(float(np.clip(mean, -1.0, 1.0)))  # rounding may lead just outside


def _segments(bands: Array) -> Iterator[Array]:
    windows = np.lib.stride_tricks.sliding_window_view(bands, SEGMENT, axis=1).swapaxes(0, 1)
    for start in range(0, len(windows), _BLOCK):
        yield windows[start : start + _BLOCK]


def _stoi_sum(x: Array, y: Array) -> float:
    """Return the sum over segments of the mean correlation of the bands' envelopes."""
    scaled = y * (_norm(x) / (_norm(y) + _EPS))
    clipped = _centred(np.minimum(scaled, x * _CLIP))
    x = _centred(x)
    products = np.einsum("sbf,sbf->sb", x, clipped)
    norms = (_norm(x) + _EPS) * (_norm(clipped) + _EPS)
    return float((products / norms[..., 0]).sum()) / BANDS


def _estoi_sum(x: Array, y: Array) -> float:
    """Return the sum over segments of the mean correlation of the normalised spectra."""
    return float(np.vdot(_normalised(x), _normalised(y))) / SEGMENT


def _normalised(segments: Array) -> Array:
    """Give rows (over time), then columns (over bands) zero mean and unit norm."""
    for axis in (2, 1):
        segments = segments - segments.mean(axis=axis, keepdims=True)
        energy = np.square(segments).sum(axis=axis, keepdims=True)
        segments = segments / np.sqrt(energy + segments.shape[axis] * _EPS**2)
    return segments


def _centred(segments: Array) -> Array:
    result: Array = segments - segments.mean(axis=2, keepdims=True)
    return result


def _norm(segments: Array) -> Array:
    result: Array = np.sqrt(np.einsum("sbf,sbf->sb", segments, segments))[..., None]
    return result
