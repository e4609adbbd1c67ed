"""Recognisers: what an asr= value means, loading only what is safe, fetching only when asked."""

import hashlib
import http.server
import pickle
import threading

import numpy as np
import pytest

from codecbench.errors import MetricError, UnavailableError, UserError
from codecbench.metrics import whisper_models
from codecbench.metrics.asr import Model, PocketsphinxRecogniser, WhisperRecogniser, load_recogniser

from .signals import synthetic_speech
from .tiny_whisper import write_tiny_whisper

SPEECH = synthetic_speech(1.5).samples


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return {
        multilingual: write_tiny_whisper(folder / f"{multilingual}.pt", multilingual)
        for multilingual in (False, True)
    }


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "whisper"


# --- names


def test_table_is_whispers_own():
    import whisper

    for name, url in whisper._MODELS.items():
        published = whisper_models.published_name(name)
        assert whisper_models.address(published) == url


def test_cache_is_whispers_own(empty_cache, monkeypatch):
    import whisper

    asked = []
    monkeypatch.setattr(
        whisper, "_download", lambda url, root, in_memory: asked.append((url, root)) or 1 / 0
    )
    with pytest.raises(ZeroDivisionError):
        whisper.load_model("base.en", device="cpu")
    assert asked == [(whisper_models.address("base.en"), str(empty_cache))]
    assert whisper_models.cached_path("base.en") == empty_cache / "base.en.pt"


def test_what_an_asr_value_means(empty_cache):
    assert Model.named("whisper-medium.en").path == empty_cache / "medium.en.pt"
    assert Model.named("whisper-large").published == "large-v3"
    assert Model.named("/models/mine.pt").path.name == "mine.pt"
    assert Model.named("pocketsphinx").path is None
    for wrong in ("whisper-enormous", "base.en", "vosk"):
        with pytest.raises(ValueError, match=r"whisper-base\.en"):
            Model.named(wrong)


def test_absent_model_says_how_to_fetch_it_and_fetches_nothing(empty_cache, monkeypatch):
    def refuse(*args, **options):
        raise AssertionError("a download was tried")

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    monkeypatch.setattr("codecbench.data.download.download", refuse)
    with pytest.raises(UnavailableError, match=r"whisper_models base\.en"):
        Model.named("whisper-base.en").check_available()
    with pytest.raises(UnavailableError, match=r"is not there"):
        Model.named("/nowhere/model.pt").check_available()


# --- fetching


@pytest.fixture
def served(tmp_path, monkeypatch):
    """Serve one small file as if it were a published model."""
    content = b"weights" * 1000
    sha256 = hashlib.sha256(content).hexdigest()
    folder = tmp_path / "server" / sha256
    folder.mkdir(parents=True)
    (folder / "tiny.en.pt").write_bytes(content)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(tmp_path / "server"))

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(whisper_models, "_HOST", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setitem(whisper_models.SHA256, "tiny.en", sha256)
    yield content, folder / "tiny.en.pt"
    server.shutdown()
    server.server_close()


def test_fetch_puts_the_checked_file_into_whispers_cache(empty_cache, served):
    assert whisper_models.fetch("tiny.en").read_bytes() == served[0]
    Model.named("whisper-tiny.en").check_available()


def test_fetch_refuses_wrong_bytes(empty_cache, served):
    served[1].write_bytes(b"something else")
    with pytest.raises(UserError, match="SHA-256"):
        whisper_models.fetch("tiny.en")
    assert not whisper_models.cached_path("tiny.en").exists()


def test_fetch_command(empty_cache, served, capsys):
    assert whisper_models.main(["tiny.en"]) == 0
    assert capsys.readouterr().out.strip() == str(empty_cache / "tiny.en.pt")
    assert whisper_models.main(["enormous"]) == 2
    assert "no model 'enormous'" in capsys.readouterr().err
    assert whisper_models.main([]) == 2


def test_changed_published_file_is_not_used(empty_cache):
    empty_cache.mkdir()
    (empty_cache / "tiny.en.pt").write_bytes(b"not it")
    with pytest.raises(UnavailableError, match="SHA-256 differs"):
        load_recogniser(Model.named("whisper-tiny.en"), 1, "cpu")


# --- loading


class _Harmful:
    def __reduce__(self):
        return (print, ("code of the checkpoint ran",))


def test_a_checkpoint_cannot_run_code(tmp_path, capsys):
    import torch

    path = tmp_path / "harmful.pt"
    torch.save({"dims": _Harmful(), "model_state_dict": {}}, path)
    with pytest.raises(UnavailableError, match="cannot be read"):
        WhisperRecogniser(path, 1, "cpu")
    path.write_bytes(pickle.dumps(_Harmful()))
    with pytest.raises(UnavailableError, match="cannot be read"):
        WhisperRecogniser(path, 1, "cpu")
    assert capsys.readouterr().out == ""


def test_damaged_or_foreign_files_have_a_reason(tmp_path, tiny):
    import torch

    whole = tiny[False].read_bytes()
    foreign = tmp_path / "foreign.pt"
    torch.save({"weights": torch.zeros(3)}, foreign)
    listed = tmp_path / "list.pt"
    torch.save([1, 2], listed)
    half = tmp_path / "half.pt"
    half.write_bytes(whole[: len(whole) // 2])
    text = tmp_path / "text.pt"
    text.write_text("not a model")
    for path in (foreign, listed, half, text):
        with pytest.raises(UnavailableError) as caught:
            WhisperRecogniser(path, 1, "cpu")
        assert "\n" not in str(caught.value)


# --- recognising


@pytest.mark.parametrize("beam", [1, 2])
def test_recognition_repeats_and_does_not_depend_on_what_came_before(tiny, beam):
    recogniser = WhisperRecogniser(tiny[False], beam, "cpu")
    first = recogniser.transcribe(SPEECH, "en")
    recogniser.transcribe(np.random.default_rng(0).standard_normal(16000) * 0.1, "en")
    assert recogniser.transcribe(SPEECH, "en") == first
    assert isinstance(first, str)


def test_decoding_options(tiny, monkeypatch):
    recogniser = WhisperRecogniser(tiny[True], 3, "cpu")
    seen = {}

    def transcribe(wave, **options):
        seen.update(options, dtype=wave.dtype)
        return {"text": " ok"}

    monkeypatch.setattr(recogniser._model, "transcribe", transcribe)
    assert recogniser.transcribe(SPEECH.astype(np.float64), "zh") == " ok"
    assert seen == {
        "language": "zh",
        "temperature": 0.0,
        "condition_on_previous_text": False,
        "no_speech_threshold": 0.6,
        "logprob_threshold": -1.0,
        "beam_size": 3,
        "fp16": False,
        "verbose": None,
        "dtype": np.float32,
    }


def test_languages(tiny):
    english, multilingual = (WhisperRecogniser(tiny[key], 1, "cpu") for key in (False, True))
    assert (english.english_only, multilingual.english_only) == (True, False)
    assert isinstance(multilingual.transcribe(SPEECH, "zh"), str)
    with pytest.raises(MetricError, match="English only"):
        english.transcribe(SPEECH, "zh")
    with pytest.raises(MetricError, match="does not know"):
        multilingual.transcribe(SPEECH, "tlh")


def test_pocketsphinx_does_not_depend_on_what_came_before(data_root):
    pytest.importorskip("pocketsphinx")
    from codecbench.audio import read_audio

    paths = sorted((data_root / "LibriSpeech" / "test-other").glob("*/*/*.flac"))
    audios = sorted((read_audio(path) for path in paths[:20]), key=len)[:2]
    if len(audios) < 2:
        pytest.skip("needs two utterances of LibriSpeech test-other")
    recogniser = PocketsphinxRecogniser()
    first = recogniser.transcribe(audios[0].samples, "en")
    recogniser.transcribe(audios[1].samples, "en")
    assert recogniser.transcribe(audios[0].samples, "en") == first
    assert len(first.split()) > 1
    with pytest.raises(MetricError, match="English only"):
        recogniser.transcribe(audios[0].samples, "zh")
