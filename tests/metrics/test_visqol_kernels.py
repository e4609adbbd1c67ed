"""The compiled loops of ViSQOL give bit for bit what the package's own loops give."""

import numpy as np
import pytest

from codecbench.metrics.visqol_kernels import KERNEL, gammatone_rms, match_patches
from codecbench.metrics.visqol_signals import AUDIO, SPEECH, analysis_window, filter_groups
from codecbench.metrics.visqol_similarity import _VoicedPatches


@pytest.mark.parametrize(("mode", "rate"), [(SPEECH, 16000), (SPEECH, 48000), (AUDIO, 48000)])
def test_gammatone_spectrogram_equals_the_package(mode, rate):
    from visqol.audio_utils import AudioSignal
    from visqol.gammatone import GammatoneSpectrogramBuilder

    wave = np.random.default_rng(0).standard_normal(rate // 2)
    window = analysis_window(rate)
    builder = GammatoneSpectrogramBuilder(mode.bands, 50.0, speech_mode=mode is SPEECH)
    expected = builder.build(AudioSignal(wave, rate), window).data
    bands = gammatone_rms(wave, window.hann_window, filter_groups(rate, mode), window.hop_size)
    np.testing.assert_array_equal(bands[: mode.bands], expected)


def _spectrograms(frames: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = 40 * rng.random((21, frames))
    x[:, frames // 3 : frames // 2] = 0.0  # silence: variances of zero, and ties
    y = np.maximum(0.0, x + 3 * rng.standard_normal(x.shape) * (rng.random(frames) < 0.7))
    return x, y


@pytest.mark.parametrize(("frames", "reach"), [(90, 1200), (300, 1200), (300, 40), (150, 10)])
@pytest.mark.parametrize("seed", range(3))
def test_matching_equals_the_package(frames, reach, seed):
    from visqol.patch_selector import find_most_optimal_deg_patches

    width = 20
    x, y = _spectrograms(frames, seed)
    y = np.concatenate([y[:, : frames // 2], y[:, frames // 2 + 7 :]], axis=1)
    starts = list(range(9, frames - width, width))
    patches = [np.ascontiguousarray(x[:, start : start + width]) for start in starts]
    expected = find_most_optimal_deg_patches(patches, starts, y, 1.0, reach // width)
    offsets, lost = match_patches(
        np.stack(patches),
        np.array(starts),
        np.pad(y, ((0, 0), (0, width))),
        y.shape[1],
        reach // width * width,
    )
    gone = [patch.deg_patch_end_time == 0.0 for patch in expected]
    assert lost.tolist() == gone
    places = [patch.deg_patch_start_time for patch in expected]
    assert [0 if flag else offset for offset, flag in zip(offsets, lost, strict=True)] == places


def test_window_is_the_packages():
    from visqol.nsim import GAUSSIAN_WINDOW

    np.testing.assert_array_equal(KERNEL, GAUSSIAN_WINDOW)


@pytest.mark.parametrize("count", [0, 100, 320, 640, 960, 6400, 6500, 20000])
@pytest.mark.parametrize("scale", [0.1, 1.5])
def test_voice_activity_equals_the_package(count, scale):
    from visqol.audio_utils import AudioSignal
    from visqol.patch_creator import VadPatchCreator

    rng = np.random.default_rng(count)
    level = 3 * rng.random(count // 320 + 1).repeat(320)[:count] ** 3
    signal = AudioSignal(scale * level * rng.standard_normal(count), 16000)
    for total in (count, count // 2):
        arguments = (signal, 9, total, 320)
        expected = VadPatchCreator(20)._get_voice_activity(*arguments)
        found = _VoicedPatches(20)._get_voice_activity(*arguments)
        # the package counts two frames as voiced before it has seen any
        assert found == expected[: len(found)]
        assert len(found) == len(expected) or len(found) < 2
