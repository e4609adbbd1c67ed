"""What each part of PSCodec is worth, trained anew under one small equal budget.

    python benchmarks/pscodec_ablation.py --out runs/ablation --steps 2000 --corpus librispeech

Every row is the recipe nano-base.toml, shortened to the same steps, data and seed, with one thing
changed. Trainings go on where they stopped, and `--only` takes some of them, so that several
processes can share the work. The table compares each row with Base on the same utterances; the
paired intervals are over speakers and hold for these weights: another seed is another training.
"""

from __future__ import annotations

import argparse
import copy
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import tomli_w

import codecbench
from codecbench.adapters.pscodec import PscodecCodec
from codecbench.adapters.training.trainer import train
from codecbench.registry import codec_of
from codecbench.statistics.intervals import Interval
from codecbench.statistics.paired import paired_difference

Change = Callable[[dict[str, Any]], None]
METRICS = ("pesq_wb", "estoi", "spk_sim")
BASE = "base"


def _without(*names: str) -> Change:
    def change(recipe: dict[str, Any]) -> None:
        for name in names:
            recipe["model"][name] = False

    return change


def _disentangled(recipe: dict[str, Any]) -> None:
    recipe["variant"] = "drl-ict"
    for stage, weight in zip(recipe["stages"][1:], DISENTANGLEMENT, strict=True):
        stage["losses"]["disentanglement"] = weight


def _attending(recipe: dict[str, Any]) -> None:
    recipe["variant"] = "casan"
    recipe["model"]["fusion"]["kind"] = "cascaded_attention"


DISENTANGLEMENT = (0.1,)
"""Weights of the loss in the stages behind the first one."""
CHANGES: dict[str, Change] = {
    BASE: lambda recipe: None,
    "no-voiceprint": _without("voiceprint"),
    "no-mel-prompt": _without("mel_prompt"),
    "no-prompts": _without("voiceprint", "mel_prompt"),
    "disentangled": _disentangled,
    "cascaded-attention": _attending,
}


def recipe_of(name: str, steps: int, folder: Path) -> Path:
    """Write the recipe of a row."""
    source = PscodecCodec.folder / "nano-base.toml"
    recipe = copy.deepcopy(tomllib.loads(source.read_text(encoding="utf-8")))
    total = sum(stage["steps"] for stage in recipe["stages"])
    for stage in recipe["stages"]:
        stage["steps"] = round(steps * stage["steps"] / total)
    recipe["selection"]["every"] = steps
    CHANGES[name](recipe)
    path = folder / f"{name}.toml"
    path.write_text(tomli_w.dumps(recipe), encoding="utf-8")
    return path


def spec_of(name: str, folder: Path, kbps: float) -> str:
    """Return the canonical spec of a trained row."""
    variant = tomllib.loads((folder / f"{name}.toml").read_text(encoding="utf-8"))["variant"]
    weights = folder / name / "weights.safetensors"
    return codec_of(f"pscodec:variant={variant},weights={weights},kbps={kbps:g}").spec


def worded(interval: Interval) -> str:
    """Write a difference and its interval, bold where the interval excludes zero."""
    assert interval.low is not None
    assert interval.high is not None
    text = f"{interval.value:+.3f} [{interval.low:+.3f}, {interval.high:+.3f}]"
    return f"**{text}**" if interval.low > 0 or interval.high < 0 else text


def show(frame: pd.DataFrame, specs: dict[str, str], kbps: float) -> None:
    """Print one row a training."""
    table = frame.set_index(["metric", "codec", "corpus", "split", "utterance"]).sort_index()
    for name, spec in specs.items():
        cells = [f"{kbps:g}", name]
        for metric in METRICS:
            own, base = table.loc[(metric, spec)], table.loc[(metric, specs[BASE])]
            own, base = own.align(base, join="inner", axis=0)
            if name == BASE:
                cells.append(f"{own['value'].mean():.3f}")
                continue
            change = paired_difference(own["value"], base["value"], own["speaker"])
            cells.append(worded(change.interval))
        print("|", " | ".join(cells), "|")


def main() -> None:
    """Train what is missing, run it, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--only", action="append", choices=list(CHANGES))
    parser.add_argument("--train-only", action="store_true")
    parser.add_argument("--corpus", default="librispeech")
    parser.add_argument("--subset", type=int, default=60)
    parser.add_argument("--kbps", type=float, action="append")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    names = options.only or list(CHANGES)
    for name in names:
        recipe = recipe_of(name, options.steps, options.out)
        train(recipe, PscodecCodec, {"out": options.out / name, "threads": 1})
    if options.train_only:
        return
    print("| kbps | trained | " + " | ".join(METRICS) + " |")
    print("| --- " * (2 + len(METRICS)) + "|")
    for kbps in options.kbps or (1.0, 2.0, 4.0):
        specs = {name: spec_of(name, options.out, kbps) for name in names}
        run = codecbench.run(
            list(specs.values()),
            corpus=options.corpus,
            metrics=METRICS,
            subset=options.subset,
            out=options.out / "run",
        )
        show(run.frame(), specs, kbps)


if __name__ == "__main__":
    main()
