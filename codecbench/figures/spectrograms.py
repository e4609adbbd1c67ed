"""The reference's spectrogram over those of what codecs made of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..audio import Audio
from ..engine.decode_again import RunDecoder
from ..errors import UserError
from ..reports.labels import short_labels
from ..results.run_folder import Run
from .canvas import panels
from .kept import utterance_of_run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RANGE_DB = 80.0
"""What is fainter than the loudest point of the reference by more is shown as that."""

_WINDOW_S, _HOP_S = 0.025, 0.005
_COLORS = "magma"
_PANEL = 6.4, 1.35
"""Inches."""


def draw_spectrograms(
    run: Run,
    codecs: Sequence[str],
    name: str | None = None,
    data_root: Path | None = None,
    device: str = "cpu",
) -> Figure:
    """Draw the reference and, below it, each codec on the same scale of level.

    Parameters
    ----------
    run : Run
    codecs : sequence of str
        Canonical specs.
    name : str, optional
        Id of the utterance, or ``corpus/split/id``; the run's first if None.
    data_root : Path, optional
        Where corpora are looked for first.
    device : str
        Torch device of the codecs.

    Raises
    ------
    UserError
        If the utterance is not in the run or its speech not here, a codec has changed since or its
        spec names commands, files or addresses, or the speech is shorter than one window.
    """
    utterance = utterance_of_run(run, name, data_root)
    reference = utterance.audio()
    labels = short_labels(codecs)
    shown = [("reference", reference)]
    decoder = RunDecoder(run, codecs, [utterance.key], device)
    shown += [(labels[spec], decoder.decoded(spec, utterance)) for spec in codecs]
    levels = [level_db(audio) for _, audio in shown]
    top = float(levels[0].max())
    figure, axes = panels(
        len(shown), 1, (_PANEL[0], _PANEL[1] * len(shown) + 0.4), sharex=True, sharey=True
    )
    # A frame stands for what is around its middle; the ends are off by less than a window.
    extent = (0.0, reference.seconds, 0.0, reference.sample_rate / 2000)
    for one, (title, _), level in zip(axes[:, 0], shown, levels, strict=True):
        image = one.imshow(
            level,
            origin="lower",
            aspect="auto",
            extent=extent,
            vmin=top - RANGE_DB,
            vmax=top,
            cmap=_COLORS,
            interpolation="nearest",
        )
        one.set_title(title, loc="left")
    axes[-1, 0].set_xlabel("time (s)")
    figure.supylabel("frequency (kHz)", fontsize="medium")
    figure.colorbar(image, ax=axes.ravel().tolist(), label="level (dB of full scale)", aspect=30)
    return figure


def level_db(audio: Audio) -> npt.NDArray[np.float64]:
    """Return the level of a spectrogram of 25 ms Hann windows every 5 ms.

    Returns
    -------
    array, shape (frequencies, frames)
        In dB of a sine of full scale; at least -200.

    Raises
    ------
    UserError
        If the audio is shorter than a window.
    """
    window = round(_WINDOW_S * audio.sample_rate)
    hop = round(_HOP_S * audio.sample_rate)
    if len(audio) < window:
        raise UserError(f"{audio.seconds * 1000:.0f} ms of speech are too short for a spectrogram")
    frames = np.lib.stride_tricks.sliding_window_view(audio.samples, window)[::hop]
    taper = np.hanning(window + 2)[1:-1]
    magnitudes = np.abs(np.fft.rfft(frames * taper, axis=1)).T * 2 / taper.sum()
    levels: npt.NDArray[np.float64] = 20 * np.log10(np.maximum(magnitudes, 1e-10))
    return levels
