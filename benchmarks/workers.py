"""Wall time with one and two workers, and what the engine costs beside codecs and metrics.

python benchmarks/workers.py --corpus librispeech:split=test-other --subset 20
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

import codecbench

CODECS = ["opus:kbps=6|12|24", "codec2:bps=1200", "lc3:kbps=32"]


def timed_run(corpus: str, subset: int, jobs: int, out: Path) -> tuple[float, float, float]:
    """Return wall seconds, CPU seconds of this process and CPU seconds of its workers."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    workers = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    codecbench.run(CODECS, corpus, (), out, subset=subset, jobs=jobs)
    wall = time.perf_counter() - start
    return (
        wall,
        _cpu(resource.getrusage(resource.RUSAGE_SELF)) - _cpu(own),
        _cpu(resource.getrusage(resource.RUSAGE_CHILDREN)) - _cpu(workers),
    )


def _cpu(usage: resource.struct_rusage) -> float:
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--corpus", default="demo")
    parser.add_argument("--subset", type=int, default=20)
    arguments = parser.parse_args()
    walls = {}
    with tempfile.TemporaryDirectory() as folder:
        timed_run(arguments.corpus, 1, 2, Path(folder) / "warm-up")
        for jobs in (1, 2):
            out = Path(folder) / str(jobs)
            walls[jobs], own, workers = timed_run(arguments.corpus, arguments.subset, jobs, out)
            print(
                f"{jobs} worker(s): wall {walls[jobs]:.1f} s, workers' CPU {workers:.1f} s,"
                f" engine's CPU {own:.2f} s ({100 * own / workers:.2f} % of it)"
            )
        start = time.perf_counter()
        codecbench.run(CODECS, arguments.corpus, (), out, subset=arguments.subset, jobs=2)
        print(f"finished run repeated: {time.perf_counter() - start:.2f} s")
    print(f"two workers are {walls[1] / walls[2]:.2f} times as fast as one")


if __name__ == "__main__":
    main()
