"""DNSMOS: equal to speechmos, window by window rules, levels, and the reference's ceiling."""

import math

import numpy as np
import pytest

from codecbench.audio import Audio
from codecbench.corpora.base import Utterance
from codecbench.errors import MetricError, UnavailableError
from codecbench.metric import Decoded
from codecbench.metrics import dnsmos_networks
from codecbench.metrics.dnsmos import _POLYNOMIALS, Dnsmos, repeated, window_starts
from codecbench.metrics.onnx_cut import cut

from .conformance_rows import ANSWERS, rows
from .signals import RATE, scaled, synthetic_speech, with_noise

COLUMNS = {"dnsmos_sig": "sig_mos", "dnsmos_bak": "bak_mos", "dnsmos_ovrl": "ovrl_mos",
           "dnsmos_p808": "p808_mos"}  # fmt: skip
ROWS = rows(["versa", "golden"], [mode for mode, (spec, _) in ANSWERS.items() if spec == "dnsmos"])


@pytest.fixture(scope="module")
def metric():
    metric = Dnsmos()
    metric.setup()
    return metric


def _score(metric, audio):
    utterance = Utterance.from_audio(audio)
    return metric.score(metric.prepare(utterance), Decoded.from_audio(audio))


@pytest.mark.parametrize(
    "samples",
    [
        pytest.param(9 * RATE + 160, id="one whole window"),
        pytest.param(9 * RATE + 159, id="one sample short of a window, so repeated"),
        pytest.param(3 * RATE, id="repeats with a whole number of frames"),
        pytest.param(5 * RATE + 37, id="repeats out of step with the frames"),
        pytest.param(12 * RATE + 5, id="three windows"),
        pytest.param(27 * RATE, id="windows left out in the middle"),
    ],
)
def test_equals_speechmos(metric, samples):
    from speechmos import dnsmos

    speech = with_noise(synthetic_speech(samples / RATE + 0.01), 20.0).fitted(samples)
    expected = dnsmos.run(speech.samples.astype(np.float64), RATE)
    scores = _score(metric, speech)
    for column, key in COLUMNS.items():
        assert scores[column].value == pytest.approx(expected[key], abs=1e-5), column


def test_windows_are_those_of_speechmos():
    assert window_starts(144160) == [0]
    assert window_starts(10 * RATE) == [0]
    assert window_starts(11 * RATE) == [0, 1]
    # int((7 + 9.01) * 16000) is one sample short of a window, and so on to 23.
    assert window_starts(35 * RATE) == [*range(7), 24, 25]


def test_repeats_by_doubling():
    assert len(repeated(np.ones(16000))) == 16 * 16000
    assert len(repeated(np.ones(144160))) == 144160
    assert len(repeated(np.ones(1))) == 2**18


def test_long_runs_are_split_without_changing_the_score(metric, monkeypatch):
    speech = synthetic_speech(13.0)
    whole = _score(metric, speech)
    monkeypatch.setattr(dnsmos_networks, "_LONGEST_RUN", 2)
    monkeypatch.setattr(dnsmos_networks, "_CHUNK", 64)
    for name, score in _score(metric, speech).items():
        assert score.value == pytest.approx(whole[name].value, abs=1e-6)


def test_level_matters_and_overshoot_is_clipped(metric):
    speech = synthetic_speech(2.0)
    loud, clipped = scaled(speech, 30.0), Audio(np.clip(scaled(speech, 30.0).samples, -1, 1), RATE)
    assert np.abs(loud.samples).max() > 1.5
    assert _score(metric, loud) == _score(metric, clipped)
    assert _score(metric, scaled(speech, 0.1)) != _score(metric, speech)


def test_reference_has_a_score_of_its_own(metric):
    speech = synthetic_speech(2.0)
    prepared = metric.prepare(Utterance.from_audio(speech))
    assert metric.score_reference(prepared) == metric.score(prepared, Decoded.from_audio(speech))


def test_selected_columns_alone(metric):
    only = Dnsmos(selected=["dnsmos_p808"])
    only.setup()
    speech = synthetic_speech(1.0)
    scores = _score(only, speech)
    assert set(scores) == {"dnsmos_p808"}
    assert scores["dnsmos_p808"] == _score(metric, speech)["dnsmos_p808"]


def test_shorter_than_a_frame_has_a_reason(metric):
    with pytest.raises(MetricError, match="20 ms"):
        _score(metric, Audio(np.full(319, 0.1), RATE))


def test_unknown_network_file_is_refused(monkeypatch):
    monkeypatch.setitem(dnsmos_networks._SHA256, "model_v8.onnx", "0" * 64)
    with pytest.raises(UnavailableError, match="speechmos"):
        Dnsmos().setup()


def test_cut_refuses_what_it_cannot_give():
    model = dnsmos_networks._model("model_v8.onnx")
    with pytest.raises(ValueError, match="does not compute"):
        cut(model, "input_1", "no such tensor")
    with pytest.raises(ValueError, match=r"cut off|wire type"):
        cut(model[:-7], "input_1", "Identity:0")


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_conformance(row, metric, conformance_root):
    _, decoded = row.audio(conformance_root)
    got = _score(metric, decoded)[ANSWERS[row.mode][1]].value
    assert got == pytest.approx(row.expected, abs=row.tolerance)


def test_conformance_rows_are_there(conformance_root):
    assert {row.folder for row in ROWS} == {"versa", "golden"}


def test_bounds_are_the_tops_of_the_polynomials():
    outputs = np.linspace(-50.0, 50.0, 200_001)
    for column in Dnsmos.columns:
        low, high = column.bounds
        assert low == -math.inf
        if column.name == "dnsmos_p808":
            assert high == math.inf
        else:
            values = np.polyval(_POLYNOMIALS[column.name], outputs)
            assert values.max() <= high
            assert values.max() == pytest.approx(high, abs=1e-6)
            assert f"{high:.2f}" in Dnsmos.definition
