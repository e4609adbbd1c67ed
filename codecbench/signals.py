"""`Signal`: audio with its resampled forms and analyses remembered, shared by metrics."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from .audio import Audio, resample

Result = TypeVar("Result")
Wave = npt.NDArray[np.float64]


class Signal:
    """Audio plus what has been computed from it.

    Metrics that need the same analysis (an F0 track, a spectral envelope) ask for it through
    `analyse`, which computes it once a signal.

    Parameters
    ----------
    audio : Audio
    """

    def __init__(self, audio: Audio) -> None:
        self.audio = audio
        self._memory: dict[Hashable, Any] = {}

    @property
    def sample_rate(self) -> int:
        """The signal's own rate in Hz."""
        return self.audio.sample_rate

    def at(self, sample_rate: int) -> Wave:
        """Return the samples at a rate (soxr VHQ), read-only float64, shape (samples,)."""
        return self.analyse(_resampled, sample_rate=sample_rate)

    def analyse(self, function: Callable[..., Result], **options: Hashable) -> Result:
        """Return ``function(self, **options)``, computed at most once for these options."""
        key = (function, *sorted(options.items()))
        if key not in self._memory:
            self._memory[key] = function(self, **options)
        result: Result = self._memory[key]
        return result


def _resampled(signal: Signal, sample_rate: int) -> Wave:
    samples = signal.audio.samples.astype(np.float64)
    wave: Wave = np.ascontiguousarray(resample(samples, signal.sample_rate, sample_rate))
    wave.flags.writeable = False
    return wave
