"""The two networks of DNSMOS, run over whole clips instead of window by window.

DNSMOS scores windows of 9.01 s that start every second, so a window shares most of its frames
with the next. Both networks see frames of 10 ms hop, 100 of which make one second exactly, so what
is computed of a frame is the same in every window, but for the frames next to a window's edges,
where the convolutions meet zeros instead of speech. Here every frame goes through the costly
layers once, and the few frames at each window's edges again with those zeros. The result is that
of the window-by-window computation up to the rounding of single-precision floats.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from ..errors import UnavailableError
from ..signals import Wave
from .onnx_cut import cut

Floats = npt.NDArray[np.float32]

RATE = 16000
HOP = 160
WINDOW = 144160
"""Samples in a window of 9.01 s."""

_FRAMES = 900
_FRAME = 320
_STEP = RATE // HOP
"""Frames from one window to the next."""

_P835_FILE, _P808_FILE = "sig_bak_ovr.onnx", "model_v8.onnx"
_SHA256 = {
    _P835_FILE: "269fbebdb513aa23cddfbb593542ecc540284a91849ac50516870e1ac78f6edd",
    _P808_FILE: "9246480c58567bc6affd4200938e77eef49468c8bc7ed3776d109c07456f6e91",
}

_FRAMES_TENSOR = "mos_estimator_logpow/concat:0"
_FULL_RATE_TENSOR = "mos_estimator_logpow/conv2d_3/Relu:0"
_QUARTER_RATE_TENSOR = "mos_estimator_logpow/conv2d_5/Relu:0"
_SCORES_TENSOR = "Identity:0"

_CHUNK = 400
"""Frames that go through the full-rate layers at once; bounds the memory."""

_LONGEST_RUN = 30
"""Windows whose common frames are held at once."""

_REACH = 4
"""Frames by which the four full-rate 3 x 3 convolutions look to each side."""

_QUARTER_EDGE = 3
"""Frames of the quarter-rate layers' output that a window's edge changes."""

_CONTEXT = 20
"""Full-rate features from which those three follow."""


def load_networks() -> tuple[P835Network, P808Network]:
    """Load both networks from the files that speechmos ships, one thread each.

    Raises
    ------
    UnavailableError
        If the files are not the known ones.
    """
    p835, p808 = (_model(name) for name in (_P835_FILE, _P808_FILE))
    return (
        P835Network(
            _runner(cut(p835, _FRAMES_TENSOR, _FULL_RATE_TENSOR)),
            _runner(cut(p835, _FULL_RATE_TENSOR, _QUARTER_RATE_TENSOR)),
            _runner(cut(p835, _QUARTER_RATE_TENSOR, _SCORES_TENSOR)),
        ),
        P808Network(_runner(p808), _mel_filters()),
    )


def _model(name: str) -> bytes:
    import importlib.util

    found = importlib.util.find_spec("speechmos")
    folder = Path(str(found.origin)).parent if found else Path()
    path = folder / "dnsmos_models" / name
    data = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(data).hexdigest() != _SHA256[name]:
        raise UnavailableError(
            f"dnsmos cannot run here: {name} of speechmos 0.0.1.1 is missing or another;"
            " pip install --force-reinstall speechmos==0.0.1.1"
        )
    return data


Runner = Callable[[Floats], Floats]


def _runner(model: bytes) -> Runner:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def run(values: Floats) -> Floats:
        result: Floats = session.run(None, {name: np.ascontiguousarray(values)})[0]
        return result

    return run


def _mel_filters() -> npt.NDArray[np.float64]:
    from librosa.filters import mel

    filters: npt.NDArray[np.float64] = mel(
        sr=RATE, n_fft=_FRAME + 1, n_mels=120, dtype=np.float64
    ).T
    return filters


@dataclass(frozen=True, eq=False)
class P835Network:
    """Estimates SIG, BAK and OVRL (raw, before the polynomials).

    Parameters
    ----------
    full_rate : callable
        Frames (n, frames, 320) to features (n, 32, frames, 161); nearly all the work.
    quarter_rate : callable
        Those to features at a quarter of the rate (n, 32, frames / 4, 40).
    scores : callable
        Those of 225 frames to (n, 3).
    """

    full_rate: Runner
    quarter_rate: Runner
    scores: Runner

    def __call__(self, wave: Wave, starts: Sequence[int], period: int | None = None) -> Floats:
        """Score windows.

        Parameters
        ----------
        wave : array, shape (samples,)
            At 16 kHz.
        starts : sequence of int
            First seconds of the windows, rising; each window lies within `wave`.
        period : int, optional
            Samples after which `wave` repeats, to its end.

        Returns
        -------
        array of float32, shape (windows, 3)
        """
        frames = sliding_window_view(wave.astype(np.float32), _FRAME)[::HOP]
        frame_period = None if period is None else math.lcm(period, HOP) // HOP
        return np.concatenate([self._overlapping(frames, r, frame_period) for r in _runs(starts)])

    def _overlapping(self, frames: Floats, starts: Sequence[int], period: int | None) -> Floats:
        """Score windows that start in successive seconds."""
        first, count = starts[0] * _STEP, len(starts)
        span = frames[first : first + (count - 1) * _STEP + _FRAMES]
        features = self._features(span, period)
        quarter = self.quarter_rate(features[None])[0]
        step, size = _STEP // 4, _FRAMES // 4
        windows = np.stack([quarter[:, i * step : i * step + size] for i in range(count)])
        if count > 1:
            left, right = self._edges(span, features, count)
            windows[1:, :, :_QUARTER_EDGE] = left
            windows[:-1, :, -_QUARTER_EDGE:] = right
        return self.scores(windows)

    def _features(self, span: Floats, period: int | None) -> Floats:
        """Return the full-rate features of a span, computed once for frames that repeat."""
        needed = (period or len(span)) + 2 * _REACH
        if len(span) <= needed:
            return self._by_chunks(span)
        body = self._by_chunks(span[:needed])
        index = np.arange(len(span))
        index[_REACH:] = _REACH + (index[_REACH:] - _REACH) % (needed - 2 * _REACH)
        features = body[:, index]
        features[:, -_REACH:] = self.full_rate(span[None, -2 * _REACH :])[0, :, -_REACH:]
        return features

    def _by_chunks(self, span: Floats) -> Floats:
        parts = []
        for start in range(0, len(span), _CHUNK):
            stop = min(start + _CHUNK, len(span))
            before, after = min(start, _REACH), min(len(span) - stop, _REACH)
            part = self.full_rate(span[None, start - before : stop + after])
            parts.append(part[0, :, before : before + stop - start])
        return np.concatenate(parts, axis=1)

    def _edges(self, span: Floats, features: Floats, count: int) -> tuple[Floats, Floats]:
        """Return the quarter-rate frames at the inner edges of the windows of a span.

        Returns
        -------
        left : array, shape (count - 1, 32, 3, 40)
            At the beginnings of all windows but the first.
        right : array, shape (count - 1, 32, 3, 40)
            At the ends of all windows but the last.
        """
        begins = range(_STEP, count * _STEP, _STEP)
        ends = range(_FRAMES, _FRAMES + (count - 1) * _STEP, _STEP)
        patches = [span[b : b + 2 * _REACH] for b in begins]
        patches += [span[e - 2 * _REACH : e] for e in ends]
        redone = self.full_rate(np.stack(patches))
        left = np.stack([features[:, b : b + _CONTEXT] for b in begins])
        right = np.stack([features[:, e - _CONTEXT : e] for e in ends])
        left[:, :, :_REACH] = redone[: count - 1, :, :_REACH]
        right[:, :, -_REACH:] = redone[count - 1 :, :, -_REACH:]
        quarter = self.quarter_rate(np.concatenate([left, right]))
        return quarter[: count - 1, :, :_QUARTER_EDGE], quarter[count - 1 :, :, -_QUARTER_EDGE:]


@dataclass(frozen=True, eq=False)
class P808Network:
    """Estimates the P.808 MOS from 900 frames of a 120-band mel spectrogram.

    Parameters
    ----------
    network : callable
        (n, 900, 120) to (n, 1).
    filters : array, shape (161, 120)
        Mel filterbank (Slaney's scale and norm).
    """

    network: Runner
    filters: npt.NDArray[np.float64]

    def __call__(self, wave: Wave, starts: Sequence[int]) -> Floats:
        """Score windows; see `P835Network`.

        Returns
        -------
        array of float32, shape (windows,)
        """
        return np.concatenate([self._overlapping(wave, run) for run in _runs(starts)])

    def _overlapping(self, wave: Wave, starts: Sequence[int]) -> Floats:
        length = _FRAMES * HOP
        span = wave[starts[0] * RATE : starts[-1] * RATE + length]
        decibels = self._decibels(sliding_window_view(np.pad(span, HOP), _FRAME + 1)[::HOP])
        results = np.empty(len(starts), np.float32)
        for i in range(len(starts)):
            window = decibels[i * _STEP : i * _STEP + _FRAMES].copy()
            # librosa pads each window with zeros, which its first and last frame see.
            clip = span[i * RATE : i * RATE + length]
            ends = np.stack([np.pad(clip[: HOP + 1], (HOP, 0)), np.pad(clip[-2 * HOP :], (0, 1))])
            window[[0, -1]] = self._decibels(ends)
            results[i] = self.network(_scaled(window)[None])[0, 0]
        return results

    def _decibels(self, frames: Wave) -> npt.NDArray[np.float64]:
        hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_FRAME + 1) / (_FRAME + 1))
        power = np.abs(np.fft.rfft(frames * hann, axis=1)) ** 2
        result: npt.NDArray[np.float64] = 10.0 * np.log10(np.maximum(power @ self.filters, 1e-10))
        return result


def _scaled(decibels: npt.NDArray[np.float64]) -> Floats:
    """Relative to the window's maximum, at most 80 dB below it; 0 dB is 1, -40 dB is 0."""
    relative = np.maximum(decibels - decibels.max(), -80.0)
    scaled: Floats = ((relative + 40.0) / 40.0).astype(np.float32)
    return scaled


def _runs(starts: Sequence[int]) -> list[list[int]]:
    """Split rising numbers into runs of successive ones, none too long for the memory."""
    runs: list[list[int]] = []
    for start in starts:
        if runs and start == runs[-1][-1] + 1 and len(runs[-1]) < _LONGEST_RUN:
            runs[-1].append(start)
        else:
            runs.append([start])
    return runs
