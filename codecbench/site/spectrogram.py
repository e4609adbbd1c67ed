"""Spectrograms as small PNG pictures, all with the same range of levels."""

from __future__ import annotations

import functools
import io

import numpy as np
import numpy.typing as npt

from ..audio import Audio

TOP_DB, BOTTOM_DB = -20.0, -100.0
"""Levels of the brightest and the darkest colour; a full-scale sine has 0 dB."""

WINDOW_SECONDS = 0.032
_COLUMNS = 720
_ROWS = 160
_COLORS = 64


def spectrogram_png(audio: Audio) -> bytes:
    """Draw a spectrogram: time to the right, 0 Hz to half the sample rate upwards.

    Returns
    -------
    bytes
        A PNG file of up to 720 × 160 pixels and 64 colours.
    """
    from PIL import Image

    levels = spectrogram_db(audio)
    shade = (levels - BOTTOM_DB) / (TOP_DB - BOTTOM_DB)
    indices = np.round(np.clip(shade, 0, 1) * (_COLORS - 1)).astype(np.uint8)
    # Row 0 of a picture is at its top.
    picture = Image.fromarray(np.ascontiguousarray(indices[::-1]), "P")
    picture.putpalette(_palette())
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()


def spectrogram_db(audio: Audio) -> npt.NDArray[np.float64]:
    """Return levels in dB below a full-scale sine, shape (frequencies, times).

    Hann windows of 32 ms; where a pixel covers several bins or windows it shows the largest power.
    """
    size = max(16, round(WINDOW_SECONDS * audio.sample_rate))
    hop = max(size // 4, -(-max(1, len(audio) - size) // _COLUMNS))
    samples = audio.fitted(max(size, len(audio))).samples.astype(np.float64)
    windows = np.lib.stride_tricks.sliding_window_view(samples, size)[::hop]
    window = np.hanning(size)
    spectra = np.abs(np.fft.rfft(windows * window, axis=1)) ** 2
    power = spectra.T / (window.sum() / 2) ** 2
    pooled = _pooled(power, _ROWS)
    return np.asarray(10 * np.log10(np.maximum(pooled, 1e-12)))


def _pooled(power: npt.NDArray[np.float64], rows: int) -> npt.NDArray[np.float64]:
    """Take the largest of neighbouring bins, so that at most `rows` are left."""
    if len(power) <= rows:
        return power
    edges = np.linspace(0, len(power), rows + 1).astype(int)[:-1]
    return np.asarray(np.maximum.reduceat(power, edges, axis=0))


@functools.cache
def _palette() -> list[int]:
    from matplotlib import colormaps

    colors = colormaps["magma"](np.linspace(0, 1, _COLORS))[:, :3]
    return [int(value) for value in np.round(colors * 255).ravel()]
