"""Signals that every codec is tested with, and the delay that can be read from them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from codecbench.audio import Audio
from codecbench.codec import CodecCard
from codecbench.protocol import estimate_delay

EVALUATION_RATE = 16_000
"""Rate in Hz at which codecs are aligned to the sample."""

_LOW_HZ = 300.0
"""Below it telephone codecs have a high-pass filter, whose phase is not a delay."""


def voice(samples: int, rate: int, seed: int = 0) -> Audio:
    """Return a speech-like signal: gliding harmonics and noise under a syllabic envelope."""
    rng = np.random.default_rng(seed)
    t = np.arange(samples) / rate
    f0 = 120.0 + 25.0 * np.sin(2 * np.pi * (0.9 + 0.1 * seed) * t)
    phase = 2 * np.pi * np.cumsum(f0) / rate
    harmonics = range(1, max(2, int(0.4 * rate / 150)))
    voiced = sum(np.sin(k * phase) / k for k in harmonics)
    envelope = 0.05 + np.sin(2 * np.pi * 1.7 * t + seed) ** 2
    signal = envelope * (0.2 * voiced + 0.02 * rng.standard_normal(samples))
    return Audio(np.clip(signal, -1, 1).astype(np.float32), rate)


def usable_band(card: CodecCard) -> tuple[float, float]:
    """Return the band in Hz that the codec carries and a high-pass filter leaves alone."""
    half = (card.sample_rate or EVALUATION_RATE) / 2
    return _LOW_HZ, 0.8 * min(card.bandwidth_hz or half, half, EVALUATION_RATE / 2)


def clicks(card: CodecCard) -> Audio:
    """Return band-limited impulses, placed at no multiple of any frame length."""
    from scipy.signal import firwin

    low, high = usable_band(card)
    pulse = firwin(255, [low, high], pass_zero=False, fs=EVALUATION_RATE)
    signal = np.zeros(2 * EVALUATION_RATE)
    for start in (2_011, 7_433, 13_127, 18_917, 25_031):
        signal[start : start + len(pulse)] += pulse
    return Audio((0.5 * signal / np.abs(signal).max()).astype(np.float32), EVALUATION_RATE)


def chirp(card: CodecCard) -> Audio:
    """Return a linear sweep over the codec's band, two seconds, faded in and out."""
    low, high = usable_band(card)
    t = np.arange(2 * EVALUATION_RATE) / EVALUATION_RATE
    fade = np.minimum(1.0, 20.0 * np.minimum(t, t[::-1]))
    signal = 0.3 * fade * np.sin(2 * np.pi * (low * t + (high - low) * t**2 / 4))
    return Audio(signal.astype(np.float32), EVALUATION_RATE)


def syllables() -> Audio:
    """Return pitch pulses of 110 Hz, switched on and off at irregular times."""
    from scipy.signal import lfilter

    samples = 4 * EVALUATION_RATE
    pulses = np.zeros(samples)
    pulses[:: EVALUATION_RATE // 110] = 1.0
    vowel = lfilter([1.0], _resonances(((600, 80), (1_200, 100), (2_500, 150))), pulses)
    gate = np.zeros(samples)
    for start, end in ((0.31, 0.56), (0.93, 1.08), (1.49, 1.92), (2.25, 2.43), (2.87, 3.52)):
        gate[int(start * EVALUATION_RATE) : int(end * EVALUATION_RATE)] = 1.0
    signal = gate * vowel
    return Audio((0.3 * signal / np.abs(signal).max()).astype(np.float32), EVALUATION_RATE)


def _resonances(formants: tuple[tuple[float, float], ...]) -> npt.NDArray[np.float64]:
    denominator = np.ones(1)
    for frequency, bandwidth in formants:
        radius = np.exp(-np.pi * bandwidth / EVALUATION_RATE)
        angle = 2 * np.pi * frequency / EVALUATION_RATE
        section = np.array([1.0, -2.0 * radius * np.cos(angle), radius**2])
        denominator = np.convolve(denominator, section)
    return denominator


def noise(rate: int) -> Audio:
    """Return two seconds of white noise, all frequencies alike up to half the rate."""
    samples = 0.1 * np.random.default_rng(5).standard_normal(2 * rate)
    return Audio(samples.astype(np.float32), rate)


def band_level(audio: Audio, low: float, high: float) -> float:
    """Return the mean power density in dB between two frequencies in Hz."""
    from scipy.signal import welch

    frequency, density = welch(audio.samples.astype(np.float64), audio.sample_rate, nperseg=1024)
    band = (frequency >= low) & (frequency <= high)
    return float(10 * np.log10(density[band].mean() + 1e-20))


def likeness(reference: Audio, decoded: Audio) -> float:
    """Return the correlation of two waveforms as they lie, between -1 and 1."""
    x, y = reference.samples.astype(np.float64), decoded.samples.astype(np.float64)
    return float(x @ y / np.sqrt((x @ x) * (y @ y) + 1e-20))


def envelope_delay(reference: Audio, decoded: Audio) -> float:
    """Estimate in seconds by how much the loudness contour of `decoded` lags `reference`'s."""
    contours = [_contour(audio) for audio in (reference, decoded)]
    return estimate_delay(*contours) / reference.sample_rate


def _contour(audio: Audio) -> Audio:
    """Return the level in dB over 60 dB, smoothed over 10 ms, without its mean."""
    width = audio.sample_rate // 100
    window = np.hanning(width + 2)[1:-1]
    power = np.convolve(audio.samples.astype(np.float64) ** 2, window / window.sum(), "same")
    level = 10 * np.log10(power / power.max() + 1e-6)
    return Audio((level - level.mean()).astype(np.float32) / 60, audio.sample_rate)
