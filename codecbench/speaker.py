"""Speaker embeddings by name, shared by the similarity metric and by codecs that need one."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from .errors import AudioError, UserError
from .quiet import import_quietly

Embedding = npt.NDArray[np.float32]


class SpeakerEncoder(Protocol):
    """Turns speech into a vector that tells its speaker."""

    @property
    def name(self) -> str:
        """The name under which it is found."""

    @property
    def title(self) -> str:
        """What it is and where its weights are from, in a phrase for cards."""

    @property
    def sample_rate(self) -> int:
        """The rate in Hz of the signals it takes."""

    @property
    def dimension(self) -> int:
        """Length of an embedding."""

    def embed(self, wave: npt.NDArray[Any]) -> Embedding:
        """Embed one utterance.

        Parameters
        ----------
        wave : array of float, shape (samples,)
            At `sample_rate`; full scale is [-1, 1], values beyond it are clipped.

        Returns
        -------
        array of float32, shape (dimension,)
            Of unit length.

        Raises
        ------
        AudioError
            If no speech is found in it.
        """

    def embed_excerpts(self, waves: npt.NDArray[Any]) -> Embedding:
        """Embed excerpts of equal length quickly, as a training needs it.

        Pauses are not cut, and no more than a piece of each excerpt need be heard.

        Parameters
        ----------
        waves : array of float, shape (batch, samples)
            At `sample_rate`.

        Returns
        -------
        array of float32, shape (batch, dimension)
            Of unit length; zero where an excerpt is silent.
        """


class Ge2eEncoder:
    """GE2E, a three-layer LSTM over 40 mel bands, by Resemblyzer with the weights it ships.

    Level is raised to -30 dB of full scale (never lowered), pauses are cut by WebRTC's voice
    activity detector (mode 3), and the embeddings of pieces of 1.6 s are averaged.

    Source: L. Wan, Q. Wang, A. Papir, I. Lopez Moreno, "Generalized end-to-end loss for speaker
    verification", ICASSP 2018.

    Parameters
    ----------
    device : str
        A torch device.
    """

    name = "ge2e"
    title = "GE2E (Resemblyzer 0.1.4, its own weights)"
    sample_rate = 16000
    dimension = 256

    def __init__(self, device: str = "cpu") -> None:
        resemblyzer = import_quietly("resemblyzer")
        self._audio = import_quietly("resemblyzer.audio")
        self._encoder = resemblyzer.VoiceEncoder(device, verbose=False)
        self._encoder.eval()

    def embed(self, wave: npt.NDArray[Any]) -> Embedding:
        """Embed one utterance at 16 kHz; see `SpeakerEncoder.embed`."""
        speech = self._speech(np.clip(wave, -1.0, 1.0).astype(np.float32))
        if len(speech) == 0:
            raise AudioError("the voice activity detector found no speech")
        embedding: Embedding = self._encoder.embed_utterance(speech)
        if not np.isfinite(embedding).all():
            raise AudioError("the speaker encoder gave no direction for it")
        return embedding

    def embed_excerpts(self, waves: npt.NDArray[Any]) -> Embedding:
        """Embed the first 1.6 s of each excerpt; see `SpeakerEncoder.embed_excerpts`."""
        import torch

        piece = self.sample_rate * 16 // 10
        clipped = np.clip(waves[:, :piece], -1.0, 1.0).astype(np.float32)
        padded = np.pad(clipped, ((0, 0), (0, piece - clipped.shape[1])))
        embeddings = np.zeros((len(padded), self.dimension), np.float32)
        heard = np.flatnonzero(padded.any(axis=1))
        if not len(heard):
            return embeddings
        louder = (
            self._audio.normalize_volume(wave, -30, increase_only=True) for wave in padded[heard]
        )
        mels = np.stack([self._audio.wav_to_mel_spectrogram(wave)[:160] for wave in louder])
        with torch.inference_mode():
            found = self._encoder(torch.from_numpy(mels).to(self._encoder.device)).cpu().numpy()
        embeddings[heard] = np.nan_to_num(found)
        return embeddings

    def _speech(self, wave: Embedding) -> Embedding:
        """Raise the level and cut pauses, as `resemblyzer.preprocess_wav` does."""
        window = self.sample_rate * 30 // 1000
        if len(wave) < window or not wave.any():
            return wave[:0]
        louder = self._audio.normalize_volume(wave, -30, increase_only=True)
        # Beyond full scale the detector's conversion to 16 bits would wrap around.
        speech: Embedding = self._audio.trim_long_silences(np.clip(louder, -1.0, 1.0))
        return speech


def _wavlm(device: str) -> SpeakerEncoder:
    from .speaker_wavlm import WavlmEncoder

    return WavlmEncoder(device)


_ENCODERS: dict[str, Callable[[str], SpeakerEncoder]] = {
    Ge2eEncoder.name: Ge2eEncoder,
    "wavlm": _wavlm,
}


def register_speaker_encoder(name: str, make: Callable[[str], SpeakerEncoder]) -> None:
    """Add an encoder.

    Parameters
    ----------
    name : str
    make : callable
        Takes a torch device and returns the encoder.

    Raises
    ------
    UserError
        If the name is taken.
    """
    if name in _ENCODERS:
        raise UserError(f"there is a speaker encoder '{name}' already")
    _ENCODERS[name] = make


def speaker_encoder_names() -> list[str]:
    """List the encoders."""
    return sorted(_ENCODERS)


@functools.cache
def load_speaker_encoder(name: str = "ge2e", device: str = "cpu") -> SpeakerEncoder:
    """Return an encoder, loaded once a process and device.

    Raises
    ------
    UserError
        If there is none of this name.
    """
    if name not in _ENCODERS:
        known = ", ".join(speaker_encoder_names())
        raise UserError(f"unknown speaker encoder '{name}' (known: {known})")
    return _ENCODERS[name](device)
