"""WavLM x-vectors as speaker embeddings: the encoder, its weights, and fetching them when asked.

``python -m codecbench.speaker_wavlm microsoft/wavlm-base-plus-sv`` fetches a model of the Hugging
Face hub into the hub's own cache. Nothing else downloads.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import os
import pickle
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from .component import Requirement
from .data.fetch_models import fetch_models
from .errors import AudioError, UnavailableError, UserError
from .files import file_sha256
from .speaker import Embedding, SpeakerEncoder

DEFAULT_WEIGHTS = "microsoft/wavlm-base-plus-sv"
TRANSFORMERS = Requirement("module", "transformers", "pip install 'codecbench[speaker]'")

_HUB_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*")
_CONFIGURATIONS = ("config.json", "preprocessor_config.json")
_TENSORS = ("model.safetensors", "pytorch_model.bin")
"""In the order in which transformers looks for them; it reads the second without its code."""
_UNHEARD = ("classifier.", "objective.", "wavlm.masked_spec_embed")
"""Parameters that only training uses."""
_LONGEST_SECONDS = 60
"""Attention's memory grows with the square of the length: 3 GB at a minute."""


@dataclass(frozen=True)
class WavlmWeights:
    """Which model a ``weights=`` value means.

    Parameters
    ----------
    published : str or None
        OWNER/NAME of a model on the Hugging Face hub.
    path : Path or None
        Folder of a model; None for a published one.
    """

    published: str | None
    path: Path | None

    @classmethod
    def named(cls, weights: str) -> Self:
        """Read a ``weights=`` value; nothing is looked up.

        Raises
        ------
        ValueError
            If it is neither a name nor a path.
        """
        if _HUB_NAME.fullmatch(weights):
            return cls(weights, None)
        if not weights:
            raise ValueError("write OWNER/NAME of a model on the Hugging Face hub, or a folder")
        try:
            return cls(None, Path(weights).expanduser())
        except RuntimeError as error:  # ~nobody
            raise ValueError(str(error)) from error

    @property
    def folder(self) -> Path | None:
        """Where the model lies; None if it is not in the hub's cache."""
        return self.path if self.published is None else _cached(self.published)

    def files(self) -> list[Path]:
        """Return the files that decide the numbers.

        Raises
        ------
        UnavailableError
            If one is not at hand; the message says how to get it.
        """
        folder = self.folder
        if folder is None:
            raise UnavailableError(
                f"{self.published} is not in the Hugging Face hub's cache"
                f"{self._how_to_fetch()} (a folder is written ./{self.published})"
            )
        configurations = [folder / name for name in _CONFIGURATIONS]
        tensors = [folder / name for name in _TENSORS]
        try:
            if not folder.is_dir():
                raise UnavailableError(f"there is no folder {folder}")
            missing = [path.name for path in configurations if not path.is_file()]
            there = [path for path in tensors if path.is_file()]
        except OSError as error:
            raise UnavailableError(f"{folder}: cannot be read ({error.strerror})") from error
        missing += [] if there else [_TENSORS[0]]
        if missing:
            raise UnavailableError(f"{folder} has no {', no '.join(missing)}{self._how_to_fetch()}")
        return [*configurations, there[0]]

    def _how_to_fetch(self) -> str:
        return f"; fetch it: {_fetch_command(self.published)}" if self.published else ""

    def check_available(self) -> None:
        """Raise `UnavailableError` if it is not at hand; the message says how to get it."""
        if not TRANSFORMERS.is_met:
            raise UnavailableError(f"{TRANSFORMERS.name} is not installed: {TRANSFORMERS.hint}")
        self.files()

    def describe(self) -> str:
        """Say in words what it is, down to the files' hashes."""
        what = f"WavLM x-vector model {self.published or 'from a folder'}"
        try:
            sums = ", ".join(f"{path.name} {file_sha256(path)}" for path in self.files())
        except (UnavailableError, OSError):
            sums = "unknown: not all files are there"
        return f"{what} (SHA-256 {sums})"


def _cached(name: str) -> Path | None:
    """Return where the hub's cache holds a model; None if it does not."""
    if importlib.util.find_spec("huggingface_hub") is None:
        return None
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(name, _CONFIGURATIONS[0])
    return Path(found).parent if isinstance(found, str) else None


class WavlmEncoder:
    """WavLM with an x-vector head, by transformers: one embedding of the whole signal.

    Pauses are kept; the model's own preprocessing decides about the level.

    Source: S. Chen et al., "WavLM: Large-scale self-supervised pre-training for full stack speech
    processing", IEEE Journal of Selected Topics in Signal Processing, 2022.

    Parameters
    ----------
    device : str
        A torch device.
    weights : WavlmWeights, optional
        `DEFAULT_WEIGHTS` if not given.

    Raises
    ------
    UnavailableError
        If transformers or the weights are not at hand, or the weights are damaged or another
        model's.
    """

    name = "wavlm"
    sample_rate = 16000

    def __init__(self, device: str = "cpu", weights: WavlmWeights | None = None) -> None:
        weights = weights or WavlmWeights.named(DEFAULT_WEIGHTS)
        weights.check_available()
        self.title = weights.describe()
        with _without_messages():
            self._extractor, model = _read(str(weights.folder), local_files_only=True)
        self._model = model.float().to(device).eval()
        self._device = device
        self._shortest = _shortest(model.config)

    @property
    def dimension(self) -> int:
        """Length of an embedding."""
        return int(self._model.config.xvector_output_dim)

    def embed(self, wave: npt.NDArray[Any]) -> Embedding:
        """Embed one utterance at 16 kHz; see `SpeakerEncoder.embed`."""
        import torch

        self._check(wave)
        clipped = np.clip(wave, -1.0, 1.0).astype(np.float32)
        inputs = self._extractor(clipped, sampling_rate=self.sample_rate, return_tensors="pt")
        with torch.inference_mode():  # without the mask of padding, of which there is none
            found = self._model(inputs["input_values"].to(self._device)).embeddings[0]
        vector = found.double().cpu().numpy()
        norm = np.linalg.norm(vector)
        if not 0 < norm < np.inf:
            raise AudioError("the speaker encoder gave no direction for it")
        embedding: Embedding = (vector / norm).astype(np.float32)
        return embedding

    def embed_excerpts(self, waves: npt.NDArray[Any]) -> Embedding:
        """Embed the whole of each excerpt; see `SpeakerEncoder.embed_excerpts`."""
        embeddings = np.zeros((len(waves), self.dimension), np.float32)
        missing = max(0, self._shortest - waves.shape[1])
        padded = np.pad(waves, ((0, 0), (0, missing)))
        for heard in np.flatnonzero(padded.any(axis=1)):
            embeddings[heard] = self.embed(padded[heard])
        return embeddings

    def _check(self, wave: npt.NDArray[Any]) -> None:
        """Refuse what has no embedding, or none that could be afforded."""
        if not wave.any():
            raise AudioError("there is no speech in it: it is silent")
        if len(wave) < self._shortest:
            seconds = self._shortest / self.sample_rate
            raise AudioError(f"the speaker encoder needs {seconds:.3f} s or more")
        if len(wave) > _LONGEST_SECONDS * self.sample_rate:
            raise AudioError(f"the speaker encoder takes {_LONGEST_SECONDS} s or less")


def load_wavlm_encoder(weights: WavlmWeights, device: str = "cpu") -> SpeakerEncoder:
    """Return an encoder, loaded once a process and device while its files stay the same.

    Raises
    ------
    UnavailableError
        As `WavlmEncoder`.
    """
    return _loaded(weights, weights.describe(), device)


@functools.lru_cache(maxsize=2)
def _loaded(weights: WavlmWeights, _description: str, device: str) -> WavlmEncoder:
    return WavlmEncoder(device, weights)


def _read(source: str, **options: Any) -> tuple[Any, Any]:
    """Read feature extractor and model from a folder or, by its name, from the hub.

    Raises
    ------
    UnavailableError
        If they cannot be read, parameters are missing, which transformers would make up, or the
        rate is another one.
    """
    from huggingface_hub import errors
    from safetensors import SafetensorError
    from transformers import Wav2Vec2FeatureExtractor, WavLMForXVector

    invalid = getattr(errors, "StrictDataclassError", ValueError)  # older releases have none
    try:
        extractor = Wav2Vec2FeatureExtractor.from_pretrained(source, **options)
        model, report = WavLMForXVector.from_pretrained(source, output_loading_info=True, **options)
    except (
        ArithmeticError, AttributeError, EOFError, LookupError, OSError, RuntimeError,
        SafetensorError, TypeError, ValueError, pickle.UnpicklingError, invalid,
    ) as error:  # fmt: skip
        why = f"{type(error).__name__}: {' '.join(str(error).split()[:30])}"
        raise UnavailableError(f"{source}: cannot be loaded as a WavLM model ({why})") from error
    missing = sorted(key for key in report["missing_keys"] if not key.startswith(_UNHEARD))
    if missing:
        raise UnavailableError(
            f"{source}: not a WavLM model with an x-vector head ({len(missing)} parameters are"
            f" missing, such as {missing[0]})"
        )
    if extractor.sampling_rate != WavlmEncoder.sample_rate:
        raise UnavailableError(f"{source}: its sampling_rate is not {WavlmEncoder.sample_rate}")
    return extractor, model


def _shortest(config: Any) -> int:
    """Return the fewest samples that leave two frames, whose spread is pooled."""
    widths = zip(config.tdnn_kernel, config.tdnn_dilation, strict=True)
    length = 2 + sum((kernel - 1) * dilation for kernel, dilation in widths)
    for kernel, stride in zip(config.conv_kernel[::-1], config.conv_stride[::-1], strict=True):
        length = (length - 1) * stride + kernel
    return int(length)


@contextlib.contextmanager
def _without_messages() -> Iterator[None]:
    """Keep transformers from writing progress and warnings while files are read."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def _fetch_command(name: str) -> str:
    return f"python -m codecbench.speaker_wavlm {name}"


def fetch(name: str) -> Path:
    """Download a model from the Hugging Face hub into the hub's cache and check it.

    Raises
    ------
    UserError
        If it is no name of the hub, or the model cannot be fetched or is another one.
    """
    if not _HUB_NAME.fullmatch(name):
        raise UserError(f"'{name}' is no model of the Hugging Face hub: write OWNER/NAME")
    if not TRANSFORMERS.is_met:
        raise UnavailableError(f"{TRANSFORMERS.name} is not installed: {TRANSFORMERS.hint}")
    # Else transformers has a service convert the model, and fetches the result as well.
    os.environ.setdefault("DISABLE_SAFETENSORS_CONVERSION", "1")
    _read(name)
    return WavlmWeights.named(name).files()[0].parent


def main(names: Sequence[str]) -> int:
    """Fetch the named models; return the exit status."""
    return fetch_models(names, fetch, f"such as {DEFAULT_WEIGHTS}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
