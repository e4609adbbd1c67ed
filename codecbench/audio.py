"""Mono audio in memory: reading, writing, resampling, cutting and level of signals."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import AudioError
from .files import atomic_path

Samples = npt.NDArray[np.float32]

MAX_SECONDS = 3600.0
"""Longer files are refused: a corrupt header must not be able to fill the memory."""

RESAMPLER = "soxr VHQ"
"""The one resampler of the measurement protocol."""

_CONTAINER_OVERHEAD_FACTOR = 4000
"""No codec libsndfile reads packs more than this many samples into one byte of file."""


@dataclass(frozen=True, eq=False, slots=True)
class Audio:
    """A mono signal.

    Parameters
    ----------
    samples : array of float32, shape (samples,)
        Full scale is [-1, 1]; values beyond it are kept. The array is made read-only.
    sample_rate : int
        In Hz.

    Raises
    ------
    AudioError
        If `samples` is not one-dimensional or `sample_rate` is not a positive whole number.
    """

    samples: Samples
    sample_rate: int

    def __post_init__(self) -> None:
        samples = np.ascontiguousarray(self.samples, dtype=np.float32)
        if samples.ndim != 1:
            raise AudioError(f"audio must be mono, shape (samples,); got shape {samples.shape}")
        rate = self.sample_rate
        if isinstance(rate, bool) or int(rate) != rate or rate <= 0:
            raise AudioError(f"the sample rate must be a positive whole number of Hz; got {rate!r}")
        if samples.flags.writeable:
            samples = samples.view()
            samples.flags.writeable = False
        object.__setattr__(self, "samples", samples)
        object.__setattr__(self, "sample_rate", int(rate))

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def seconds(self) -> float:
        """Duration in seconds."""
        return len(self.samples) / self.sample_rate

    @property
    def is_finite(self) -> bool:
        """Whether no sample is NaN or infinite."""
        return bool(np.isfinite(self.samples).all())

    def resampled(self, sample_rate: int) -> Audio:
        """Return the signal at another rate (soxr VHQ, linear phase, no delay)."""
        if sample_rate == self.sample_rate:
            return self
        return Audio(resample(self.samples, self.sample_rate, sample_rate), sample_rate)

    def fitted(self, length: int) -> Audio:
        """Return the signal cut, or padded with zeros at its end, to `length` samples."""
        if length == len(self.samples):
            return self
        padding = max(0, length - len(self.samples))
        return Audio(np.pad(self.samples[:length], (0, padding)), self.sample_rate)

    def advanced(self, delay: int) -> Audio:
        """Return the signal with its first `delay` samples dropped (zeros added if negative)."""
        if delay >= 0:
            return Audio(self.samples[delay:], self.sample_rate)
        return Audio(np.pad(self.samples, (-delay, 0)), self.sample_rate)

    def sha256(self) -> str:
        """Hash the samples and the rate; equal for equal sound in any lossless container."""
        digest = hashlib.sha256(str(self.sample_rate).encode() + b"\n")
        positive_zeros = self.samples + np.float32(0.0)
        digest.update(positive_zeros.astype("<f4", copy=False).tobytes())
        return digest.hexdigest()


def resample(
    samples: npt.NDArray[np.floating[Any]], from_rate: int, to_rate: int
) -> npt.NDArray[Any]:
    """Resample with soxr VHQ to exactly ceil(samples * to_rate / from_rate) samples.

    Parameters
    ----------
    samples : array, shape (samples,), float32 or float64
    from_rate, to_rate : int
        In Hz.
    """
    if from_rate == to_rate:
        return samples
    length = -(-len(samples) * to_rate // from_rate)
    if len(samples) == 0:
        return np.zeros(0, samples.dtype)
    import soxr

    out = soxr.resample(samples, from_rate, to_rate, quality="VHQ")
    return np.pad(out[:length], (0, max(0, length - len(out))))


def read_audio(path: str | Path) -> Audio:
    """Read any file that libsndfile reads (WAV, FLAC, Ogg, MP3 …); channels are averaged.

    Raises
    ------
    AudioError
        If the file is missing, unreadable, not audio, empty, or longer than an hour.
    """
    import soundfile

    path = Path(path)
    try:
        with soundfile.SoundFile(str(path)) as file:
            _check_header(path, file.frames, file.channels, file.samplerate)
            samples = file.read(dtype="float32", always_2d=True)
            rate = file.samplerate
    except (soundfile.LibsndfileError, OSError, MemoryError, ValueError, TypeError) as error:
        raise AudioError(_unreadable(path, error)) from error
    if len(samples) == 0:
        raise AudioError(f"{path}: the file holds no samples")
    mono = samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1, dtype=np.float64)
    return Audio(mono, rate)


def _check_header(path: Path, frames: int, channels: int, rate: int) -> None:
    size = path.stat().st_size
    if frames * channels > max(size, 1) * _CONTAINER_OVERHEAD_FACTOR:
        raise AudioError(f"{path}: the header claims {frames} samples in a file of {size} bytes")
    if frames > MAX_SECONDS * rate:
        raise AudioError(
            f"{path}: longer than {MAX_SECONDS:.0f} s ({frames / rate:.0f} s); split the file"
        )


def _unreadable(path: Path, error: Exception) -> str:
    try:
        if not path.exists():
            return f"{path}: no such file"
        if path.is_dir():
            return f"{path}: is a directory, not an audio file"
        if path.stat().st_size == 0:
            return f"{path}: the file is empty (0 bytes)"
        with path.open("rb"):
            pass
    except OSError as os_error:
        return f"{path}: cannot be read ({os_error.strerror or os_error})"
    return f"{path}: not a readable audio file ({_one_line(error)})"


def _one_line(error: Exception) -> str:
    text = getattr(error, "error_string", None) or str(error) or type(error).__name__
    return " ".join(str(text).split())


def write_audio(path: str | Path, audio: Audio, subtype: str = "PCM_16") -> None:
    """Write a WAV or FLAC file, whole or not at all; samples beyond full scale are clipped.

    Parameters
    ----------
    path : path
        Ends in ``.wav`` or ``.flac``.
    audio : Audio
    subtype : str
        Sample format: ``PCM_16``, ``PCM_24`` or (WAV only) ``FLOAT``.
    """
    import soundfile

    path = Path(path)
    kind = container_of(path)
    samples = audio.samples if subtype == "FLOAT" else _as_pcm(audio.samples, subtype)
    with atomic_path(path) as temporary:
        soundfile.write(str(temporary), samples, audio.sample_rate, subtype=subtype, format=kind)


def container_of(path: Path) -> str:
    """Return the container that a file to be written will have: ``WAV`` or ``FLAC``.

    Raises
    ------
    AudioError
        If its name ends otherwise.
    """
    kind = path.suffix.lower().lstrip(".").upper()
    if kind not in ("WAV", "FLAC"):
        raise AudioError(f"{path}: can write .wav and .flac files, not {path.suffix or 'this one'}")
    return kind


def _as_pcm(samples: Samples, subtype: str) -> npt.NDArray[np.integer[Any]]:
    """Round to whole numbers, full scale 2**(bits - 1) as in reading.

    libsndfile itself would scale by one less, so that written and read samples differed.
    """
    bits = {"PCM_16": 16, "PCM_24": 24}[subtype]
    full_scale = 2 ** (bits - 1)
    scaled = np.round(samples.astype(np.float64) * full_scale)
    whole: npt.NDArray[np.float64] = np.clip(scaled, -full_scale, full_scale - 1)
    return whole.astype(np.int16) if bits == 16 else (whole * 256).astype(np.int32)
