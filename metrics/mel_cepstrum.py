"""Mel-cepstra of spectral envelopes: all-pass constants and one matrix that does it all.

Source: K. Tokuda, T. Kobayashi, T. Masuko, S. Imai, "Mel-generalized cepstral analysis", ICSLP
1994; the frequency transformation (``freqt``) is A. Oppenheim's and D. Johnson's (1972).
"""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]

_CUSTOMARY_ALPHA = {16000: 0.42}
"""The value in use at 16 kHz; the best fit would be 0.410."""

_MEL_CORNER_HZ = 1000.0
_FIT_POINTS = 1000


@functools.cache
def all_pass_constant(sample_rate: int) -> float:
    """Return the all-pass constant whose warping is nearest to the mel scale at a rate.

    0.42 at 16 kHz, as is customary; at other rates the constant in steps of 0.001 with the least
    squared distance from log(1 + f / 1000 Hz), such as 0.312 at 8, 0.466 at 24, 0.554 at 48 kHz.

    Parameters
    ----------
    sample_rate : int
        In Hz.
    """
    if sample_rate in _CUSTOMARY_ALPHA:
        return _CUSTOMARY_ALPHA[sample_rate]
    share = np.arange(1, _FIT_POINTS) / _FIT_POINTS
    nyquist = sample_rate / 2
    mel = np.log1p(share * nyquist / _MEL_CORNER_HZ) / np.log1p(nyquist / _MEL_CORNER_HZ)
    alphas = np.arange(1000)[:, None] / 1000
    omega = np.pi * share
    bend = 2 * np.arctan2(alphas * np.sin(omega), 1 - alphas * np.cos(omega))
    distance = np.mean((share + bend / np.pi - mel) ** 2, axis=1)
    return float(alphas[np.argmin(distance), 0])


@functools.lru_cache(maxsize=8)
def cepstrum_matrix(fft_size: int, order: int, alpha: float) -> Matrix:
    """Return the matrix that takes a log power envelope to its mel-cepstrum.

    It is the inverse Fourier transform of the (even) log envelope, the halving of c0 that
    turns log power into the minimum-phase cepstrum's convention, and the frequency warping.

    Parameters
    ----------
    fft_size : int
        Even; the envelope has fft_size // 2 + 1 bins.
    order : int
    alpha : float

    Returns
    -------
    array of float64, shape (fft_size // 2 + 1, order + 1)
    """
    bins = fft_size // 2 + 1
    to_cepstrum = np.fft.irfft(np.eye(bins), fft_size, axis=1)[:, :bins]
    to_cepstrum[:, 0] /= 2.0
    return np.ascontiguousarray(to_cepstrum @ warping_matrix(bins, order, alpha))


def warping_matrix(size: int, order: int, alpha: float) -> Matrix:
    """Return the matrix of the frequency transformation of a cepstrum by a first-order all-pass.

    Row n is what coefficient n becomes: the first row is (1, 0, 0 …), and each row follows from
    the one before by a step of the recursion over the all-pass chain.

    Returns
    -------
    array of float64, shape (size, order + 1)
    """
    step = np.zeros((order + 1, order + 1))
    step[0, 0] = alpha
    for k in range(1, order + 1):
        # out[k] = in[k-1] + alpha * (in[k] - out[k-1]); for k = 1 the direct gain is 1 - alpha².
        direct = np.eye(order + 1)[k - 1] * (1 - alpha**2 if k == 1 else 1.0)
        feedback = np.zeros(order + 1) if k == 1 else step[k - 1]
        step[k] = direct + alpha * (np.eye(order + 1)[k] - feedback)
    rows = np.zeros((size, order + 1))
    rows[0, 0] = 1.0
    for n in range(1, size):
        rows[n] = step @ rows[n - 1]
    return rows
