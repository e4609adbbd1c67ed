"""Realignment of patches, and of whole signals, as package visqol does it."""

import copy

import numpy as np
import pytest

from codecbench.metrics.visqol_signals import SPEECH, Envelope, Whole
from codecbench.metrics.visqol_similarity import _match, _refined

from .signals import synthetic_speech, with_noise

RATE = 44100
"""Lags in seconds times this rate are often not whole numbers of samples again."""
FRAME_SECONDS = 882 / RATE


@pytest.fixture(scope="module")
def wholes():
    """A reference, and a copy whose delay grows, so that patches have lags of both signs."""
    speech = synthetic_speech(1.6, RATE)
    x = speech.samples.astype(np.float64)
    places = np.arange(len(x)) + 300 * np.sin(np.arange(len(x)) / 9000)
    y = np.interp(places, np.arange(len(x)), with_noise(speech, 30.0).samples)
    return Whole(x, RATE, SPEECH), Whole(y, RATE, SPEECH)


@pytest.mark.parametrize("shift", [-3, -1, 0, 1, 2])
def test_refined_patches_equal_the_packages(wholes, shift):
    from visqol.gammatone import GammatoneSpectrogramBuilder
    from visqol.patch_selector import finely_align_and_recreate_patches

    x, y = wholes
    builder = GammatoneSpectrogramBuilder(21, 50.0, speech_mode=True)
    frames, width = y.spectrogram.shape[1], 20
    kinds = set()
    for start in range(3, frames - 2):  # the last ones reach beyond the end
        offset = start + shift
        parts = [np.pad(w.spectrogram, ((0, 0), (0, width))) for w in wholes]
        patch = _match(
            parts[0][:, start : start + width], parts[1][:, offset : offset + width],
            start, offset, FRAME_SECONDS, False,
        )  # fmt: skip
        if start % 5:
            patch.similarity = -1.0  # else what is realigned hardly ever wins
        arguments = (x.signal, y.signal, builder, x.window)
        (expected,) = finely_align_and_recreate_patches([copy.copy(patch)], *arguments)
        found = _refined(patch, x, y)
        assert found.similarity == expected.similarity
        for name in ("freq_band_means", "freq_band_stddevs", "freq_band_deg_energy"):
            np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
        assert found.ref_patch_start_time == expected.ref_patch_start_time
        assert found.ref_patch_end_time == expected.ref_patch_end_time
        kinds.add((found is patch, found.ref_patch_start_time > patch.ref_patch_start_time))
    assert kinds == {(True, False), (False, True), (False, False)}


@pytest.mark.parametrize("lengths", [(4000, 4000), (4000, 3000), (3000, 4001), (2, 5), (1000, 37)])
def test_lag_equals_the_packages(lengths):
    from visqol.signal_utils import find_best_lag, upper_envelope

    rng = np.random.default_rng(sum(lengths))
    common = rng.standard_normal(8000)
    for at in (0, 5, 700):
        x, y = common[at : at + lengths[0]], common[300 : 300 + lengths[1]]
        expected = find_best_lag(upper_envelope(x), upper_envelope(y))
        assert Envelope(x).lag_of(y) == expected
