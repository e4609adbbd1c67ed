"""Speech recognisers: Whisper models at hand, and pocketsphinx for smoke tests."""

from __future__ import annotations

import functools
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ..errors import MetricError, UnavailableError
from ..files import file_sha256
from .whisper_models import SHA256, cached_path, fetch_command, published_name

RATE = 16000
POCKETSPHINX = "pocketsphinx"
_PREFIX = "whisper-"
_NO_SPEECH_THRESHOLD = 0.6
_LOG_PROBABILITY_THRESHOLD = -1.0


class Recogniser(Protocol):
    """Turns speech into text."""

    @property
    def english_only(self) -> bool:
        """Whether it knows no other language."""

    def transcribe(self, wave: npt.NDArray[Any], language: str) -> str:
        """Recognise one utterance.

        Parameters
        ----------
        wave : array of float, shape (samples,)
            At 16 kHz, full scale [-1, 1].
        language : str
            ISO 639-1.

        Raises
        ------
        MetricError
            If it does not know the language.
        """


@dataclass(frozen=True)
class Model:
    """Which recogniser an ``asr=`` value means.

    Parameters
    ----------
    published : str or None
        Name of a published Whisper model.
    path : Path or None
        File of a Whisper model; None for pocketsphinx.
    """

    published: str | None
    path: Path | None

    @classmethod
    def named(cls, asr: str) -> Model:
        """Read an ``asr=`` value: ``whisper-NAME``, a model file's path, or ``pocketsphinx``.

        Raises
        ------
        ValueError
            If it is none of these.
        """
        if asr == POCKETSPHINX:
            return cls(None, None)
        published = published_name(asr.removeprefix(_PREFIX)) if asr.startswith(_PREFIX) else None
        if published is not None:
            return cls(published, cached_path(published))
        if "/" in asr or asr.endswith(".pt"):
            return cls(None, Path(asr).expanduser())
        known = ", ".join(_PREFIX + name for name in SHA256)
        raise ValueError(f"a Whisper model ({known}), the path of a model file, or {POCKETSPHINX}")

    @property
    def english_by_name(self) -> bool:
        """Whether its name tells that it knows English only; a file's name does not."""
        if self.path is None:
            return True
        return self.published is not None and self.published.endswith(".en")

    def check_available(self) -> None:
        """Raise `UnavailableError` if it is not at hand; the message says how to get it."""
        if self.path is None:
            if not _is_installed(POCKETSPHINX):
                raise UnavailableError("pocketsphinx is not installed: pip install pocketsphinx")
        elif not self.path.is_file():
            raise UnavailableError(f"{self.path} is not there{self._how_to_fetch()}")

    def _how_to_fetch(self) -> str:
        return f"; fetch it: {fetch_command(self.published)}" if self.published else ""

    def describe(self) -> str:
        """Say in words what it is, down to the weights' hash."""
        if self.path is None:
            return "pocketsphinx with its English model (smoke test only: no figure to report)"
        if self.published:
            return f"Whisper {self.published} (SHA-256 {SHA256[self.published]})"
        known = file_sha256(self.path) if self.path.is_file() else "unknown: the file is not there"
        return f"Whisper model from a file (SHA-256 {known})"


def spec_of(asr: str) -> str:
    """Return an ``asr=`` value as canonical specs write it: the aliases of a model become one.

    Raises
    ------
    ValueError
        As `Model.named`.
    """
    published = Model.named(asr).published
    return asr if published is None else f"{_PREFIX}{published}"


def _is_installed(module: str) -> bool:
    import importlib.util

    return importlib.util.find_spec(module) is not None


@functools.lru_cache(maxsize=2)
def load_recogniser(model: Model, beam: int, device: str) -> Recogniser:
    """Load a recogniser, once a process.

    Parameters
    ----------
    model : Model
    beam : int
        Beam width of Whisper's search; 1 is greedy.
    device : str
        A torch device.

    Raises
    ------
    UnavailableError
        If it is not at hand, or its file is damaged or not a Whisper model.
    """
    model.check_available()
    if model.path is None:
        return PocketsphinxRecogniser()
    if model.published and file_sha256(model.path) != SHA256[model.published]:
        raise UnavailableError(
            f"{model.path} is not the published {model.published} (its SHA-256 differs); delete"
            f" it and fetch it again: {fetch_command(model.published)}"
        )
    return WhisperRecogniser(model.path, beam, device)


class WhisperRecogniser:
    """openai-whisper: temperature 0 without fallback, no conditioning on previous text, float32.

    A window whose probability of no speech is above 0.6 and whose text has a mean log probability
    not above -1 gives no words (Whisper's defaults, given explicitly).

    Parameters
    ----------
    path : Path
        Checkpoint in Whisper's format: ``{"dims": …, "model_state_dict": …}``.
    beam : int
    device : str
    """

    def __init__(self, path: Path, beam: int, device: str) -> None:
        self._model = _load_whisper(path, device)
        self._beam = beam

    @property
    def english_only(self) -> bool:
        """Whether the model has no tokens for other languages."""
        return not self._model.is_multilingual

    def transcribe(self, wave: npt.NDArray[Any], language: str) -> str:
        """Recognise one utterance; see `Recogniser.transcribe`."""
        from whisper.tokenizer import LANGUAGES

        if self.english_only and language != "en":
            raise MetricError(
                f"the recogniser knows English only, the utterance is in '{language}'"
                " (take a multilingual one, such as asr=whisper-base)"
            )
        if language not in LANGUAGES:
            raise MetricError(f"Whisper does not know the language '{language}'")
        result = self._model.transcribe(
            np.array(wave, dtype=np.float32),  # a copy: torch warns of read-only arrays
            language=language,
            temperature=0.0,
            condition_on_previous_text=False,
            no_speech_threshold=_NO_SPEECH_THRESHOLD,
            logprob_threshold=_LOG_PROBABILITY_THRESHOLD,
            beam_size=None if self._beam == 1 else self._beam,
            fp16=False,
            verbose=None,
        )
        return str(result["text"])


def _load_whisper(path: Path, device: str) -> Any:
    import torch
    from whisper.model import ModelDimensions, Whisper

    try:
        checkpoint = torch.load(path, map_location=device, weights_only=True)
        model = Whisper(ModelDimensions(**checkpoint["dims"]))
        model.load_state_dict(checkpoint["model_state_dict"])
    except (pickle.UnpicklingError, EOFError, OSError, RuntimeError) as error:
        raise UnavailableError(
            f"{path}: cannot be read as a Whisper model ({_brief(error)})"
        ) from error
    except (KeyError, TypeError, AttributeError) as error:
        raise UnavailableError(f"{path}: not a Whisper model ({_brief(error)})") from error
    return model.to(device).eval()


def _brief(error: Exception) -> str:
    words = str(error).split()
    return f"{type(error).__name__}: {' '.join(words[:20])}"


class PocketsphinxRecogniser:
    """pocketsphinx with the English model in its package: about 60 % WER on read speech."""

    english_only = True

    def transcribe(self, wave: npt.NDArray[Any], language: str) -> str:
        """Recognise one utterance; see `Recogniser.transcribe`."""
        if language != "en":
            raise MetricError(f"pocketsphinx knows English only, the utterance is in '{language}'")
        import pocketsphinx

        # A fresh decoder each time: it adapts to what it has heard, and the order must not matter.
        decoder = pocketsphinx.Decoder(samprate=RATE, loglevel="FATAL")
        pcm = np.clip(np.round(np.asarray(wave) * 32767.0), -32768, 32767).astype("<i2")
        decoder.start_utt()
        decoder.process_raw(pcm.tobytes(), full_utt=True)
        decoder.end_utt()
        hypothesis = decoder.hyp()
        return "" if hypothesis is None else str(hypothesis.hypstr)
