"""Prints how much a codec gains over another one at its own counted rate, with paired intervals.

    python tools/equal_rate_gain.py "pscodec:kbps=1|2|4" "soundstream:kbps=0.8|1.6|3.2|4.8" RUN ...

The other codec's score is interpolated for each utterance between its two rates around the first
one's, along the logarithm of the counted rate: side information makes short utterances dearer,
and each is compared at what it cost. With --seconds 15 the first codec costs what an utterance of
15 s would. Rates beyond the other codec's are refused. Where quality bends downwards over the
logarithm of the rate the chord lies below it, and the gain is too high by that: give the other
codec rates that lie close around the first one's.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

import codecbench
from codecbench.registry import codec_of
from codecbench.results.frames import UTTERANCE, scores_of
from codecbench.spec import expand_spec
from codecbench.statistics.paired import paired_difference

HEAD = ("run", "codec", "rate", "between", "metric", "n", "it", "the other", "gain")


def costs(frame: pd.DataFrame, codec: str, seconds: float | None) -> pd.Series:
    """Return the counted rate of each utterance in kbit/s; as if it lasted so long, if given."""
    counted, main = scores_of(frame, codec, "kbps"), scores_of(frame, codec, "kbps_main")
    if seconds is None:
        return counted["value"]
    return main["value"] + (counted["numerator"] - main["numerator"]) / seconds


def by_codec(frame: pd.DataFrame, codecs: list[str], metric: str) -> pd.DataFrame:
    """Return scores of several codecs, one column a codec, of utterances that all of them have."""
    return pd.concat({c: scores_of(frame, c, metric)["value"] for c in codecs}, axis=1).dropna()


def interpolated(rates: pd.DataFrame, scores: pd.DataFrame, wanted: pd.Series) -> pd.Series:
    """Return what codecs of several rates would score at the wanted rates, by utterance.

    Parameters
    ----------
    rates, scores : DataFrame
        One column a codec; one row an utterance.
    wanted : Series
        One rate an utterance, in the same order.
    """
    outside = (wanted < rates.min(axis=1)) | (wanted > rates.max(axis=1))
    if outside.any():
        worst = outside.idxmax()
        raise SystemExit(
            f"utterance {worst[-1]} costs {wanted[worst]:.3f} kbit/s, outside the other codec's"
            f" {rates.loc[worst].min():.3f} to {rates.loc[worst].max():.3f}"
        )
    values = [
        np.interp(np.log(at), np.sort(np.log(x)), y[np.argsort(x)])
        for at, x, y in zip(wanted, rates.to_numpy(), scores.to_numpy(), strict=True)
    ]
    return pd.Series(values, index=wanted.index)


def row(
    frame: pd.DataFrame, codec: str, others: list[str], metric: str, seconds: float | None
) -> list[str]:
    """Compare on the utterances that all codecs scored; return the row's cells from the rate on."""
    own, wanted = scores_of(frame, codec, metric), costs(frame, codec, seconds)
    rates, scores = by_codec(frame, others, "kbps"), by_codec(frame, others, metric)
    common = own.index.intersection(wanted.index).intersection(rates.index)
    common = common.intersection(scores.index)
    if common.empty:
        raise SystemExit(f"no utterance has {metric} of {codec} and of the other codec")
    other = interpolated(rates.loc[common], scores.loc[common], wanted.loc[common])
    values = own.loc[common, "value"]
    found = paired_difference(values, other, own.loc[common, "speaker"])
    mean = wanted.loc[common].mean()
    typical = rates.loc[common].mean()
    between = f"{typical[typical <= mean].max():.2f}, {typical[typical >= mean].min():.2f}"
    count = f"{len(common)} of {frame[frame.codec == codec].groupby(UTTERANCE).ngroups}"
    scored = [f"{values.mean():.3f}", f"{other.mean():.3f}", found.worded()]
    return [f"{mean:.3f}", between, metric, count, *scored]


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
    print("| " + " | ".join(HEAD) + " |\n" + "| --- " * len(HEAD) + "|")
    for path in options.runs:
        frame = codecbench.load_run(path).frame()
        for spec in expand_spec(options.first):
            for metric in options.metrics.split(","):
                cells = row(frame, codec_of(spec).spec, others, metric, options.seconds)
                print("| " + " | ".join([path.name, str(spec), *cells]) + " |")


if __name__ == "__main__":
    main()
