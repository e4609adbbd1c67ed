"""Time and memory of a run folder's frame, table and plan, and of its merging.

python benchmarks/results_scale.py --utterances 5000 --codecs 10

The folder is made with the engine's own `Writer`: one made-up row for every utterance, codec and
column of the default metrics, one bitstream for every utterance and codec, in parts as a run
leaves them. Each step is measured in a process of its own; memory is that of the whole process.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

import codecbench
from codecbench.codec import CodecBase
from codecbench.corpora.base import Utterance
from codecbench.engine.plan import Missing, plan, shards
from codecbench.engine.selection import MetricSelection, select_codecs, select_metrics
from codecbench.metric import Score
from codecbench.results.manifest import CodecEntry, Manifest, MetricEntry
from codecbench.results.run_folder import BITSTREAMS, MANIFEST, ROWS, Run
from codecbench.results.schema import REFERENCE, Row, StoredBitstream, parts
from codecbench.results.writer import Writer, compact

STEPS = ("compact", "plan", "frame", "table", "table of one metric", "kept bitstreams")
UTTERANCES_A_PART = 25
BITSTREAM_BYTES = 10_000


def request(utterances: int, codecs: int) -> tuple[
    list[Utterance], dict[str, CodecBase], MetricSelection
]:  # fmt: skip
    sources = codecbench.load_corpus("demo").utterances()
    listed = [
        replace(sources[number % len(sources)], id=f"u{number:06d}", rate=16000)
        for number in range(utterances)
    ]
    rates = "|".join(str(6 + number) for number in range(codecs))
    return listed, select_codecs([f"opus:kbps={rates}"]), select_metrics([])


def write_manifest(path: Path, codecs: dict[str, CodecBase], selection: MetricSelection) -> None:
    manifest = Manifest(rate=16000, corpora=["demo"])
    for spec, codec in codecs.items():
        manifest.codecs[spec] = CodecEntry(
            identity=codec.identity, version=codec.version, card=codec.card.as_dict()
        )
    for spec, metric in selection.metrics.items():
        manifest.metrics[spec] = MetricEntry(
            identity=metric.card.identity, card=metric.card.as_dict(), is_default=True
        )
    manifest.write(path / MANIFEST)


def made_up_row(codec: str, spec: str, column: str, unit: str, of: Utterance, score: Score) -> Row:
    return Row(
        codec, of.corpus, of.split, of.speaker, of.id, of.rate, column, spec, score.value,
        score.numerator, score.denominator, unit, None,
    )  # fmt: skip


def fill(path: Path, missing: list[Missing], selection: MetricSelection) -> int:
    """Write what is missing, in the order of a run; return the number of rows."""
    rng = np.random.default_rng(0)
    columns = {
        (spec, column.name): column
        for spec, metric in selection.metrics.items()
        for column in metric.columns
    }
    count = 0
    with Writer(path) as writer:
        for number, item in enumerate(missing):
            for codec, wanted in item.of_codec.items():
                rows = [
                    made_up_row(codec, spec, name, columns[spec, name].unit, item.utterance, score)
                    for spec, names in wanted.items()
                    for name in names
                    for score in [_score(rng, columns[spec, name].pooled)]
                ]
                count += len(rows)
                key = codec, *item.utterance.key
                kept = StoredBitstream(*key, 4.0, rng.bytes(BITSTREAM_BYTES))
                writer.add(rows, None if codec == REFERENCE else kept)
            if number % UTTERANCES_A_PART == UTTERANCES_A_PART - 1:
                writer.flush()
    return count


def _score(rng: np.random.Generator, pooled: bool) -> Score:
    value = float(rng.uniform(1, 4))
    return Score(value, 4 * value, 4.0) if pooled else Score(value)


def step(name: str, path: Path, utterances: int, codecs: int) -> dict[str, float]:
    """Do one step; return its seconds of wall and CPU time and the process's peak memory."""
    listed, of_spec, selection = request(utterances, codecs)
    wall, cpu = time.perf_counter(), time.process_time()
    if name == "compact":
        compact(path)
    elif name == "plan":
        assert plan(Run(path), listed, of_spec, selection) == []
    elif name == "frame":
        Run(path).frame()
    elif name == "table":
        Run(path).table()
    elif name == "table of one metric":
        Run(path).table(metrics=["pesq_wb"])
    else:
        columns = {"pesq": ("pesq_wb",)}
        lacking = [Missing(item, dict.fromkeys(of_spec, columns)) for item in listed]
        for shard in shards(Run(path), lacking, {}):
            assert all(task.bitstream is not None for task in shard.tasks)
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


def measured(name: str, path: Path, utterances: int, codecs: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--utterances", str(utterances), "--codecs", str(codecs)]
    done = subprocess.run(
        [*command, "--folder", str(path), "--step", name],
        check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    result: dict[str, float] = json.loads(done.stdout)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--utterances", type=int, default=5000)
    parser.add_argument("--codecs", type=int, default=10)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    size = arguments.utterances, arguments.codecs
    if arguments.step:
        print(json.dumps(step(arguments.step, arguments.folder, *size)))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        listed, codecs, selection = request(*size)
        write_manifest(path, codecs, selection)
        rows = fill(path, plan(Run(path), listed, codecs, selection), selection)
        print(f"{rows} rows, {len(listed) * len(codecs)} bitstreams,", _parts(path))
        print(f"{'':20} {'wall s':>8} {'CPU s':>8} {'peak MB':>8}")
        for name in STEPS:
            found = measured(name, path, *size)
            print(f"{name:20} {found['wall']:8.2f} {found['cpu']:8.2f} {found['peak']:8.0f}")
            if name == "compact":
                print("then", _parts(path))


def _parts(path: Path) -> str:
    return f"{len(parts(path / ROWS))} + {len(parts(path / BITSTREAMS))} parts"


if __name__ == "__main__":
    main()
