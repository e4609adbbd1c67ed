"""Random crops and batches."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codecbench.adapters.training.corpora import gather
from codecbench.adapters.training.crops import (
    BatchMaker,
    Crops,
    Prefetcher,
    Recordings,
    RecordingsInFiles,
    RecordingsInMemory,
)
from codecbench.adapters.training.noise import NoiseSource
from codecbench.adapters.training.recipe import DataConfig
from codecbench.errors import UserError

RATE = 8000


class Given(Recordings):
    def __init__(self, signals, rates):
        self.signals = [np.asarray(signal, np.float32) for signal in signals]
        self.lengths, self.rates = [len(signal) for signal in self.signals], rates

    def excerpt(self, index, start, length):
        return self.signals[index][start : start + length]


def tone(hertz, seconds, rate=RATE):
    return np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def generator(seed=0):
    return np.random.default_rng(seed)


def hertz_of(wave, rate=RATE):
    spectrum = np.abs(np.fft.rfft(wave * np.hanning(len(wave))))
    return np.argmax(spectrum) * rate / len(wave)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.integers(1, 900), st.sampled_from([8000, 11025, 16000])), min_size=1),
    st.integers(1, 400),
    st.sampled_from([0.5, 0.9, 1.0, 1.1, 2.0]),
    st.integers(0, 2**32),
)
def test_crops_are_as_long_as_asked_and_finite(shapes, samples, speed, seed):
    signals = [np.ones(length) for length, _ in shapes]
    crops = Crops(Given(signals, [rate for _, rate in shapes]), samples, RATE)
    crop = crops.draw(generator(seed), speed)
    assert crop.shape == (samples,)
    assert crop.dtype == np.float32
    assert np.isfinite(crop).all()


def test_every_second_is_equally_likely():
    crops = Crops(Given([np.full(100, 1.0), np.full(600, 2.0)], [100, 200]), 10, 200)
    drawn = generator(1)
    levels = np.array([crops.draw(drawn).mean() for _ in range(4000)])
    assert np.mean(levels < 1.5) == pytest.approx(0.25, abs=0.03)


def test_speed_moves_the_pitch_and_rates_do_not():
    fast = Crops(Given([tone(500, 1.0)], [RATE]), 2000, RATE).draw(generator(), 1.25)
    other_rate = Crops(Given([tone(500, 1.0, 16000)], [16000]), 2000, RATE).draw(generator())
    assert hertz_of(fast) == pytest.approx(625, abs=4)
    assert hertz_of(other_rate) == pytest.approx(500, abs=4)


def test_files_and_memory_give_the_same_crops(speech):
    utterances = gather([f"folder:{speech}"], None)
    memory = Crops(RecordingsInMemory(utterances, RATE, 1), 500, RATE)
    files = Crops(RecordingsInFiles(utterances, 2), 500, RATE)
    for seed in range(20):
        assert np.array_equal(memory.draw(generator(seed)), files.draw(generator(seed)))


def test_broken_files_are_named(tmp_path):
    (tmp_path / "broken.wav").write_bytes(b"not audio")
    with pytest.raises(UserError, match=r"broken\.wav"):
        RecordingsInFiles(gather([f"folder:{tmp_path}"], None), 1)


def maker(signals, noise=None, seed=0, rank=0, **config):
    speech = Crops(Given(signals, [RATE] * len(signals)), 400, RATE)
    other = None
    if noise is not None:
        recorded = Crops(Given(noise, [RATE] * len(noise)), 400, RATE).draw
        other = NoiseSource(400, RATE, (), speech.draw, recorded)
    return BatchMaker(speech, other, DataConfig(**config), seed, rank)


VOICES = [0.3 * tone(300, 1.0), 0.01 * tone(900, 2.0)]


def test_batches_depend_on_where_training_stands_and_on_nothing_else():
    options = {"gain_db": (-6, 6), "speeds": (0.9, 1.1), "polarity_flip": True}
    one, again = maker(VOICES, **options), maker(VOICES, **options)
    again(0, 0, 3)
    batch = one(1, 5, 3).inputs
    assert batch.equal(again(1, 5, 3).inputs)
    others = [one(1, 6, 3), one(0, 5, 3), maker(VOICES, rank=1, **options)(1, 5, 3),
              maker(VOICES, seed=1, **options)(1, 5, 3)]  # fmt: skip
    assert not any(batch.equal(other.inputs) for other in others)


def test_crops_are_brought_to_the_level_and_silence_stays_silence():
    waves = maker([*VOICES, np.zeros(8000)], level_rms=0.1)(0, 0, 40).inputs
    levels = waves.square().mean(dim=1).sqrt()
    silent = levels == 0
    assert silent.any()
    assert levels[~silent].numpy() == pytest.approx(0.1, rel=1e-3)


def test_gain_is_within_its_range():
    waves = maker(VOICES, level_rms=0.1, gain_db=(-6, 6))(0, 0, 50).inputs
    gains = 20 * np.log10(waves.square().mean(dim=1).sqrt().numpy() / 0.1)
    assert -6.01 < gains.min() < -4
    assert 4 < gains.max() < 6.01


def test_noisy_batches_hold_the_three_kinds_of_soundstream():
    batch = maker([VOICES[0]], [tone(2000, 1.0)], noise_gain_db=(-3, 0))(0, 0, 60)
    noisy = [bool(hertz) for hertz in (batch.inputs - batch.targets).abs().amax(dim=1) > 0]
    assert batch.denoise.any()
    assert not batch.denoise.all()
    for item, asked in enumerate(batch.denoise.tolist()):
        assert asked or not noisy[item]
    # Of those to be denoised half are noisy; targets of these are clean.
    assert 0 < sum(noisy) < int(batch.denoise.sum())
    for target in batch.targets[batch.denoise]:
        assert hertz_of(target.numpy()) == pytest.approx(300, abs=25)


def test_clean_targets_of_noisy_crops_need_no_switch():
    options = {"noise_targets": "clean", "noisy_share": 0.8, "noise_gain_db": (-3, 0)}
    batch = maker([VOICES[0]], [tone(2000, 1.0)], **options)(0, 0, 60)
    assert batch.denoise is None
    noisy = (batch.inputs - batch.targets).abs().amax(dim=1) > 0
    assert 35 < int(noisy.sum()) < 60
    for target in batch.targets:
        assert hertz_of(target.numpy()) == pytest.approx(300, abs=25)


def test_prefetched_batches_are_the_same():
    make = maker(VOICES)
    prefetcher = Prefetcher(make, 2)
    for step in range(3, 7):
        assert prefetcher.get(2, step, 4, 7).inputs.equal(make(2, step, 4).inputs)
    prefetcher.close()


def test_mistakes_in_preparing_reach_the_training():
    def fail(stage, step, size):
        raise UserError("gone")

    with pytest.raises(UserError, match="gone"):
        Prefetcher(fail, 1).get(0, 0, 1, 1)
