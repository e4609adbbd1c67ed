"""Speaker encoders: resemblyzer's numbers, clipping, no speech, the registry."""

import subprocess
import sys

import numpy as np
import pytest

from codecbench.errors import AudioError, UserError
from codecbench.quiet import import_quietly
from codecbench.speaker import (
    load_speaker_encoder,
    register_speaker_encoder,
    speaker_encoder_names,
)

from .metrics.signals import synthetic_speech

SPEECH = synthetic_speech(3.0).samples


def test_equals_resemblyzer():
    resemblyzer = import_quietly("resemblyzer")
    theirs = resemblyzer.VoiceEncoder("cpu", verbose=False)
    expected = theirs.embed_utterance(resemblyzer.preprocess_wav(SPEECH.copy()))
    got = load_speaker_encoder("ge2e").embed(SPEECH)
    assert got.shape == (load_speaker_encoder().dimension,)
    assert got == pytest.approx(expected, abs=1e-6)
    assert np.linalg.norm(got) == pytest.approx(1.0, abs=1e-5)


def test_overshoot_is_clipped_instead_of_wrapping_around():
    encoder = load_speaker_encoder()
    loud = SPEECH * 20.0
    assert np.abs(loud).max() > 1.5
    assert np.array_equal(encoder.embed(loud), encoder.embed(np.clip(loud, -1, 1)))


@pytest.mark.parametrize("wave", [np.zeros(16000), np.zeros(0), SPEECH[:100]])
def test_no_speech_is_an_error(wave):
    with pytest.raises(AudioError, match="no speech"):
        load_speaker_encoder().embed(wave)


def test_loaded_once():
    assert load_speaker_encoder("ge2e", "cpu") is load_speaker_encoder("ge2e", "cpu")


def test_registry_takes_other_encoders(monkeypatch):
    monkeypatch.setattr("codecbench.speaker._ENCODERS", {"ge2e": object})
    register_speaker_encoder("mine", lambda device: f"mine on {device}")
    assert speaker_encoder_names() == ["ge2e", "mine"]
    assert load_speaker_encoder.__wrapped__("mine", "cpu") == "mine on cpu"
    with pytest.raises(UserError, match="already"):
        register_speaker_encoder("mine", lambda device: None)
    with pytest.raises(UserError, match="known: ge2e, mine"):
        load_speaker_encoder.__wrapped__("yours", "cpu")


def test_loading_prints_and_warns_nothing():
    code = "from codecbench.speaker import load_speaker_encoder; load_speaker_encoder()"
    done = subprocess.run(
        [sys.executable, "-W", "default", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == ""
    assert "pkg_resources" not in done.stderr
    assert "binary_dilation" not in done.stderr
