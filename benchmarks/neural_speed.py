"""Real-time factors on one CPU thread and latencies, declared and measured, of neural codecs.

python benchmarks/neural_speed.py soundstream svcodec svcodec:kbps=1
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch

from codecbench.adapters.nn.latency import codec_latency, network_latency
from codecbench.adapters.nn.neural_codec import NeuralCodec
from codecbench.audio import Audio
from codecbench.corpora.demo import Demo
from codecbench.registry import load_codec

HEADERS = ("codec", "encode", "decode", "enc. stream", "dec. stream", "declared", "network", "bits")


def speech(rate: int, seconds: float) -> Audio:
    """Return this much of the demo corpus at a rate."""
    parts = [utterance.audio().resampled(rate).samples for utterance in Demo().utterances()]
    whole = np.concatenate(parts)
    return Audio(np.resize(whole, round(seconds * rate)), rate)


def best_of(repeats: int, work: Callable[[], object], seconds: float) -> float:
    """Return the shortest time that the work took, per second of audio."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times) / seconds


def streamed_encoding(codec: NeuralCodec, audio: Audio) -> None:
    """Encode hop by hop, as a call would."""
    stream = codec.encoder_stream()
    for start in range(0, len(audio), codec.hop_length):
        stream.push(audio.samples[start : start + codec.hop_length])
    stream.finish()


def real_time_factors(codec: NeuralCodec, audio: Audio, repeats: int) -> list[str]:
    """Time both ways, in one piece and packet by packet."""
    bitstream = codec.encode(audio)
    works: list[Callable[[], object]] = [
        lambda: codec.encode(audio),
        lambda: codec.decode(bitstream),
    ]
    if codec.card.causal:
        works += [
            lambda: streamed_encoding(codec, audio),
            lambda: codec.decode_with_losses(bitstream, ()),
        ]
    factors = [f"{best_of(repeats, work, audio.seconds):.4f}" for work in works]
    return factors + ["-"] * (4 - len(factors))


def latencies(codec: NeuralCodec, phases: int) -> list[str]:
    """Declared and measured, in milliseconds."""
    hop = codec.hop_length
    places = sorted({0, hop - 1, *np.linspace(0, hop - 1, min(phases, hop)).astype(int).tolist()})
    declared = codec.card.algorithmic_latency_ms
    measured = [network_latency(codec.network, places), codec_latency(codec, places)]
    shown = [f"{1000 * samples / codec.network.sample_rate:.3f}" for samples in measured]
    return ["unknown" if declared is None else f"{declared:.3f}", *shown]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("specs", nargs="+")
    parser.add_argument("--seconds", type=float, default=10.0, help="of speech a measurement")
    parser.add_argument("--repeats", type=int, default=3, help="of which the fastest counts")
    parser.add_argument("--phases", type=int, default=16, help="places in a hop for the latency")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print("Seconds of computation a second of audio, one thread; latency in ms.")
    rows = [HEADERS]
    for spec in arguments.specs:
        codec = load_codec(spec)
        if not isinstance(codec, NeuralCodec):
            parser.error(f"{spec} is no neural codec")
        audio = speech(codec.network.sample_rate, arguments.seconds)
        factors = real_time_factors(codec, audio, arguments.repeats)
        rows.append((spec, *factors, *latencies(codec, arguments.phases)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADERS))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))


if __name__ == "__main__":
    main()
