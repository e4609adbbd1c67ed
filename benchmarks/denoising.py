"""What AudioDec's denoising variant does to noisy speech, with paired 95 % intervals.

python benchmarks/denoising.py --corpus librispeech --subset 40 \
    --noise folder:path=general/music --noise synthetic:babble

Each utterance gets noise at a signal-to-noise ratio; scores are those of the noisy signal itself,
and of what comes back from both codecs, against the clean utterance.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from codecbench.adapters.training.corpora import gather
from codecbench.adapters.training.noise import NoiseSource
from codecbench.audio import Audio, Samples
from codecbench.corpora.base import Utterance
from codecbench.protocol import decode, encode
from codecbench.registry import load_codec, load_corpus, load_metric
from codecbench.statistics.intervals import mean_interval
from codecbench.statistics.paired import paired_difference
from codecbench.subset import ranked

RATE = 16_000
SYNTHETIC = "synthetic:"
Noise = Callable[[np.random.Generator, int], Samples]
"""Draws noise of a number of samples."""


def recorded(spec: str, data_root: Path | None) -> Noise:
    """Return noise from excerpts of recordings, repeated where they are too short."""
    signals = [one.source_audio().resampled(RATE).samples for one in gather([spec], data_root)]

    def draw(generator: np.random.Generator, samples: int) -> Samples:
        signal = signals[int(generator.integers(len(signals)))]
        signal = np.resize(signal, max(len(signal), samples))
        start = int(generator.integers(len(signal) - samples + 1))
        return signal[start : start + samples]

    return draw


def synthetic(kind: Any, speech: list[Samples]) -> Noise:
    """Return noise made on the spot; babble is of the given speech."""

    def draw(generator: np.random.Generator, samples: int) -> Samples:
        def crop(inner: np.random.Generator) -> Samples:
            return np.resize(speech[int(inner.integers(len(speech)))], samples)

        return NoiseSource(samples, RATE, (kind,), crop).draw(generator)

    return draw


def mixed(clean: Samples, noise: Samples, snr_db: float) -> Samples:
    """Add noise at a signal-to-noise ratio."""
    power = np.mean(np.square(clean)) / max(float(np.mean(np.square(noise))), 1e-12)
    return (clean + noise * np.sqrt(power * 10 ** (-snr_db / 10))).astype(np.float32)


def scored(
    clean: list[Utterance], noise: Noise, codecs: dict[str, Any], metrics: list[Any], snr_db: float
) -> dict[tuple[str, str], list[float]]:
    """Return a score an utterance, by column and by what was judged."""
    scores: dict[tuple[str, str], list[float]] = {}
    for index, utterance in enumerate(clean):
        reference = utterance.audio()
        drawn = noise(np.random.default_rng(index), len(reference))
        noisy = Audio(mixed(reference.samples, drawn, snr_db), RATE)
        signals = {"noisy": noisy}
        for label, codec in codecs.items():
            signals[label] = decode(codec, encode(codec, noisy), noisy).audio
        for label, signal in signals.items():
            for metric in metrics:
                for column, score in metric.measure(reference, signal).items():
                    scores.setdefault((column, label), []).append(score.value)
    return scores


def show(scores: dict[tuple[str, str], list[float]], speakers: list[str]) -> None:
    """Print means and the paired gain, column by column."""
    labels = list(dict.fromkeys(label for _, label in scores))
    for column in dict.fromkeys(column for column, _ in scores):
        for label in labels:
            mean = mean_interval(scores[column, label], speakers)
            print(f"  {column:10} {label:10} {mean.worded()}")
        gain = paired_difference(scores[column, "denoiser"], scores[column, "codec"], speakers)
        print(f"  {column:10} {'gain':10} {gain.worded()}")


def main() -> None:
    """Print a block of rows for each kind of noise."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--codec", default="audiodec")
    parser.add_argument("--denoiser", default="audiodec:weights=nano-denoise")
    parser.add_argument("--corpus", default="librispeech")
    parser.add_argument("--data-root", type=Path)
    parser.add_argument("--subset", type=int, default=40)
    parser.add_argument("--noise", action="append", required=True)
    parser.add_argument("--snr-db", type=float, default=10.0)
    parser.add_argument("--metrics", default="pesq_wb,stoi")
    options = parser.parse_args()
    utterances = ranked(load_corpus(options.corpus, options.data_root).utterances())
    chosen = [one.at_rate(RATE) for one in utterances[: options.subset]]
    speakers = [one.speaker for one in chosen]
    metrics = [load_metric(name) for name in options.metrics.split(",")]
    codecs = {"codec": load_codec(options.codec), "denoiser": load_codec(options.denoiser)}
    speech = [one.audio().samples for one in chosen]
    for name in options.noise:
        if name.startswith(SYNTHETIC):
            noise = synthetic(name.removeprefix(SYNTHETIC), speech)
        else:
            noise = recorded(name, options.data_root)
        scores = scored(chosen, noise, codecs, metrics, options.snr_db)
        print(f"{name}, {options.snr_db:g} dB, {len(chosen)} utterances")
        show(scores, speakers)


if __name__ == "__main__":
    main()
