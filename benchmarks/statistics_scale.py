"""Time and peak memory of the statistics on a million rows with 10,000 resamples.

python benchmarks/statistics_scale.py --rows 1000000

Each step is measured in a process of its own; memory is that of the whole process. What is
expected: under 60 s and 2 GB.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from codecbench.statistics.bjontegaard import Curve, delta_rate
from codecbench.statistics.bootstrap import RESAMPLES
from codecbench.statistics.intervals import mean_interval, ratio_interval
from codecbench.statistics.paired import paired_difference
from codecbench.statistics.ranking import rank

CODECS, METRICS = 20, 10
SECONDS, MEGABYTES = 60, 2000


def one_mean(rows: int, speakers: int) -> None:
    rng = np.random.default_rng(0)
    mean_interval(rng.normal(size=rows), _speakers(rng, rows, speakers))


def one_ratio(rows: int, speakers: int) -> None:
    rng = np.random.default_rng(0)
    words = rng.integers(3, 30, rows)
    ratio_interval(rng.binomial(words, 0.1), words, _speakers(rng, rows, speakers))


def one_pair(rows: int, speakers: int) -> None:
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, rows // 2))
    paired_difference(first, second, _speakers(rng, rows // 2, speakers))


def one_delta(rows: int, speakers: int) -> None:
    rng = np.random.default_rng(0)
    count = rows // 8
    seconds = rng.uniform(2, 15, count)
    curves = []
    for name in ("old", "new"):
        rates = 2.0 ** np.arange(4)[:, None] * rng.uniform(0.97, 1.03, count)
        scores = np.log2(rates) + rng.normal(0, 0.1, count)
        curves.append(Curve(name, rates * seconds, seconds, scores, np.ones_like(scores)))
    delta_rate(curves[0], curves[1], _speakers(rng, count, speakers))


def table(rows: int, speakers: int) -> None:
    """All intervals of a table of 20 codecs and 10 metrics, and all pairs of every metric."""
    rng = np.random.default_rng(0)
    count = rows // (CODECS * METRICS)
    who = _speakers(rng, count, speakers)
    for _ in range(METRICS):
        values = rng.normal(np.arange(CODECS)[:, None] / 10, 1, (CODECS, count))
        for codec in values:
            mean_interval(codec, who)
        rank(np.stack([values, np.ones_like(values)], axis=-1), who, better="higher")


def _speakers(rng: np.random.Generator, rows: int, speakers: int) -> np.ndarray:
    return rng.permutation(np.arange(rows) % speakers)


STEPS: dict[str, tuple[Callable[[int, int], None], tuple[int, ...]]] = {
    "mean": (one_mean, (1, 13, 40, 2000, 100_000, 1_000_000)),
    "ratio": (one_ratio, (40, 2000)),
    "pair of codecs": (one_pair, (1, 13, 40, 2000)),
    "Bjøntegaard delta rate": (one_delta, (13, 40, 2000)),
    f"table of {CODECS} × {METRICS}, all pairs": (table, (13, 40, 2000)),
}


def measure(name: str, rows: int, speakers: int) -> dict[str, float]:
    """Do one step; return its seconds of wall and CPU time and the process's peak memory."""
    wall, cpu = time.perf_counter(), time.process_time()
    STEPS[name][0](rows, speakers)
    return {
        "wall": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
        "peak": _peak_megabytes(),
    }


def _peak_megabytes() -> float:
    # Not `getrusage`, whose maximum begins with that of the process that started this one.
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def measured(name: str, rows: int, speakers: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--rows", str(rows)]
    done = subprocess.run(
        [*command, "--step", name, "--speakers", str(speakers)],
        check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    result: dict[str, float] = json.loads(done.stdout)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    parser.add_argument("--speakers", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.step:
        print(json.dumps(measure(arguments.step, arguments.rows, arguments.speakers)))
        return
    print(f"{arguments.rows} rows, {RESAMPLES} resamples; expected: {SECONDS} s, {MEGABYTES} MB")
    print(f"{'':32} {'speakers':>9} {'wall s':>8} {'CPU s':>8} {'peak MB':>8}")
    for name, (_, counts) in STEPS.items():
        for speakers in counts:
            found = measured(name, arguments.rows, speakers)
            numbers = f"{found['wall']:8.2f} {found['cpu']:8.2f} {found['peak']:8.0f}"
            print(f"{name:32} {speakers:9} {numbers}", flush=True)


if __name__ == "__main__":
    main()
