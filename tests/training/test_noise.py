"""Noise made on the spot."""

from typing import get_args

import numpy as np
import pytest

from codecbench.adapters.training.noise import NoiseSource, SyntheticNoise

RATE, SAMPLES = 16_000, 16_000


def speech(generator):
    """Draw a tone of a frequency drawn from 100, 200, ... 4000 Hz."""
    hertz = 100 * generator.integers(1, 41)
    return np.sin(2 * np.pi * hertz * np.arange(SAMPLES) / RATE).astype(np.float32)


def drawn(kind, seed=0):
    source = NoiseSource(SAMPLES, RATE, (kind,), speech)
    return source.draw(np.random.default_rng(seed))


def band_db(noise, low, high):
    """Return the power between two frequencies."""
    spectrum = np.abs(np.fft.rfft(noise)) ** 2
    return 10 * np.log10(spectrum[low:high].sum())


@pytest.mark.parametrize("kind", get_args(SyntheticNoise))
def test_every_kind_is_a_crop_that_depends_on_the_generator_alone(kind):
    noise = drawn(kind)
    assert noise.shape == (SAMPLES,)
    assert noise.dtype == np.float32
    assert np.isfinite(noise).all()
    assert noise.std() > 0
    assert np.array_equal(noise, drawn(kind))
    assert not np.array_equal(noise, drawn(kind, seed=1))


@pytest.mark.parametrize(("kind", "slope_db"), [("white", 0), ("pink", 3), ("brown", 6)])
def test_colours_fall_by_their_decibels_an_octave(kind, slope_db):
    """Power in an octave rises by 3 dB an octave in white noise, as it is twice as wide."""
    octaves = [band_db(drawn(kind), low, 2 * low) for low in (100, 400, 1600)]
    assert np.diff(octaves) == pytest.approx(2 * (3.01 - slope_db), abs=1.5)


def test_hum_lies_on_harmonics_of_the_mains():
    spectrum = np.abs(np.fft.rfft(drawn("hum"))) ** 2
    fundamental = 50 if spectrum[50::50].sum() > spectrum[60::60].sum() else 60
    assert spectrum[fundamental::fundamental].sum() > 0.999 * spectrum.sum()


def test_babble_is_made_of_several_speakers():
    spectrum = np.abs(np.fft.rfft(drawn("babble")))
    assert 2 <= (spectrum > 0.1 * spectrum.max()).sum() <= 8


def test_kinds_and_recorded_noise_are_drawn_in_turn():
    recorded = np.full(SAMPLES, 0.5, np.float32)
    source = NoiseSource(SAMPLES, RATE, ("white",), speech, lambda generator: recorded)
    generator = np.random.default_rng(0)
    ours = sum(source.draw(generator) is recorded for _ in range(100))
    assert 30 < ours < 70


def test_no_kind_at_all_is_a_mistake():
    with pytest.raises(ValueError, match="give kinds of noise"):
        NoiseSource(SAMPLES, RATE, (), speech)
