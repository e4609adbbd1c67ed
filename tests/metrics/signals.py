"""Speech-like and broken signals for the tests of metrics; everything is made from fixed seeds."""

from __future__ import annotations

import numpy as np

from codecbench.audio import Audio

RATE = 16000


def synthetic_speech(seconds: float = 3.2, rate: int = RATE, seed: int = 0) -> Audio:
    """Make vowels (pulses with jitter through formants), fricatives and pauses.

    It has what the metrics look for: voiced and unvoiced stretches, moving F0 and formants,
    pauses, and a level of about -26 dB of full scale.
    """
    from scipy.signal import butter, lfilter, sosfilt

    rng = np.random.default_rng(seed)
    count = int(seconds * rate)
    time = np.arange(count) / rate
    f0 = 120 + 25 * np.sin(2 * np.pi * 0.8 * time) + 12 * np.sin(2 * np.pi * 2.1 * time)
    phase = np.cumsum(f0) / rate
    source = np.diff(np.floor(phase), prepend=0.0) + 0.002 * rng.standard_normal(count)
    voiced = np.zeros(count)
    for centre, width, sweep in ((550, 90, 150), (1500, 120, 400), (2500, 160, 200)):
        block = rate // 50
        state = np.zeros(2)
        for start in range(0, count, block):
            formant = centre + sweep * np.sin(2 * np.pi * 1.3 * start / rate)
            radius = np.exp(-np.pi * width / rate)
            angle = 2 * np.pi * min(formant, 0.45 * rate) / rate
            poles = [1.0, -2 * radius * np.cos(angle), radius**2]
            part, state = lfilter([1.0], poles, source[start : start + block], zi=state)
            voiced[start : start + block] += part
    hiss = sosfilt(
        butter(4, [0.22 * rate, 0.42 * rate], "band", fs=rate, output="sos"),
        rng.standard_normal(count),
    )
    syllable = (time % 0.4) / 0.4
    envelope = np.clip(np.minimum(syllable, 0.8 - syllable) * 8, 0, 1)
    fricative = np.clip(np.minimum(syllable - 0.78, 0.97 - syllable) * 20, 0, 1)
    pause = ((time % 1.6) < 1.3).astype(float)
    wave = pause * (envelope * voiced / np.abs(voiced).max() + 0.12 * fricative * hiss)
    wave += 1e-4 * rng.standard_normal(count)
    return Audio(0.05 * wave / np.sqrt(np.mean(wave**2)), rate)


def with_noise(audio: Audio, snr_db: float, seed: int = 1) -> Audio:
    """Add white noise at a signal-to-noise ratio in dB."""
    noise = np.random.default_rng(seed).standard_normal(len(audio))
    x = audio.samples.astype(np.float64)
    gain = np.sqrt(np.mean(x**2) / np.mean(noise**2)) * 10 ** (-snr_db / 20)
    return Audio(x + gain * noise, audio.sample_rate)


def low_passed(audio: Audio, hertz: float) -> Audio:
    """Cut everything above a frequency."""
    from scipy.signal import butter, sosfiltfilt

    sos = butter(8, hertz, fs=audio.sample_rate, output="sos")
    return Audio(sosfiltfilt(sos, audio.samples.astype(np.float64)), audio.sample_rate)


def quantised(audio: Audio, bits: int = 5) -> Audio:
    """Round to a few bits, as a very coarse codec would."""
    step = 2.0 ** (1 - bits)
    return Audio(np.round(audio.samples / step) * step, audio.sample_rate)


def scaled(audio: Audio, gain: float) -> Audio:
    """Multiply by a factor."""
    return Audio(audio.samples.astype(np.float64) * gain, audio.sample_rate)


def delayed(audio: Audio, samples: int) -> Audio:
    """Delay by whole samples, keeping the length."""
    return audio.advanced(-samples).fitted(len(audio))
