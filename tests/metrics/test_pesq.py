"""PESQ: conformance to ITU-T's and others' values, long signals, and crashes of the C code."""

import numpy as np
import pytest

from codecbench.audio import Audio
from codecbench.component import build_config
from codecbench.corpora.base import Utterance
from codecbench.errors import UserError
from codecbench.metrics.pesq import LONGEST_SECONDS, Pesq, PesqConfig, cut_points, raw_of_nb

from .conformance_rows import check, rows
from .signals import delayed, synthetic_speech, with_noise

MODES = {"nb_8k_raw", "nb_mos_lqo", "nb_raw", "wb_mos_lqo", "pesq_wb", "pesq_nb"}
RATE = 16000


@pytest.fixture(scope="module")
def pesq():
    return Pesq()


def _pair(seconds: float, rate: int = RATE) -> tuple[Audio, Audio]:
    speech = synthetic_speech(seconds, rate)
    return speech, with_noise(speech, 15.0)


def _bursts(seconds: float, on: float, off: float) -> Audio:
    """Noise that is on and off in turn: each burst is an utterance for PESQ."""
    time = np.arange(round(seconds * RATE)) / RATE
    noise = np.random.default_rng(0).standard_normal(len(time))
    return Audio(0.1 * noise * (time % (on + off) < on), RATE)


@pytest.mark.parametrize("row", rows(["pesq", "versa", "golden"], MODES), ids=str)
def test_conforms(row):
    check(row)


def test_package_is_called_with_both_signals_at_the_modes_rate(pesq):
    from pesq import pesq as package

    speech, noisy = _pair(3.0)
    scores = pesq.measure(speech, noisy)
    x, y = (audio.samples.astype(np.float64) for audio in (speech, noisy))
    assert scores["pesq_wb"].value == package(RATE, x, y, "wb")
    x, y = (audio.resampled(8000).samples for audio in (speech, noisy))
    assert scores["pesq_nb"].value == pytest.approx(package(8000, x, y, "nb"), abs=1e-4)


def test_raw_score_inverts_the_map_of_p862_1():
    for raw in np.linspace(-0.5, 4.49, 20):
        lqo = 0.999 + 4.0 / (1.0 + np.exp(-1.4945 * raw + 4.6607))
        assert raw_of_nb(lqo) == pytest.approx(raw, abs=1e-12)
    assert raw_of_nb(4.5486424) == pytest.approx(4.5, abs=1e-5)
    assert raw_of_nb(4.5487) == 4.5


def test_narrow_band_at_the_files_rate_is_another_number():
    speech, noisy = _pair(3.0)
    own = Pesq(build_config("pesq", PesqConfig, {"nb_rate": "file"}))
    assert own.spec == "pesq:nb_rate=file"
    assert own.card.identity != Pesq().card.identity
    values = [metric.measure(speech, noisy)["pesq_nb"].value for metric in (own, Pesq())]
    assert abs(values[0] - values[1]) > 1e-3
    for rate in (8000, 24000):
        pair = _pair(3.0, rate)
        same = [metric.measure(*pair)["pesq_nb"].value for metric in (own, Pesq())]
        assert same[0] == same[1], "at other rates than 16 kHz both are taken at 8 kHz"


def test_unknown_rate_is_a_user_error():
    with pytest.raises(UserError, match="nb_rate"):
        build_config("pesq", PesqConfig, {"nb_rate": "44100"})


def test_wide_band_is_refused_below_16_khz(pesq):
    scores = pesq.measure(*_pair(3.0, 8000))
    assert "16000 Hz" in scores["pesq_wb"].error
    assert scores["pesq_nb"].error is None


def test_unequal_lengths_are_scored(pesq):
    speech, noisy = _pair(3.0)
    whole = pesq.measure(speech, noisy)["pesq_wb"].value
    longer = pesq.measure(speech, noisy.fitted(len(noisy) + 800))["pesq_wb"].value
    assert longer == pytest.approx(whole, abs=0.2)


def test_delay_hardly_matters(pesq):
    speech, noisy = _pair(3.0)
    values = [pesq.measure(speech, delayed(noisy, shift))["pesq_wb"].value for shift in (0, 160)]
    assert values[0] == pytest.approx(values[1], abs=0.1)


@pytest.mark.parametrize(
    ("pair", "reason"),
    [
        (_pair(0.2), "a quarter of a second"),
        ((_bursts(1.0, 0.1, 0.9), _pair(1.0)[1]), "no speech"),
    ],
    ids=["short", "burst"],
)
def test_reason_is_plain(pesq, pair, reason):
    scores = pesq.measure(*pair)
    assert all(reason in score.error for score in scores.values())


def test_crash_is_a_reason_and_the_next_pair_is_scored(pesq):
    many = _bursts(44.0, 0.45, 0.25)  # more utterances than the C code has room for
    scores = pesq.measure(many, with_noise(many, 20.0))
    assert all("crashed" in score.error for score in scores.values())
    assert "SIGSEGV" in scores["pesq_wb"].error
    assert pesq.measure(*_pair(2.0))["pesq_wb"].error is None


def test_number_that_is_no_score_is_a_reason(pesq, monkeypatch):
    monkeypatch.setattr(Pesq, "_kernels", {"pesq": lambda *_: 0.5})
    scores = pesq.measure(*_pair(1.0))
    assert "not a score" in scores["pesq_wb"].error


# --- long signals


def test_signals_up_to_45_seconds_are_not_cut():
    assert list(cut_points(np.ones(round(LONGEST_SECONDS * 1000)), 1000)) == []


@pytest.mark.parametrize("seconds", [45.1, 60.0, 80.0, 80.1, 119.9, 200.0, 3600.0])
def test_pieces_are_of_similar_length_and_at_most_45_seconds(seconds):
    rate = 1000
    wave = np.random.default_rng(1).standard_normal(round(seconds * rate))
    bounds = [0, *cut_points(wave, rate), len(wave)]
    pieces = np.diff(bounds) / rate
    assert pieces.max() <= LONGEST_SECONDS
    assert pieces.min() > 15.0


def test_cut_lies_in_the_middle_of_the_pause():
    rate = 1000
    wave = np.random.default_rng(2).standard_normal(60 * rate)
    wave[31_000:31_200] = 0.0
    assert list(cut_points(wave, rate)) == pytest.approx([31_100], abs=1)


def test_long_signal_is_the_mean_of_its_pieces_weighted_by_duration(pesq):
    speech, noisy = _pair(50.0)
    scores = pesq.measure(speech, noisy)
    cut = cut_points(speech.samples.astype(np.float64), RATE)[0]
    parts = [
        pesq.measure(Audio(speech.samples[part], RATE), Audio(noisy.samples[part], RATE))
        for part in (slice(0, cut), slice(cut, None))
    ]
    values = [part["pesq_wb"].value for part in parts]
    share = cut / len(speech)
    expected = share * values[0] + (1 - share) * values[1]
    assert scores["pesq_wb"].value == pytest.approx(expected, abs=1e-6)


def test_silent_piece_of_a_long_signal_is_a_reason(pesq):
    speech, noisy = _pair(50.0)
    gone = noisy.samples.copy()
    gone[20 * RATE :] = 0.0
    scores = pesq.measure(speech, Audio(gone, RATE))
    assert "decoded audio is silent" in scores["pesq_wb"].error


@pytest.mark.parametrize(
    ("rate", "columns"),
    [(8000, {"pesq_nb"}), (16000, {"pesq_wb", "pesq_nb", "pesq_wb_cor2"}), (None, None)],
)
def test_wide_band_is_not_asked_for_below_its_rate(rate, columns):
    metric = Pesq(selected=["pesq_wb", "pesq_nb", "pesq_wb_cor2"])
    utterance = Utterance.from_audio(synthetic_speech(0.1)).at_rate(rate)
    assert metric.applicable(utterance, None) == (columns or metric.selected)
