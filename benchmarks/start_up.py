"""Seconds until `import codecbench` and `codecbench --help` are done: the median of ten.

python benchmarks/start_up.py
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "import codecbench": [sys.executable, "-c", "import codecbench"],
    "codecbench --help": [sys.executable, "-m", "codecbench", "--help"],
}


def main() -> None:
    for name, command in COMMANDS.items():
        times = []
        for _ in range(10):
            start = time.perf_counter()
            subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
            times.append(time.perf_counter() - start)
        print(f"{name:<20}{statistics.median(times):.3f} s")


if __name__ == "__main__":
    main()
