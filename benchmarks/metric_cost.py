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
from collections.abc import Sequence

from codecbench.processes import SINGLE_THREAD, single_thread_environment

CORE = ("pesq_wb", "stoi", "estoi", "si_sdr", "mcd", "f0_rmse")
PEER = ("pesq_wb", "stoi", "estoi", "si_sdr", "mcd:definition=versa", "f0:definition=versa")
LIMITS = {"core": (None, 0.030), "peer": (None, 0.28), "default": (0.32, 0.18)}


def cpu_seconds() -> float:
    import psutil

    process = psutil.Process()
    own = process.cpu_times()
    children = [child.cpu_times() for child in process.children(recursive=True)]
    return sum(times.user + times.system for times in [own, *children])


def measure(names: Sequence[str], corpus: str, subset: int, codec: str) -> tuple[float, float]:
    """Return CPU seconds per audio second of the first and of a further codec."""
    from codecbench import load_codec, protocol
    from codecbench.engine.selection import select_metrics, select_utterances
    from codecbench.errors import CodecbenchError

    selection = select_metrics(names)
    metrics = [metric for metric in selection.metrics.values() if names or metric.name != "wer"]
    for metric in metrics:
        metric.setup()
    utterances = [item.at_rate(16000) for item in select_utterances([corpus], subset=subset)]
    coder = load_codec(codec)
    encoded = [protocol.encode(coder, item.audio()) for item in utterances]
    seconds = sum(item.audio().seconds for item in utterances)
    for item in utterances:
        item.forget()
        item.audio()

    def decoded(index: int) -> object:
        reference = utterances[index].audio()
        return protocol.decode(coder, encoded[index], reference)

    def score(index: int, prepared: list[object]) -> float:
        pair = decoded(index)
        start = cpu_seconds()
        for metric, ready in zip(metrics, prepared, strict=True):
            wanted = selection.columns(metric.spec, utterances[index], coder.card)
            if wanted:
                metric.score(ready, pair)
        return cpu_seconds() - start

    def prepare(index: int) -> list[object]:
        ready = [metric.prepare(utterances[index]) for metric in metrics]
        for metric, one in zip(metrics, ready, strict=True):
            if metric.scores_reference:
                metric.score_reference(one)
        return ready

    try:
        score(0, prepare(0))  # warm-up: just-in-time compilation, lazy imports
    except CodecbenchError as error:
        sys.exit(f"{names}: {error}")
    utterances[0].forget()
    utterances[0].audio()
    first = further = 0.0
    for index in range(len(utterances)):
        start = cpu_seconds()
        prepared = prepare(index)
        first += cpu_seconds() - start
        first += score(index, prepared)
        further += score(index, prepared)
        utterances[index].forget()
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
    from codecbench.engine.selection import select_metrics

    single = [
        metric.name
        for metric in select_metrics(()).metrics.values()
        if metric.name != "wer" and not arguments.sets_only
    ]
    print(f"{'metrics':<14}{'first codec':>13}{'further':>10}   limits (CPU s per audio s)")
    sets = {name: (name,) for name in single} | {"core": CORE, "peer": PEER, "default": ()}
    for name, names in sets.items():
        first, further = measure(names, arguments.corpus, arguments.subset, arguments.codec)
        limits = LIMITS.get(name, (None, None))
        shown = " ".join("–" if limit is None else f"{limit:.3f}" for limit in limits)
        print(f"{name:<14}{first:>13.4f}{further:>10.4f}   {shown}", flush=True)


if __name__ == "__main__":
    main()
