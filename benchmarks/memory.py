"""Peak memory of a worker with 50 and with 5,000 utterances of the same files.

python benchmarks/memory.py --utterances 50 5000 --metrics pesq_wb,stoi
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from pathlib import Path

import psutil

import codecbench
from codecbench.corpora.base import Utterance
from codecbench.engine.selection import select_utterances


def folder_of(sources: list[Utterance], count: int, folder: Path) -> Path:
    """List the same files under many ids, as links in a folder."""
    for number in range(count):
        source = sources[number % len(sources)]
        assert source.path is not None
        speaker = folder / source.speaker
        speaker.mkdir(parents=True, exist_ok=True)
        (speaker / f"{number:05d}{source.path.suffix}").symlink_to(source.path.resolve())
    return folder


class PeakWatcher(threading.Thread):
    """Watches the resident memory of this process and of its children, each by itself."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.own = self.worker = 0
        self.stopped = threading.Event()

    def run(self) -> None:
        me = psutil.Process()
        while not self.stopped.wait(0.1):
            self.own = max(self.own, me.memory_info().rss)
            for child in me.children(recursive=True):
                try:
                    self.worker = max(self.worker, child.memory_info().rss)
                except psutil.NoSuchProcess:
                    continue


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--corpus", default="demo")
    parser.add_argument("--utterances", type=int, nargs="+", default=[50, 5000])
    parser.add_argument("--codec", default="opus:kbps=12")
    parser.add_argument("--metrics", default="", help="Comma-separated; all if empty.")
    arguments = parser.parse_args()
    sources = select_utterances([arguments.corpus])
    metrics = [name for name in arguments.metrics.split(",") if name]
    for count in arguments.utterances:
        with tempfile.TemporaryDirectory() as temporary:
            speech = folder_of(sources, count, Path(temporary) / "speech")
            watcher = PeakWatcher()
            watcher.start()
            start = time.perf_counter()
            codecbench.run(
                arguments.codec, f"folder:{speech}", metrics, Path(temporary) / "run", jobs=2
            )
            watcher.stopped.set()
            watcher.join()
            print(
                f"{count} utterances: worker's peak {watcher.worker / 2**20:.0f} MiB, parent's"
                f" {watcher.own / 2**20:.0f} MiB, {time.perf_counter() - start:.0f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
