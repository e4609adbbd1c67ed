"""Batches of random crops, a function of nothing but where training stands."""

from __future__ import annotations

import abc
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ...audio import Samples
from ...corpora.base import Utterance
from ...errors import UserError
from .noise import NoiseSource
from .randomness import Purpose, numpy_generator
from .recipe import DataConfig

RMS_FLOOR = 1e-3
"""Quieter crops are raised as if they had this root mean square: silence stays silence."""


@dataclass(frozen=True)
class Batch:
    """What one process trains on in one step.

    Parameters
    ----------
    inputs : Tensor, shape (batch, samples)
        What the network is given.
    targets : Tensor, shape (batch, samples)
        What should come back; the same tensor unless there is noise.
    denoise : Tensor of bool, shape (batch,), or None
        Which items are asked to come back denoised; None without a denoising switch.
    prompts : Tensor, shape (batch, samples), or None
        Other excerpts of the same recordings, for networks that hear prompts.
    """

    inputs: Tensor
    targets: Tensor
    denoise: Tensor | None = None
    prompts: Tensor | None = None

    def to(self, device: torch.device) -> Batch:
        """Move to a device."""
        inputs = self.inputs.to(device)
        targets = inputs if self.targets is self.inputs else self.targets.to(device)
        denoise = None if self.denoise is None else self.denoise.to(device)
        prompts = None if self.prompts is None else self.prompts.to(device)
        return Batch(inputs, targets, denoise, prompts)

    @property
    def conditions(self) -> dict[str, Tensor]:
        """What the network is told beside its inputs, by the names of its arguments."""
        found = {"denoise": self.denoise, "prompts": self.prompts}
        return {name: value for name, value in found.items() if value is not None}


class Recordings(abc.ABC):
    """Signals that excerpts are taken from.

    Attributes
    ----------
    lengths : list of int
        In samples at each signal's own rate.
    rates : list of int
        In Hz.
    """

    lengths: list[int]
    rates: list[int]

    @property
    def seconds(self) -> float:
        """Duration of all."""
        return sum(n / rate for n, rate in zip(self.lengths, self.rates, strict=True))

    @abc.abstractmethod
    def excerpt(self, index: int, start: int, length: int) -> Samples:
        """Return up to `length` samples of one signal."""


class RecordingsInMemory(Recordings):
    """Signals read once and held at one rate.

    Parameters
    ----------
    utterances : sequence of Utterance
    sample_rate : int
        In Hz.
    workers : int
        Threads that read.

    Raises
    ------
    AudioError
        If a file cannot be read.
    """

    def __init__(self, utterances: Sequence[Utterance], sample_rate: int, workers: int) -> None:
        def read(utterance: Utterance) -> Samples:
            return _finite(utterance, utterance.source_audio().resampled(sample_rate).samples)

        with ThreadPoolExecutor(workers) as pool:
            self.signals = list(pool.map(read, utterances))
        self.lengths = [len(signal) for signal in self.signals]
        self.rates = [sample_rate] * len(self.signals)

    def excerpt(self, index: int, start: int, length: int) -> Samples:
        """Return up to `length` samples of one signal."""
        return self.signals[index][start : start + length]


class RecordingsInFiles(Recordings):
    """Signals that stay in their files; only headers are read beforehand.

    Parameters
    ----------
    utterances : sequence of Utterance
        Each with a path.
    workers : int
        Threads that read headers.

    Raises
    ------
    UserError
        If a file cannot be read.
    """

    def __init__(self, utterances: Sequence[Utterance], workers: int) -> None:
        self.utterances = utterances
        with ThreadPoolExecutor(workers) as pool:
            headers = list(pool.map(_header, utterances))
        self.lengths = [length for length, _ in headers]
        self.rates = [rate for _, rate in headers]

    def excerpt(self, index: int, start: int, length: int) -> Samples:
        """Read up to `length` samples of one file; channels are averaged."""
        import soundfile

        utterance = self.utterances[index]
        try:
            samples, _ = soundfile.read(
                str(utterance.path), length, start, dtype="float32", always_2d=True
            )
        except (soundfile.LibsndfileError, OSError) as error:
            raise UserError(f"{utterance.path} cannot be read: {error}") from error
        return _finite(utterance, samples.mean(axis=1))


def _header(utterance: Utterance) -> tuple[int, int]:
    import soundfile

    try:
        info = soundfile.info(str(utterance.path))
    except (soundfile.LibsndfileError, OSError) as error:
        raise UserError(f"{utterance.path} cannot be read: {error}") from error
    return int(info.frames), int(info.samplerate)


def _finite(utterance: Utterance, samples: npt.NDArray[Any]) -> Samples:
    if not np.isfinite(samples).all():
        raise UserError(f"{utterance.path or utterance.id} holds NaN or infinite samples")
    return samples.astype(np.float32, copy=False)


def open_recordings(
    utterances: Sequence[Utterance], config: DataConfig, sample_rate: int
) -> Recordings:
    """Open utterances as the recipe says."""
    if config.in_memory:
        return RecordingsInMemory(utterances, sample_rate, config.workers)
    return RecordingsInFiles(utterances, config.workers)


class Crops:
    """Random crops of recordings; every second of audio is equally likely.

    Parameters
    ----------
    recordings : Recordings
    samples : int
        Of a crop.
    sample_rate : int
        In Hz.
    """

    def __init__(self, recordings: Recordings, samples: int, sample_rate: int) -> None:
        self.recordings, self.samples, self.sample_rate = recordings, samples, sample_rate
        seconds = np.divide(recordings.lengths, recordings.rates)
        self._ends = np.cumsum(seconds)

    def draw(self, generator: np.random.Generator, speed: float = 1.0) -> Samples:
        """Draw one crop, shape (samples,); signals that are too short are padded with zeros."""
        return self._excerpt(generator, self._recording(generator), self.samples, speed)

    def draw_with_prompt(
        self, generator: np.random.Generator, speed: float, samples: int
    ) -> tuple[Samples, Samples]:
        """Draw a crop, and from anywhere in the same recording another excerpt, (samples,)."""
        index = self._recording(generator)
        crop = self._excerpt(generator, index, self.samples, speed)
        return crop, self._excerpt(generator, index, samples, speed)

    def _recording(self, generator: np.random.Generator) -> int:
        index = int(np.searchsorted(self._ends, generator.uniform(0, self._ends[-1]), "right"))
        return min(index, len(self._ends) - 1)

    def _excerpt(
        self, generator: np.random.Generator, index: int, samples: int, speed: float
    ) -> Samples:
        rate = self.recordings.rates[index]
        length = max(1, round(samples * speed * rate / self.sample_rate))
        spare = self.recordings.lengths[index] - length
        start = int(generator.integers(0, max(spare, 0) + 1))
        excerpt = self.recordings.excerpt(index, start, length)
        padded = np.pad(excerpt, (0, length - len(excerpt)))
        return _stretched(padded, samples)


def _stretched(signal: Samples, samples: int) -> Samples:
    """Resample to another number of samples."""
    if len(signal) == samples:
        return signal
    import soxr

    out = soxr.resample(signal, len(signal), samples, quality="HQ")[:samples]
    return np.pad(out, (0, samples - len(out))).astype(np.float32, copy=False)


class BatchMaker:
    """Makes the batch of any step.

    Parameters
    ----------
    speech : Crops
    noise : NoiseSource or None
    config : DataConfig
    seed, rank : int
    """

    def __init__(
        self, speech: Crops, noise: NoiseSource | None, config: DataConfig, seed: int, rank: int
    ) -> None:
        self.speech, self.noise, self.config = speech, noise, config
        self.seed, self.rank = seed, rank

    def __call__(self, stage: int, step: int, size: int, purpose: Purpose = Purpose.CROPS) -> Batch:
        """Make a batch of `size` crops."""
        generator = numpy_generator(self.seed, stage, step, self.rank, purpose)
        speech = [self._speech(generator) for _ in range(size)]
        clean = [crop for crop, _ in speech]
        if self.noise is not None:
            return self._noisy(clean, generator)
        waves = torch.from_numpy(np.stack(clean))
        prompts = [prompt for _, prompt in speech if prompt is not None]
        return Batch(waves, waves, None, torch.from_numpy(np.stack(prompts)) if prompts else None)

    def _speech(self, generator: np.random.Generator) -> tuple[Samples, Samples | None]:
        """Draw a crop, and what goes with it as a prompt if the recipe asks for one."""
        config = self.config
        speed = float(generator.choice(config.speeds))
        prompt: Samples | None = None
        if config.prompt_seconds is None:
            wave = self.speech.draw(generator, speed)
        else:
            samples = round(config.prompt_seconds * self.speech.sample_rate)
            wave, prompt = self.speech.draw_with_prompt(generator, speed, samples)
        scale = 10 ** (generator.uniform(*config.gain_db) / 20)
        if config.level_rms is not None:
            rms = float(np.sqrt(np.mean(np.square(wave, dtype=np.float64))))
            scale *= config.level_rms / max(rms, RMS_FLOOR)
        if config.polarity_flip and generator.random() < 0.5:
            scale = -scale
        factor = np.float32(scale)
        return wave * factor, None if prompt is None else prompt * factor

    def _noisy(self, clean: list[Samples], generator: np.random.Generator) -> Batch:
        """Add noise to crops, and decide what is to come back of them.

        With a switch these are SoundStream's triples: noisy to noisy, noisy to clean if asked,
        clean to clean; without one, AudioDec's pairs of noisy and clean.
        """
        switched = self.config.noise_targets == "switched"
        inputs, targets, flags = [], [], []
        for wave in clean:
            denoise = not switched or bool(generator.random() < 0.5)
            noisy = wave
            if generator.random() < self.config.noisy_share:
                noisy = wave + self._noise_for(wave, generator)
            inputs.append(noisy)
            targets.append(wave if denoise else noisy)
            flags.append(denoise)
        return Batch(
            torch.from_numpy(np.stack(inputs)),
            torch.from_numpy(np.stack(targets)),
            torch.tensor(flags) if switched else None,
        )

    def _noise_for(self, wave: Samples, generator: np.random.Generator) -> Samples:
        assert self.noise is not None
        noise = self.noise.draw(generator)
        gain = 10 ** (generator.uniform(*self.config.noise_gain_db) / 20)
        peak = float(np.abs(noise).max())
        return noise * np.float32(gain * np.abs(wave).max() / peak) if peak else noise


class Prefetcher:
    """Prepares the batches of the next steps in threads.

    Parameters
    ----------
    make : callable
        Takes stage, step and size; may be called in any order.
    workers : int
    """

    def __init__(self, make: Callable[[int, int, int], Batch], workers: int) -> None:
        self._make = make
        self._ahead = workers + 1
        self._pool = ThreadPoolExecutor(workers)
        self._coming: OrderedDict[tuple[int, int, int], Future[Batch]] = OrderedDict()

    def get(self, stage: int, step: int, size: int, steps: int) -> Batch:
        """Return the batch of a step and begin with those after it, up to `steps`."""
        for later in range(step, min(step + self._ahead, steps)):
            key = (stage, later, size)
            if key not in self._coming:
                self._coming[key] = self._pool.submit(self._make, *key)
        return self._coming.pop((stage, step, size)).result()

    def close(self) -> None:
        """Drop what is being prepared."""
        self._pool.shutdown(wait=False, cancel_futures=True)
