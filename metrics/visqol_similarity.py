"""ViSQOL's comparison of two signals, with the reference's side done once.

The steps, constants and their order are those of package visqol (a port of Google's ViSQOL v3),
and so are the results, to the bit. What differs is how often work is done: the reference's
spectrogram, patches and envelope are computed once for all codecs; spectra of realigned slices
that lie on the grid of frames are taken from the whole signal's, since every frame is filtered
from rest; and the inner loops are those of `visqol_kernels`. Importing this module imports
visqol and numba.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from visqol.alignment import align_and_truncate
from visqol.analysis_window import AnalysisWindow
from visqol.audio_utils import AudioSignal, scale_to_match_sound_pressure_level
from visqol.gammatone import Spectrogram, prepare_spectrograms_for_comparison
from visqol.nsim import PatchSimilarityResult, measure_patch_similarity
from visqol.patch_creator import ImagePatchCreator, VadPatchCreator
from visqol.visqol_core import (
    calc_per_patch_freq_band_quantile,
    calc_per_patch_mean_freq_band_deg_energy,
    calc_per_patch_mean_freq_band_means,
    calc_per_patch_mean_freq_band_stddevs,
)

from ..errors import MetricError
from ..signals import Wave
from .visqol_kernels import match_patches
from .visqol_signals import (
    FRAME_SECONDS,
    HOP_FRAMES,
    SPEECH,
    Envelope,
    Mode,
    Whole,
    analysis_window,
)

Array = npt.NDArray[np.float64]

SEARCH_PATCHES = 60
MAX_SAMPLES = 2**23
"""Alignment needs more than 100 bytes of memory a sample."""
_VOICED_RMS = 5000.0
_QUANTILE = 0.10


@dataclass(frozen=True)
class Features:
    """What the quality mappers see, each of shape (bands,): see ViSQOL's ``SimilarityResult``."""

    means: Array
    low_quantiles: Array
    deviations: Array
    decoded_energy: Array

    @property
    def vnsim(self) -> float:
        """Mean similarity of all bands."""
        return float(np.mean(self.means))


class Reference:
    """The reference's side of a comparison.

    Parameters
    ----------
    wave : array, shape (samples,)
    rate : int
        In Hz.
    mode : Mode

    Raises
    ------
    MetricError
        If it is too short or too long.
    """

    def __init__(self, wave: Wave, rate: int, mode: Mode) -> None:
        self.mode = mode
        self.rate = rate
        _check_length(wave, rate, "the reference")
        self.whole = Whole(wave, rate, mode)
        if self.whole.spectrogram.shape[1] < mode.least_frames:
            needed = FRAME_SECONDS * (1 + (mode.least_frames - 1) * HOP_FRAMES)
            raise MetricError(f"the reference is too short for ViSQOL ({needed:.2f} s are needed)")
        creator = _VoicedPatches if mode.voiced_only else ImagePatchCreator
        starts = creator(mode.patch_frames).create_ref_patch_indices(
            self.whole.spectrogram, self.whole.signal, self.whole.window
        )
        self.starts = np.array(starts, np.int64)
        self.envelope = Envelope(wave)

    def compare(self, decoded: Wave) -> Features:
        """Compare with decoded audio of the same rate, of any length.

        Raises
        ------
        MetricError
            If the decoded audio is too short, or silent where it was compared.
        """
        x, rate = self.whole, self.rate
        _check_length(decoded, rate, "the decoded audio")
        aligned = _shifted(decoded, self.envelope.lag_of(decoded), len(x.signal.data))
        _check_length(aligned, rate, "the decoded audio, once aligned,")
        if not aligned.any():
            raise MetricError("the decoded audio is silent once it is aligned")
        leveled = scale_to_match_sound_pressure_level(x.signal, AudioSignal(aligned, rate))
        y = Whole(leveled.data, rate, self.mode)
        patches = [_refined(patch, x, y) for patch in self._matches(y)]
        return Features(
            calc_per_patch_mean_freq_band_means(patches),
            calc_per_patch_freq_band_quantile(patches, _QUANTILE),
            calc_per_patch_mean_freq_band_stddevs(patches, _frame_seconds(x.window, rate)),
            calc_per_patch_mean_freq_band_deg_energy(patches),
        )

    def _matches(self, y: Whole) -> list[PatchSimilarityResult]:
        """Find the partner of each of the reference's patches."""
        x_db, y_db = prepare_spectrograms_for_comparison(
            Spectrogram(self.whole.spectrogram), Spectrogram(y.spectrogram)
        )
        width, frames = self.mode.patch_frames, y_db.shape[1]
        starts = self.starts[self.starts - width // 2 <= frames]
        if not len(starts):
            raise MetricError("the decoded audio is too short for ViSQOL to compare any patch")
        patches = np.stack([x_db[:, start : start + width] for start in starts])
        padded = np.pad(y_db, ((0, 0), (0, width)))
        offsets, lost = match_patches(patches, starts, padded, frames, SEARCH_PATCHES * width)
        seconds = _frame_seconds(y.window, y.signal.sample_rate)
        return [
            _match(patch, padded[:, offset : offset + width], start, offset, seconds, gone)
            for patch, start, offset, gone in zip(patches, starts, offsets, lost, strict=True)
        ]


def _match(
    x: Array, y: Array, start: int, offset: int, frame_seconds: float, lost: bool
) -> PatchSimilarityResult:
    result = measure_patch_similarity(x, y)
    seconds = frame_seconds * x.shape[1]
    result.ref_patch_start_time = int(start) * frame_seconds
    result.ref_patch_end_time = result.ref_patch_start_time + seconds
    if lost:
        result.similarity = 0.0
        result.freq_band_means = np.zeros(len(x))
        return result
    result.deg_patch_start_time = int(offset) * frame_seconds
    result.deg_patch_end_time = result.deg_patch_start_time + seconds
    return result


def _refined(patch: PatchSimilarityResult, x: Whole, y: Whole) -> PatchSimilarityResult:
    """Align a pair of patches to the sample; keep what is more similar."""
    if patch.deg_patch_start_time == patch.deg_patch_end_time == 0.0:
        return patch
    x_cut, x_start = x.slice(patch.ref_patch_start_time, patch.ref_patch_end_time)
    y_cut, y_start = y.slice(patch.deg_patch_start_time, patch.deg_patch_end_time)
    excess = len(y_cut.data) - len(x_cut.data)
    x_cut, y_cut, lag = align_and_truncate(x_cut, y_cut)
    if min(len(x_cut.data), len(y_cut.data)) <= x.window.size:
        return patch
    if lag != 0.0:
        x_start = None if lag > 0 else x_start
        y_start = y_start if _keeps_start(lag * x_cut.sample_rate, excess) else None
    x_db, y_db = prepare_spectrograms_for_comparison(
        x.part(x_cut.data, x_start), y.part(y_cut.data, y_start)
    )
    better = measure_patch_similarity(x_db, y_db)
    if better.similarity < patch.similarity:
        return patch
    better.ref_patch_start_time = patch.ref_patch_start_time + max(lag, 0.0)
    better.ref_patch_end_time = better.ref_patch_start_time + x_cut.duration
    return better


def _keeps_start(lag: float, excess: int) -> bool:
    """Whether `align_and_truncate` left the beginning of the decoded slice where it was.

    A positive lag puts zeros before it, and takes them away again with as much of the
    reference if that makes it the longer one, by `excess` samples before.
    """
    return lag > 0 and int(lag) == round(lag) and excess + round(lag) > 0


@functools.cache
def warm_up() -> None:
    """Compile the inner loops (or load them from numba's cache)."""
    wave = np.sin(np.arange(16000.0))
    Reference(wave, 16000, SPEECH).compare(wave)


class _VoicedPatches(VadPatchCreator):
    """The package's choice of patches, its loop over samples done on arrays."""

    def _get_voice_activity(
        self, signal: AudioSignal, start_sample: int, total_samples: int, frame_len: int
    ) -> list[float]:
        data = signal.data[start_sample : start_sample + total_samples]
        data = data[: len(data) // frame_len * frame_len]
        whole = np.trunc(np.clip(data * 2.0**15, -(2.0**15), 2.0**15 - 1))
        level = np.sqrt(np.square(whole.reshape(-1, frame_len)).mean(axis=1))
        loud = level >= _VOICED_RMS
        # a frame is silent if it and the two before it are; the first two count as voiced
        voiced = loud.copy()
        voiced[1:] |= loud[:-1]
        voiced[2:] |= loud[:-2]
        voiced[:2] = True
        return [float(value) for value in voiced]


def _check_length(wave: Wave, rate: int, who: str) -> None:
    if len(wave) <= analysis_window(rate).size:
        raise MetricError(f"{who} is too short for ViSQOL ({1000 * len(wave) / rate:.0f} ms)")
    if len(wave) > MAX_SAMPLES:
        raise MetricError(f"{who} is too long for ViSQOL ({len(wave) / rate:.0f} s): cut it")


def _shifted(wave: Wave, lag: int, reference_length: int) -> Wave:
    """Delay a signal by `lag` samples, unless that is more than half the reference."""
    if abs(lag) > reference_length / 2.0:
        return wave
    return wave[-lag:] if lag < 0 else np.concatenate([np.zeros(lag), wave])


def _frame_seconds(window: AnalysisWindow, rate: int) -> float:
    return window.hop_size / float(rate)
