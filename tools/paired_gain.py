"""Prints how much a codec gains over another, metric by metric, with paired 95 % intervals.

    python tools/paired_gain.py "audiodec:vocoder=nano" audiodec runs/neural-librispeech ...

Means over utterances are compared, and pooled ratios where a metric has them; one column a run.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

import codecbench
from codecbench.registry import codec_of
from codecbench.results.frames import scores_of
from codecbench.statistics.paired import (
    Difference,
    paired_difference,
    paired_ratio_difference,
)

NOTHING = "–"
"""Where no utterance was scored."""


def difference(frame: pd.DataFrame, first: str, second: str, metric: str) -> Difference | None:
    """Compare two codecs on the utterances that both scored; None if there are none."""
    one, other = scores_of(frame, first, metric), scores_of(frame, second, metric)
    common = one.index.intersection(other.index)
    one, other = one.loc[common], other.loc[common]
    if one.empty:
        return None
    if one.numerator.notna().all():
        return paired_ratio_difference(
            (one.numerator, one.denominator), (other.numerator, other.denominator), one.speaker
        )
    return paired_difference(one["value"], other["value"], one.speaker)


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("first")
    parser.add_argument("second")
    parser.add_argument("runs", nargs="+", type=Path)
    options = parser.parse_args()
    first, second = (codec_of(spec).spec for spec in (options.first, options.second))
    frames = {path.name: codecbench.load_run(path).frame() for path in options.runs}
    for name, frame in frames.items():
        missing = {first, second} - set(frame.codec)
        if missing:
            parser.error(f"{name} has no {missing.pop()}; it has {', '.join(frame.codec.unique())}")
    metrics = list(dict.fromkeys(name for frame in frames.values() for name in frame.metric))
    print("|".join(["", " metric ", *(f" {name} " for name in frames), ""]))
    print("|".join(["", *[" --- "] * (1 + len(frames)), ""]))
    for metric in metrics:
        found = [difference(f, first, second, metric) for f in frames.values()]
        if any(one is not None for one in found):
            print(
                "|".join(
                    [
                        "",
                        f" {metric} ",
                        *(f" {one.worded() if one else NOTHING} " for one in found),
                        "",
                    ]
                )
            )


if __name__ == "__main__":
    main()
