"""MCD: the cepstrum matrix, a known distortion, frames that count, warping, conformance."""

import math

import numpy as np
import pytest

from codecbench.audio import Audio
from codecbench.corpora.base import Utterance
from codecbench.errors import UserError
from codecbench.metric import Decoded
from codecbench.metrics import world
from codecbench.metrics.mcd import MelCepstralDistortion
from codecbench.metrics.mel_cepstrum import all_pass_constant, cepstrum_matrix, warping_matrix
from codecbench.metrics.time_warp import warped_mean_distance
from codecbench.spec import parse_spec

from .conformance_rows import ANSWERS, rows
from .signals import RATE, delayed, synthetic_speech, with_noise

ROWS = rows(["versa"], [mode for mode, (spec, _) in ANSWERS.items() if spec.startswith("mcd")])


def _metric(spec="mcd"):
    return MelCepstralDistortion.from_spec(parse_spec(spec))


def _mcd(spec, reference, decoded):
    return _metric(spec).measure(reference, decoded)["mcd"].value


# --- mel_cepstrum


def test_warping_is_that_of_the_all_pass():
    """A warped cepstrum describes the same spectrum on the warped frequency axis."""
    rng = np.random.default_rng(0)
    cepstrum = rng.standard_normal(8) * 0.5 ** np.arange(8)
    alpha, order = 0.42, 60
    warped = cepstrum @ warping_matrix(8, order, alpha)
    omega = np.linspace(0.05, 3.0, 20)
    bent = omega + 2 * np.arctan2(alpha * np.sin(omega), 1 - alpha * np.cos(omega))
    direct = np.cos(np.outer(omega, np.arange(8))) @ cepstrum
    assert np.cos(np.outer(bent, np.arange(order + 1))) @ warped == pytest.approx(direct, abs=1e-9)


def test_no_warping_leaves_the_cepstrum():
    assert warping_matrix(6, 5, 0.0) == pytest.approx(np.eye(6))


def test_cepstrum_of_a_known_envelope():
    omega = np.pi * np.arange(513) / 512
    log_power = 2 * (0.7 + 0.5 * np.cos(omega) - 0.2 * np.cos(3 * omega))
    got = log_power @ cepstrum_matrix(1024, 4, 0.0)
    assert got == pytest.approx([0.7, 0.5, 0.0, -0.2, 0.0], abs=1e-12)


@pytest.mark.parametrize(
    ("rate", "alpha"),
    [(8000, 0.312), (16000, 0.42), (22050, 0.455), (24000, 0.466), (48000, 0.554)],
)
def test_all_pass_constants(rate, alpha):
    assert all_pass_constant(rate) == pytest.approx(alpha, abs=1e-9)


# --- time_warp


def _slow_warp(x, y):
    """Textbook dynamic time warping."""
    sums = np.full((len(x) + 1, len(y) + 1), np.inf)
    steps = np.zeros((len(x) + 1, len(y) + 1))
    sums[0, 0] = 0.0
    for i in range(1, len(x) + 1):
        for j in range(1, len(y) + 1):
            before = min([(i - 1, j - 1), (i - 1, j), (i, j - 1)], key=lambda cell: sums[cell])
            sums[i, j] = sums[before] + np.linalg.norm(x[i - 1] - y[j - 1])
            steps[i, j] = steps[before] + 1
    return sums[-1, -1] / steps[-1, -1]


@pytest.mark.parametrize(("rows_x", "rows_y"), [(1, 1), (1, 7), (7, 1), (9, 13), (20, 12)])
def test_warping_equals_the_textbook(rows_x, rows_y):
    rng = np.random.default_rng(rows_x * 100 + rows_y)
    x, y = rng.standard_normal((rows_x, 3)), rng.standard_normal((rows_y, 3))
    assert warped_mean_distance(x, y) == pytest.approx(_slow_warp(x, y), abs=1e-12)


def test_warping_undoes_a_change_of_tempo():
    x = np.random.default_rng(1).standard_normal((30, 4))
    assert warped_mean_distance(x, np.repeat(x, 2, axis=0)) == 0.0


# --- mcd


def test_a_known_filter_gives_a_known_distortion():
    """A first-order zero's cepstrum is known: c_n = -(-a)^n / n, so is the unwarped distance."""
    a = 0.5
    spectrum = np.log(np.abs(1 + a * np.exp(-1j * np.pi * np.arange(513) / 512)) ** 2)
    shift = spectrum @ cepstrum_matrix(1024, 24, 0.42)
    expected = 10 / math.log(10) * math.sqrt(2 * np.sum(shift[1:] ** 2))
    speech = with_noise(synthetic_speech(2.0), 20.0)
    filtered = speech.samples + a * np.concatenate([[0.0], speech.samples[:-1]])
    got = _mcd("mcd", speech, Audio(filtered, RATE))
    assert got == pytest.approx(expected, rel=0.02)


def test_silence_at_the_end_of_the_reference_does_not_count():
    speech = synthetic_speech(1.28)
    pause = np.zeros(RATE // 2)
    hiss = 1e-3 * np.random.default_rng(5).standard_normal(len(pause))
    decoded = with_noise(speech, 15.0)
    alone = _mcd("mcd", speech, decoded)
    with_pause = _mcd(
        "mcd",
        Audio(np.concatenate([speech.samples, pause]), RATE),
        Audio(np.concatenate([decoded.samples, hiss]), RATE),
    )
    assert with_pause == pytest.approx(alone, rel=0.05)


def test_warping_forgives_a_delay():
    speech = synthetic_speech(1.6)
    late = delayed(speech, RATE // 50)
    assert _mcd("mcd:dtw=on", speech, late) < 0.5 * _mcd("mcd", speech, late)


def test_long_signals_are_cut_into_blocks_without_changing_the_score(monkeypatch):
    speech = with_noise(synthetic_speech(1.6), 30.0)
    decoded = with_noise(speech, 10.0)
    whole = _mcd("mcd", speech, decoded)
    monkeypatch.setattr(world, "_BLOCK_FRAMES", 50)
    assert _mcd("mcd", speech, decoded) == pytest.approx(whole, abs=1e-6)


def test_level_of_both_signals_does_not_matter_for_the_frames_that_count():
    speech, decoded = synthetic_speech(1.6), with_noise(synthetic_speech(1.6), 10.0)
    quiet = [Audio(audio.samples * 0.1, RATE) for audio in (speech, decoded)]
    assert _mcd("mcd", *quiet) == pytest.approx(_mcd("mcd", speech, decoded), abs=1e-2)


def test_reference_side_is_not_computed_again(monkeypatch):
    speech = synthetic_speech(1.0)
    metric = _metric()
    prepared = metric.prepare(Utterance.from_audio(speech))
    seen = []
    found = world.cepstra
    monkeypatch.setattr(
        world, "cepstra", lambda signal, **options: seen.append(signal) or found(signal, **options)
    )
    decoded = Decoded.from_audio(with_noise(speech, 10.0))
    metric.score(prepared, decoded)
    assert seen == [decoded.signal]


def test_specs():
    assert _metric("mcd:dtw=on").spec == "mcd:dtw=on,definition=codecbench"
    assert (
        len({_metric(s).card.identity for s in ("mcd", "mcd:dtw=on", "mcd:definition=versa")}) == 3
    )
    with pytest.raises(UserError, match="dtw=on"):
        _metric("mcd:dtw=on,definition=versa")


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_conformance(row, conformance_root):
    spec, column = ANSWERS[row.mode]
    got = _metric(spec).measure(*row.audio(conformance_root))[column].value
    assert got == pytest.approx(row.expected, abs=row.tolerance)


def test_conformance_rows_are_there(conformance_root):
    assert len(ROWS) == 1
