"""Speaker similarity by WavLM: what it scores, its card, its weights, and `measure`."""

import json

import pytest

from codecbench.audio import Audio, read_audio, write_audio
from codecbench.cli.main import main
from codecbench.engine.selection import select_metrics
from codecbench.errors import MetricError, UnavailableError, UserError
from codecbench.metrics.spk_sim import SpeakerSimilarity
from codecbench.metrics.spk_sim_wavlm import WavlmSpeakerSimilarity
from codecbench.spec import Spec, parse_spec

from .signals import scaled, synthetic_speech, with_noise
from .tiny_wavlm import write_tiny_wavlm

SPEECH = synthetic_speech(1.6)
OTHER = Audio(synthetic_speech(1.6, seed=5).samples[::-1].copy(), SPEECH.sample_rate)
SILENCE = Audio([0.0] * 16000, 16000)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_tiny_wavlm(tmp_path_factory.mktemp("wavlm"))


@pytest.fixture(scope="module")
def metric(folder):
    return _metric(folder)


def _metric(folder):
    return WavlmSpeakerSimilarity.from_spec(Spec("spk_sim_wavlm", (("weights", str(folder)),)))


def _value(metric, reference, decoded):
    return metric.measure(reference, decoded)["spk_sim_wavlm"].value


# --- numbers


def test_identity_gives_one_and_everything_else_less(metric):
    assert _value(metric, SPEECH, SPEECH) == pytest.approx(1.0, abs=1e-6)
    for other in (OTHER, with_noise(SPEECH, 10.0), scaled(SPEECH, -1.0)):
        assert -1.0 <= _value(metric, SPEECH, other) < 1.0 - 1e-6


def test_level_matters_only_if_the_weights_are_for_speech_as_it_is(metric, tmp_path):
    quiet = scaled(SPEECH, 0.1)
    assert _value(metric, SPEECH, quiet) == pytest.approx(1.0, abs=1e-5)
    as_it_is = _metric(write_tiny_wavlm(tmp_path, normalize=False))
    assert _value(as_it_is, SPEECH, quiet) < 1.0 - 1e-5


def test_lengths_may_differ(metric):
    assert _value(metric, SPEECH, SPEECH.fitted(len(SPEECH) - 3000)) < 1.0


@pytest.mark.parametrize(
    ("pair", "reason"),
    [
        ((SILENCE, SPEECH), "the reference is silent"),
        ((SPEECH, SILENCE), "the decoded audio is silent"),
        ((SPEECH, SPEECH.fitted(1000)), r"the decoded audio: the speaker encoder needs 0\.325 s"),
    ],
)
def test_what_cannot_be_scored_is_a_reason(metric, pair, reason):
    with pytest.raises(MetricError, match=reason):
        metric.measure(*pair)


# --- card and weights


def test_cards_of_different_weights_differ(tmp_path):
    metric = _metric(write_tiny_wavlm(tmp_path))
    cards = [metric.card]
    write_tiny_wavlm(tmp_path, seed=1)
    cards.append(metric.card)
    write_tiny_wavlm(tmp_path, seed=1, normalize=False)
    cards.append(metric.card)
    assert len({card.identity for card in cards}) == 3
    assert metric.card.identity == cards[-1].identity


def test_the_card_names_weights_and_encoder(metric):
    assert "model.safetensors" in metric.card.definition
    assert WavlmSpeakerSimilarity().spec == "spk_sim_wavlm:weights=microsoft/wavlm-base-plus-sv"
    assert "microsoft/wavlm-base-plus-sv" in WavlmSpeakerSimilarity().card.definition


def test_the_card_of_ge2e_stays_as_it_was():
    assert SpeakerSimilarity().card.identity == "d6ec750e3b1bb2f3"


def test_missing_weights_are_one_line(tmp_path, monkeypatch):
    with pytest.raises(UnavailableError, match=r"^spk_sim_wavlm cannot run here: there is no"):
        _metric(tmp_path / "absent").check_available()
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(UnavailableError, match=r"^spk_sim_wavlm cannot .*; fetch it: python -m"):
        WavlmSpeakerSimilarity().check_available()
    with pytest.raises(UserError, match=r"^spk_sim_wavlm: weights: write OWNER/NAME"):
        WavlmSpeakerSimilarity.from_spec(parse_spec('spk_sim_wavlm:weights=""'))


def test_it_is_measured_on_request_only(folder):
    default = select_metrics([])
    assert not any("spk_sim_wavlm" in name for name in (*default.metrics, *default.left_out))
    spec = f"spk_sim_wavlm:weights={folder}"
    asked = select_metrics([spec, "spk_sim"])
    assert {(spec, "spk_sim_wavlm"), ("spk_sim", "spk_sim")} == asked.asked


# --- command line


@pytest.fixture
def files(tmp_path):
    for name, audio in (("a", SPEECH), ("b", OTHER)):
        write_audio(tmp_path / f"{name}.wav", audio)
    return tmp_path / "a.wav", tmp_path / "b.wav"


def _measured(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(["measure", *map(str, arguments), "--format", "json"])
    said = capsys.readouterr()
    return ended.value.code, said.out, said.err


def test_measure_takes_a_folder(files, folder, metric, capsys):
    spec = f"spk_sim_wavlm:weights={folder}"
    status, out, err = _measured(capsys, *files, "-m", spec)
    assert (status, err) == (0, "")
    expected = _value(metric, *map(read_audio, files))
    assert json.loads(out) == {"spk_sim_wavlm": pytest.approx(expected, abs=1e-6)}


def test_measure_says_what_is_missing_in_one_line(files, tmp_path, capsys):
    spec = f"spk_sim_wavlm:weights={tmp_path}"
    status, out, err = _measured(capsys, *files, "-m", spec)
    assert (status, out) == (2, "")
    assert err == (
        f"codecbench: spk_sim_wavlm cannot run here: {tmp_path} has no config.json,"
        " no preprocessor_config.json, no model.safetensors\n"
    )
