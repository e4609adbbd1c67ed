"""Noise that is added to crops of speech: recorded, or made on the spot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np

from ...audio import Samples

SyntheticNoise = Literal["white", "pink", "brown", "hum", "babble"]
"""Noise whose power falls by 0, 3 or 6 dB an octave; mains hum with its harmonics; several
speakers at once."""

_SLOPES = {"white": 0.0, "pink": 0.5, "brown": 1.0}
_LOWEST = 20.0
_HUM = (50.0, 60.0)
_SPEAKERS = (3, 8)

Draw = Callable[[np.random.Generator], Samples]
"""Draws one crop."""


class NoiseSource:
    """Draws noise of one of several kinds, as long as a crop.

    Parameters
    ----------
    samples, sample_rate : int
        Of a crop; the rate in Hz.
    kinds : sequence of str
        Synthetic kinds.
    speech : callable
        Draws a crop of speech, of which babble is made.
    recorded : callable or None
        Draws a crop of recorded noise.
    """

    def __init__(
        self,
        samples: int,
        sample_rate: int,
        kinds: Sequence[SyntheticNoise],
        speech: Draw,
        recorded: Draw | None = None,
    ) -> None:
        self.samples, self.sample_rate = samples, sample_rate
        self.speech = speech
        self._draws: list[Draw] = [self._drawing(kind) for kind in kinds]
        if recorded is not None:
            self._draws.append(recorded)
        if not self._draws:
            raise ValueError("give kinds of noise, or recorded noise")

    def draw(self, generator: np.random.Generator) -> Samples:
        """Draw noise of any level, shape (samples,)."""
        return self._draws[int(generator.integers(len(self._draws)))](generator)

    def _drawing(self, kind: SyntheticNoise) -> Draw:
        if kind == "hum":
            return self._hum
        if kind == "babble":
            return self._babble
        return lambda generator: self._coloured(generator, _SLOPES[kind])

    def _coloured(self, generator: np.random.Generator, slope: float) -> Samples:
        spectrum = np.fft.rfft(generator.standard_normal(self.samples))
        frequencies = np.fft.rfftfreq(self.samples, 1 / self.sample_rate)
        shaped = spectrum * np.maximum(frequencies, _LOWEST) ** -slope
        noise: Samples = np.fft.irfft(shaped, self.samples).astype(np.float32)
        return noise

    def _hum(self, generator: np.random.Generator) -> Samples:
        fundamental = float(generator.choice(_HUM))
        orders = np.arange(1, int(self.sample_rate / 2 / fundamental) + 1)
        levels = generator.uniform(0, 1, len(orders)) / orders
        phases = generator.uniform(0, 2 * np.pi, len(orders))
        angles = 2 * np.pi * fundamental * np.arange(self.samples) / self.sample_rate
        tones = np.sin(orders[:, None] * angles + phases[:, None])
        hum: Samples = (levels @ tones).astype(np.float32)
        return hum

    def _babble(self, generator: np.random.Generator) -> Samples:
        speakers = int(generator.integers(_SPEAKERS[0], _SPEAKERS[1] + 1))
        crops = [self.speech(generator) for _ in range(speakers)]
        levelled = [crop / max(float(np.abs(crop).max()), 1e-6) for crop in crops]
        babble: Samples = np.sum(levelled, axis=0).astype(np.float32)
        return babble
