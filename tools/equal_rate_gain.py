"""Prints how much a codec gains over another one at its own counted rate, with paired intervals.

    python tools/equal_rate_gain.py "pscodec:kbps=1|2|4" "soundstream:kbps=0.8|1.6|3.2|4.8" RUN ...

The other codec's score is interpolated for each utterance between its two rates around the first
one's, along the logarithm of the counted rate: side information makes short utterances dearer,
and each is compared at what it cost. With --seconds 15 the first codec costs what an utterance of
15 s would. Rates beyond the other codec's are refused.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

import codecbench
from codecbench.registry import codec_of
from codecbench.spec import expand_spec
from codecbench.statistics.paired import paired_difference

KEY = ["corpus", "split", "utterance"]


def column(frame: pd.DataFrame, codec: str, metric: str) -> pd.DataFrame:
    """Return one codec's scores of one metric by utterance."""
    rows = frame[(frame.codec == codec) & (frame.metric == metric) & frame.value.notna()]
    return rows.set_index(KEY).sort_index()


def costs(frame: pd.DataFrame, codec: str, seconds: float | None) -> pd.Series:
    """Return the counted rate of each utterance in kbit/s; as if it lasted so long, if given."""
    counted, main = column(frame, codec, "kbps"), column(frame, codec, "kbps_main")
    if seconds is None:
        return counted["value"]
    return main["value"] + (counted["numerator"] - main["numerator"]) / seconds


def interpolated(
    frame: pd.DataFrame, codecs: list[str], metric: str, wanted: pd.Series
) -> pd.DataFrame:
    """Return what codecs of several rates would score at the wanted rates, by utterance."""
    rates = pd.concat({c: column(frame, c, "kbps")["value"] for c in codecs}, axis=1).dropna()
    scores = pd.concat({c: column(frame, c, metric)["value"] for c in codecs}, axis=1).dropna()
    common = rates.index.intersection(scores.index).intersection(wanted.index)
    rates, scores, wanted = rates.loc[common], scores.loc[common], wanted.loc[common]
    if (wanted < rates.min(axis=1)).any() or (wanted > rates.max(axis=1)).any():
        raise SystemExit(
            f"rates of {wanted.min():.2f} to {wanted.max():.2f} kbit/s lie outside those of"
            f" {codecs[0].partition(':')[0]}, {rates.min().min():.2f} to {rates.max().max():.2f}"
        )
    values = [
        np.interp(np.log(at), np.sort(np.log(x)), y[np.argsort(x)])
        for at, x, y in zip(wanted, rates.to_numpy(), scores.to_numpy(), strict=True)
    ]
    return pd.DataFrame({"value": values}, index=common)


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("first")
    parser.add_argument("second")
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--metrics", default="pesq_wb,estoi")
    parser.add_argument("--seconds", type=float)
    options = parser.parse_args()
    others = [codec_of(spec).spec for spec in expand_spec(options.second)]
    print("| run | codec | kbps | metric | it | the other | gain |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for path in options.runs:
        frame = codecbench.load_run(path).frame()
        for spec in expand_spec(options.first):
            codec = codec_of(spec).spec
            wanted = costs(frame, codec, options.seconds)
            for metric in options.metrics.split(","):
                other = interpolated(frame, others, metric, wanted)
                own = column(frame, codec, metric).loc[other.index]
                found = paired_difference(own["value"], other["value"], own["speaker"])
                low, high = found.interval.low, found.interval.high
                gain = f"{found.interval.value:+.3f} [{low:+.3f}, {high:+.3f}]"
                cells = (
                    path.name,
                    str(spec),
                    f"{wanted.mean():.3f}",
                    metric,
                    f"{own['value'].mean():.3f}",
                    f"{other['value'].mean():.3f}",
                    f"**{gain}**" if found.excludes_zero else gain,
                )
                print("| " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
