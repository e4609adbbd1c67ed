"""Noise bursts that stand for voices."""

import numpy as np

from codecbench.audio import Audio, write_audio


def write_voice(path, samples, seed):
    """Write a noise burst; different seeds sound different."""
    noise = np.random.default_rng(seed).standard_normal(samples)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_audio(path, Audio(0.2 * np.convolve(noise, np.hanning(7) / 7, "same"), 16000))
