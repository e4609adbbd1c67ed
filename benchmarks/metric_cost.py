"""CPU seconds that metrics take per second of audio, one thread: first and further codecs.

    python benchmarks/metric_cost.py --corpus librispeech:split=test-other --subset 20

Prints each metric of the default set and three sets: `core` (what the peers compute), `peer`
(the peers' definitions) and `default` (everything that runs without a speech recogniser).
CPU time of this process and its children; models are loaded and warmed up before.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence

import psutil

from codecbench import load_codec, protocol
from codecbench.corpora.base import Utterance
from codecbench.engine.selection import select_metrics, select_utterances
from codecbench.metric import Prepared
from codecbench.processes import SINGLE_THREAD, single_thread_environment

CORE = ("pesq_wb", "stoi", "estoi", "si_sdr", "mcd", "f0_rmse")
PEER = ("pesq_wb", "stoi", "estoi", "si_sdr", "mcd:definition=versa", "f0:definition=versa")
LIMITS = {"core": (None, 0.030), "peer": (None, 0.28), "default": (0.32, 0.18)}


def cpu_seconds() -> float:
    """Return the CPU time of this process (exact) and its children (in ticks of 10 ms)."""
    children = (child.cpu_times() for child in psutil.Process().children(recursive=True))
    return time.process_time() + sum(times.user + times.system for times in children)


class Bench:
    """Scores the same utterances with some metrics, for a first and for a further codec.

    Parameters
    ----------
    names : sequence of str
        The default set without speech recognition if empty.
    utterances : sequence of Utterance
    codec : str
    """

    def __init__(self, names: Sequence[str], utterances: Sequence[Utterance], codec: str) -> None:
        self.selection = select_metrics(names)
        loaded = self.selection.metrics.values()
        self.utterances = utterances
        self.codec = load_codec(codec)
        self.metrics = []
        for metric in loaded:
            if names or metric.name != "wer":
                metric.setup()
                columns = self.selection.columns(metric.spec, utterances[0], self.codec.card)
                self.metrics.append(metric.narrowed(columns))
        self.prepare(0)
        self.score(0, self.prepare(0))  # warm-up: just-in-time compilation, lazy imports

    def prepare(self, index: int) -> list[Prepared]:
        """Do the reference's side, its own scores included."""
        ready = [metric.prepare(self.utterances[index]) for metric in self.metrics]
        for metric, one in zip(self.metrics, ready, strict=True):
            metric.score_reference(one)
        return ready

    def score(self, index: int, prepared: Sequence[Prepared]) -> float:
        """Score one codec's output; return the CPU seconds, those of the codec left out."""
        utterance = self.utterances[index]
        encoded = protocol.encode(self.codec, utterance.audio())
        decoded = protocol.decode(self.codec, encoded, utterance.audio())
        start = cpu_seconds()
        for metric, ready in zip(self.metrics, prepared, strict=True):
            metric.score(ready, decoded)
        return cpu_seconds() - start

    def cost(self) -> tuple[float, float]:
        """Return CPU seconds per second of audio of the first and of a further codec."""
        first = further = seconds = 0.0
        for index, utterance in enumerate(self.utterances):
            utterance.forget()
            seconds += utterance.audio().seconds
            start = cpu_seconds()
            prepared = self.prepare(index)
            first += cpu_seconds() - start + self.score(index, prepared)
            further += self.score(index, prepared)
            utterance.forget()
        return first / seconds, further / seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--corpus", default="demo")
    parser.add_argument("--subset", type=int, default=20)
    parser.add_argument("--codec", default="opus:kbps=12")
    parser.add_argument("--sets-only", action="store_true", help="Leave out single metrics.")
    arguments = parser.parse_args()
    if any(os.environ.get(key) != value for key, value in SINGLE_THREAD.items()):
        command = [sys.executable, *sys.argv]
        sys.exit(subprocess.run(command, env=single_thread_environment(), check=False).returncode)
    found = select_utterances([arguments.corpus], subset=arguments.subset)
    utterances = [utterance.at_rate(16000) for utterance in found]
    single = [
        metric.name
        for metric in select_metrics(()).metrics.values()
        if metric.name != "wer" and not arguments.sets_only
    ]
    print(f"{'metrics':<14}{'first codec':>13}{'further':>10}   limits (CPU s per audio s)")
    sets = {name: (name,) for name in single} | {"core": CORE, "peer": PEER, "default": ()}
    for name, names in sets.items():
        first, further = Bench(names, utterances, arguments.codec).cost()
        limits = LIMITS.get(name, (None, None))
        shown = " ".join("–" if limit is None else f"{limit:.3f}" for limit in limits)
        print(f"{name:<14}{first:>13.4f}{further:>10.4f}   {shown}", flush=True)


if __name__ == "__main__":
    main()
