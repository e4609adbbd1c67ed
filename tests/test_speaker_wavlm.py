"""WavLM's x-vectors: transformers' numbers, what weights= means, refusals, fetching."""

import hashlib
import http.server
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import warnings

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from codecbench.errors import AudioError, UnavailableError
from codecbench.speaker import load_speaker_encoder, speaker_encoder_names
from codecbench.speaker_wavlm import (
    DEFAULT_WEIGHTS,
    WavlmEncoder,
    WavlmWeights,
    load_wavlm_encoder,
    main,
)

from .metrics.signals import synthetic_speech
from .metrics.tiny_wavlm import DIMENSION, write_tiny_wavlm

SPEECH = synthetic_speech(2.0).samples
SHORTEST = 5200
"""Samples that two frames need: 16 frames of WavLM, 400 samples wide and 320 apart."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_tiny_wavlm(tmp_path_factory.mktemp("wavlm"))


@pytest.fixture(scope="module")
def encoder(folder):
    return WavlmEncoder("cpu", WavlmWeights.named(str(folder)))


@pytest.fixture
def copy(folder, tmp_path):
    """A folder to be damaged."""
    return shutil.copytree(folder, tmp_path / "copy")


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    return tmp_path


def _loaded(folder):
    return WavlmEncoder("cpu", WavlmWeights.named(str(folder)))


# --- numbers


@pytest.mark.parametrize("normalize", [True, False])
def test_equals_transformers(tmp_path, normalize):
    from transformers import Wav2Vec2FeatureExtractor, WavLMForXVector

    write_tiny_wavlm(tmp_path, normalize=normalize)
    model = WavLMForXVector.from_pretrained(tmp_path).eval()
    extractor = Wav2Vec2FeatureExtractor.from_pretrained(tmp_path)
    with torch.inference_mode():
        theirs = model(**extractor(SPEECH, sampling_rate=16000, return_tensors="pt")).embeddings
    expected = torch.nn.functional.normalize(theirs, dim=-1)[0].numpy()
    got = _loaded(tmp_path).embed(SPEECH)
    assert (got.shape, got.dtype) == ((DIMENSION,), np.float32)
    assert got == pytest.approx(expected, abs=1e-6)


def test_names_and_titles(encoder):
    assert (encoder.name, encoder.sample_rate, encoder.dimension) == ("wavlm", 16000, DIMENSION)
    assert "model.safetensors" in encoder.title


def test_overshoot_is_clipped(encoder):
    loud = SPEECH * 20.0
    assert np.abs(loud).max() > 1.5
    assert np.array_equal(encoder.embed(loud), encoder.embed(np.clip(loud, -1, 1)))


def test_excerpts_are_embedded_one_by_one_and_silent_ones_are_zero(encoder):
    waves = np.stack([SPEECH[:16000], np.zeros(16000, np.float32), SPEECH[16000:]])
    found = encoder.embed_excerpts(waves)
    assert found.shape == (3, DIMENSION)
    assert np.array_equal(found[0], encoder.embed(waves[0]))
    assert np.array_equal(found[2], encoder.embed(waves[2]))
    assert not found[1].any()
    assert encoder.embed_excerpts(waves[:0]).shape == (0, DIMENSION)


@pytest.mark.parametrize("samples", [0, 16000])
def test_silence_is_an_error(encoder, samples):
    with pytest.raises(AudioError, match="no speech"):
        encoder.embed(np.zeros(samples))


def test_the_shortest_signal_is_the_shortest_that_pooling_has_a_spread_of(encoder):
    assert np.linalg.norm(encoder.embed(SPEECH[:SHORTEST])) == pytest.approx(1.0, abs=1e-6)
    with pytest.raises(AudioError, match=r"needs 0\.325 s"):
        encoder.embed(SPEECH[: SHORTEST - 1])


def test_an_hour_is_refused_before_the_memory_is_full(encoder):
    with pytest.raises(AudioError, match="60 s or less"):
        encoder.embed(np.ones(3600 * 16000, np.float32))


def test_what_has_no_direction_is_an_error(copy):
    path = copy / "model.safetensors"
    tensors = load_file(path)
    for name in ("feature_extractor.weight", "feature_extractor.bias"):
        tensors[name] = torch.zeros_like(tensors[name])
    save_file(tensors, path, metadata={"format": "pt"})
    with pytest.raises(AudioError, match="no direction"):
        _loaded(copy).embed(SPEECH)


# --- loading


def test_loading_prints_and_warns_nothing(folder, capfd):
    from transformers.utils import logging

    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _loaded(folder).embed(SPEECH)
    assert capfd.readouterr() == ("", "")
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before


def test_loaded_once_until_the_files_change(copy):
    weights = WavlmWeights.named(str(copy))
    first = load_wavlm_encoder(weights)
    assert load_wavlm_encoder(weights) is first
    write_tiny_wavlm(copy, seed=1)
    assert not np.allclose(load_wavlm_encoder(weights).embed(SPEECH), first.embed(SPEECH))


def test_a_published_checkpoint_has_a_bin_with_older_names(folder, copy, encoder):
    older = {"parametrizations.weight.original0": "weight_g",
             "parametrizations.weight.original1": "weight_v"}  # fmt: skip
    tensors = {
        re.sub("|".join(older), lambda found: older[found[0]], name): tensor
        for name, tensor in load_file(folder / "model.safetensors").items()
    }
    assert any(name.endswith("weight_g") for name in tensors)
    (copy / "model.safetensors").unlink()
    torch.save(tensors, copy / "pytorch_model.bin")
    other = _loaded(copy)
    assert np.array_equal(other.embed(SPEECH), encoder.embed(SPEECH))
    assert "pytorch_model.bin" in other.title


def test_half_precision_weights_are_computed_in_single_precision(copy):
    path = copy / "model.safetensors"
    halved = {name: tensor.half() for name, tensor in load_file(path).items()}
    save_file(halved, path, metadata={"format": "pt"})
    assert {parameter.dtype for parameter in _loaded(copy)._model.parameters()} == {torch.float32}


def _without_head(folder):
    path = folder / "model.safetensors"
    body = {name: tensor for name, tensor in load_file(path).items() if name.startswith("wavlm.")}
    save_file(body, path, metadata={"format": "pt"})


def _reconfigured(**values):
    def change(folder):
        path = folder / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | values))

    return change


def _written(name, text):
    return lambda folder: (folder / name).write_text(text)


DAMAGES = {
    "no x-vector head": (_without_head, "x-vector head .*missing, such as"),
    "empty weights": (_written("model.safetensors", ""), "cannot be loaded"),
    "another model": (_reconfigured(hidden_size=32), "cannot be loaded"),
    "no heads": (_reconfigured(num_attention_heads=0), "cannot be loaded"),
    "words for numbers": (_reconfigured(hidden_size="x"), "cannot be loaded"),
    "too few kernels": (_reconfigured(tdnn_kernel=[5]), "cannot be loaded"),
    "no JSON": (_written("config.json", "{"), "cannot be loaded"),
    "a list": (_written("preprocessor_config.json", "[]"), "cannot be loaded"),
    "another rate": (_written("preprocessor_config.json", '{"sampling_rate": 8000}'), "16000"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_weights_are_refused_in_one_line(damage, copy):
    change, reason = DAMAGES[damage]
    change(copy)
    with pytest.raises(UnavailableError, match=reason) as refused:
        _loaded(copy)
    assert str(refused.value).startswith(str(copy))
    assert "\n" not in str(refused.value)


class _Harmful:
    def __reduce__(self):
        return (print, ("code of the checkpoint ran",))


def test_a_checkpoint_cannot_run_code(copy, capfd):
    (copy / "model.safetensors").unlink()
    torch.save({"weight": _Harmful()}, copy / "pytorch_model.bin")
    with pytest.raises(UnavailableError, match="cannot be loaded"):
        _loaded(copy)
    assert "ran" not in "".join(capfd.readouterr())


# --- what weights= means


def test_what_a_weights_value_means():
    assert WavlmWeights.named(DEFAULT_WEIGHTS).published == DEFAULT_WEIGHTS
    for path in ("/models/wavlm", "./models/wavlm", "models", "a/b/c"):
        assert WavlmWeights.named(path).published is None
    for wrong in ("", "~nobody-of-this-name/wavlm"):
        with pytest.raises(ValueError, match=r"OWNER/NAME|home directory"):
            WavlmWeights.named(wrong)


@pytest.mark.parametrize("name", ["config.json", "preprocessor_config.json", "model.safetensors"])
def test_a_missing_file_is_named(name, copy):
    (copy / name).unlink()
    with pytest.raises(UnavailableError, match=f"{copy} has no {name}$"):
        WavlmWeights.named(str(copy)).check_available()


@pytest.mark.parametrize("path", ["/nowhere/wavlm", "/dev/null", "x" * 300, "a\0b"])
def test_no_folder_is_a_reason(path):
    weights = WavlmWeights.named(path)
    assert "unknown" in weights.describe()
    with pytest.raises(UnavailableError, match=r"no folder|cannot be read"):
        weights.check_available()


def test_a_model_that_is_not_in_the_cache_says_how_to_fetch_it(empty_cache):
    weights = WavlmWeights.named(DEFAULT_WEIGHTS)
    command = rf"python -m codecbench\.speaker_wavlm {DEFAULT_WEIGHTS}"
    with pytest.raises(UnavailableError, match=command):
        weights.check_available()
    with pytest.raises(UnavailableError, match=command):
        load_speaker_encoder.__wrapped__("wavlm")
    assert "unknown" in weights.describe()


def test_transformers_that_is_not_installed_is_named(folder, monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, package=None: None)
    with pytest.raises(UnavailableError, match=r"pip install 'codecbench\[speaker\]'"):
        _loaded(folder)
    assert "unknown" in WavlmWeights.named(DEFAULT_WEIGHTS).describe()
    assert main([DEFAULT_WEIGHTS]) == 2
    assert "codecbench[speaker]" in capsys.readouterr().err


def test_is_registered():
    assert speaker_encoder_names() == ["ge2e", "wavlm"]


# --- fetching


@pytest.fixture
def hub(tmp_path, folder):
    """Serve a folder as the hub serves a model; yield the environment in which it is the hub."""
    commit = "c" * 40

    class Hub(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            path = folder / self.path.removeprefix("/acme/tiny/resolve/main/")
            content = path.read_bytes() if path.is_file() else b""
            self.send_response(200 if content else 404)
            self.send_header("X-Repo-Commit", commit)
            self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
            self.send_header("Content-Length", str(len(content)))
            if not content:
                self.send_header("X-Error-Code", "EntryNotFound")
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        do_HEAD = do_GET  # noqa: N815 - the server's name for it

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield os.environ | {
        "HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
        "HF_HUB_CACHE": str(tmp_path / "cache"),
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "NO_PROXY": "127.0.0.1",
    }
    server.shutdown()
    server.server_close()


def test_fetching_puts_the_model_into_the_hubs_cache(hub, tmp_path, monkeypatch, encoder):
    command = [sys.executable, "-m", "codecbench.speaker_wavlm", "acme/tiny"]
    done = subprocess.run(command, env=hub, capture_output=True, text=True, check=True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    weights = WavlmWeights.named("acme/tiny")
    assert done.stdout.strip() == str(weights.folder)
    weights.check_available()
    fetched = WavlmEncoder("cpu", weights)
    assert "acme/tiny" in fetched.title
    assert np.array_equal(fetched.embed(SPEECH), encoder.embed(SPEECH))
    (weights.folder / "model.safetensors").unlink()
    with pytest.raises(UnavailableError, match=r"no model\.safetensors; fetch it: python -m"):
        weights.check_available()


def test_what_cannot_be_fetched_is_said_in_one_line(capsys):
    assert main([]) == 2
    assert "which model?" in capsys.readouterr().err
    assert main(["./folder"]) == 2
    assert capsys.readouterr().err == (
        "'./folder' is no model of the Hugging Face hub: write OWNER/NAME\n"
    )
