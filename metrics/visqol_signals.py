"""A signal as ViSQOL sees it: its gammatone spectrogram and its envelope.

Constants and results are those of package visqol. Importing this module imports visqol and
numba.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import fft
from visqol.analysis_window import AnalysisWindow
from visqol.audio_utils import AudioSignal
from visqol.gammatone import Spectrogram, make_erb_filters
from visqol.patch_selector import slice_signal
from visqol.signal_utils import upper_envelope

from ..signals import Wave
from .visqol_kernels import LANES, gammatone_rms

Array = npt.NDArray[np.float64]

FRAME_SECONDS = 0.08
HOP_FRAMES = 0.25
LOWEST_HZ = 50.0


@dataclass(frozen=True)
class Mode:
    """Speech or audio.

    Parameters
    ----------
    bands : int
    patch_frames : int
        Frames of 80 ms, every 20 ms.
    top_hz : float or None
        Upper end of the bands; half the rate if None.
    voiced_only : bool
        Whether only patches of the reference with voice activity (and the first) are compared.
    least_frames : int
        Frames that hold one patch where the first one begins.
    """

    bands: int
    patch_frames: int
    top_hz: float | None
    voiced_only: bool
    least_frames: int


SPEECH = Mode(21, 20, 8000.0, True, 29)
AUDIO = Mode(32, 30, None, False, 45)


class Envelope:
    """The reference's upper envelope and its transform, for cross-correlation."""

    def __init__(self, wave: Wave) -> None:
        self.values = upper_envelope(wave)
        self._transforms: dict[int, npt.NDArray[np.complex128]] = {}

    def __len__(self) -> int:
        return len(self.values)

    def lag_of(self, wave: Wave) -> int:
        """Return the shift that best puts a signal's envelope onto this one, in samples."""
        other = upper_envelope(wave)
        longest = max(len(self), len(other))
        size = 1 << (2 * longest - 2).bit_length()
        if size not in self._transforms:
            self._transforms = {size: fft.rfft(self.values, size)}
        product = fft.rfft(other, size)
        np.multiply(self._transforms[size], np.conj(product, out=product), out=product)
        correlation = fft.irfft(product, size)
        back, on = correlation[size - longest + 1 :], correlation[:longest]
        best_on = int(np.argmax(on))
        best_back = int(np.argmax(back)) if len(back) else 0
        is_back = len(back) > 0 and back[best_back] >= on[best_on]
        return best_back - len(back) if is_back else best_on


class Whole:
    """A signal and its gammatone spectrogram, from which slices' spectrograms are taken.

    Parameters
    ----------
    wave : array, shape (samples,)
        Longer than a frame (80 ms).
    rate : int
        In Hz.
    mode : Mode
    """

    def __init__(self, wave: Wave, rate: int, mode: Mode) -> None:
        self.signal = AudioSignal(wave, rate)
        self.window = analysis_window(rate)
        self.groups = filter_groups(rate, mode)
        self.bands = mode.bands
        self.spectrogram = self.spectrogram_of(wave)

    def spectrogram_of(self, wave: Wave) -> Array:
        """Compute a spectrogram, shape (bands, frames)."""
        hann, hop = self.window.hann_window, self.window.hop_size
        bands: Array = gammatone_rms(np.ascontiguousarray(wave), hann, self.groups, hop)
        return bands[: self.bands]

    def part(self, wave: Wave, start: int | None) -> Spectrogram:
        """Return the spectrogram of a slice that begins at sample `start` (None: elsewhere)."""
        hop = self.window.hop_size
        if start is None or start % hop:
            return Spectrogram(self.spectrogram_of(wave))
        first, frames = start // hop, 1 + (len(wave) - self.window.size) // hop
        return Spectrogram(self.spectrogram[:, first : first + frames])

    def slice(self, start_seconds: float, end_seconds: float) -> tuple[AudioSignal, int | None]:
        """Cut out a stretch, and say at which sample it begins (None if it had to be padded)."""
        rate, length = self.signal.sample_rate, len(self.signal.data)
        cut = slice_signal(self.signal, start_seconds, end_seconds)
        padded = start_seconds < 0 or int(end_seconds * rate) > length
        return cut, None if padded else int(start_seconds * rate)


@functools.lru_cache(maxsize=8)
def analysis_window(rate: int) -> AnalysisWindow:
    """Return the window of 80 ms, every 20 ms, of a rate in Hz."""
    return AnalysisWindow(rate, HOP_FRAMES, FRAME_SECONDS)


@functools.lru_cache(maxsize=8)
def filter_groups(rate: int, mode: Mode) -> Array:
    """Return the filters' coefficients in groups, as `gammatone_rms` wants them."""
    top = rate / 2.0 if mode.top_hz is None else min(mode.top_hz, rate / 2.0)
    erb = make_erb_filters(rate, mode.bands, LOWEST_HZ, top).filter_coeffs[:, ::-1]
    a0, a11, a12, a13, a14, _, _, b1, b2, gain = erb
    rows = np.stack([a0 / gain, a0, a0, a0, a11 / gain, a12, a13, a14, b1, b2])
    groups = -(-mode.bands // LANES)
    padded = np.pad(rows, ((0, 0), (0, groups * LANES - mode.bands)))
    grouped = padded.reshape(len(rows), groups, LANES).swapaxes(0, 1)
    return np.ascontiguousarray(grouped).reshape(groups, -1)
