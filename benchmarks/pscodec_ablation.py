"""What each part of PSCodec is worth, trained anew under one small equal budget.

    python benchmarks/pscodec_ablation.py --out runs/ablation --steps 2000 --corpus librispeech

Every row is the recipe nano-base.toml, shortened to the same steps, data and seed, with one thing
changed; the last weights are taken. The table compares each row with Base on the same utterances.
Prompts are not free: the counted rate of each row stands beside it. Paired intervals are over
speakers, not corrected for their number, and hold for these weights; the row `another-seed`, Base
trained again, shows what chance does to a training. `--only` trains some rows and prints no table,
so that several processes can share the work; trainings go on where they stopped.
"""

from __future__ import annotations

import argparse
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
from codecbench.results.frames import scores_of
from codecbench.statistics.paired import paired_difference

Change = Callable[[dict[str, Any]], None]
METRICS = ("pesq_wb", "estoi", "spk_sim")
BASE = "base"
DISENTANGLEMENT = 0.3
"""Weight of that loss behind the first stage, between those of nano-drl-ict.toml."""


def _without(*names: str) -> Change:
    def change(recipe: dict[str, Any]) -> None:
        for name in names:
            recipe["model"][name] = False

    return change


def _disentangled(recipe: dict[str, Any]) -> None:
    recipe["variant"] = "drl-ict"
    for stage in recipe["stages"][1:]:
        stage["losses"]["disentanglement"] = DISENTANGLEMENT


def _attending(recipe: dict[str, Any]) -> None:
    recipe["variant"] = "casan"
    recipe["model"]["fusion"]["kind"] = "cascaded_attention"


def _another_seed(recipe: dict[str, Any]) -> None:
    recipe["seed"] += 1


CHANGES: dict[str, Change] = {
    BASE: lambda recipe: None,
    "another-seed": _another_seed,
    "no-voiceprint": _without("voiceprint"),
    "no-mel-prompt": _without("mel_prompt"),
    "no-prompts": _without("voiceprint", "mel_prompt"),
    "disentangled": _disentangled,
    "cascaded-attention": _attending,
}


def write_recipe(name: str, steps: int, folder: Path) -> Path:
    """Write the recipe of a row."""
    source = PscodecCodec.folder / "nano-base.toml"
    recipe = tomllib.loads(source.read_text(encoding="utf-8"))
    total = sum(stage["steps"] for stage in recipe["stages"])
    for stage in recipe["stages"]:
        stage["steps"] = round(steps * stage["steps"] / total)
    del recipe["selection"]  # it would hand over weights of different steps
    CHANGES[name](recipe)
    path = folder / f"{name}.toml"
    path.write_text(tomli_w.dumps(recipe), encoding="utf-8")
    return path


def is_trained(recipe: Path, folder: Path) -> bool:
    """Whether a finished training of this very recipe lies in the folder."""
    # Without selection, weights are written at the end and not before.
    weights, copy = folder / "weights.safetensors", folder / "recipe.toml"
    return weights.exists() and copy.read_text("utf-8") == recipe.read_text("utf-8")


def specs_at(kbps: float, folder: Path) -> dict[str, str]:
    """Return the canonical specs of all trained rows at a rate."""
    found = {}
    for name in CHANGES:
        recipe = tomllib.loads((folder / f"{name}.toml").read_text(encoding="utf-8"))
        weights = folder / name / "weights.safetensors"
        spec = f"pscodec:variant={recipe['variant']},weights={weights},kbps={kbps:g}"
        found[name] = codec_of(spec).spec
    return found


def cell(frame: pd.DataFrame, codec: str, base: str, metric: str) -> str:
    """Write the mean of Base, or what another row differs from it on common utterances."""
    own, other = scores_of(frame, codec, metric), scores_of(frame, base, metric)
    common = own.index.intersection(other.index)
    own, other = own.loc[common], other.loc[common]
    if codec == base:
        return f"{own['value'].mean():.3f}"
    return paired_difference(own["value"], other["value"], own["speaker"]).worded()


def show(frame: pd.DataFrame, specs: dict[str, str]) -> None:
    """Print one row a training."""
    for name, spec in specs.items():
        counted = scores_of(frame, spec, "kbps")
        rate = counted["numerator"].sum() / counted["denominator"].sum()
        cells = [cell(frame, spec, specs[BASE], metric) for metric in METRICS]
        print("|", " | ".join([name, f"{rate:.3f}", *cells]), "|")


def main() -> None:
    """Train what is missing, run it, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--only", action="append", choices=list(CHANGES))
    parser.add_argument("--corpus", default="librispeech")
    parser.add_argument("--subset", type=int, default=60)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for name in options.only or CHANGES:
        recipe, folder = write_recipe(name, options.steps, options.out), options.out / name
        if not is_trained(recipe, folder):
            train(recipe, PscodecCodec, {"out": folder, "threads": 1})
    if options.only:
        return
    print("| trained | counted kbit/s |", " | ".join(METRICS), "|")
    print("| --- " * (2 + len(METRICS)) + "|")
    for kbps in (1.0, 2.0, 4.0):
        specs = specs_at(kbps, options.out)
        run = codecbench.run(
            list(specs.values()),
            corpus=options.corpus,
            metrics=["bitrate", *METRICS],
            subset=options.subset,
            out=options.out / "run",
        )
        show(run.frame(), specs)


if __name__ == "__main__":
    main()
