"""How often 95 % intervals hold the truth, and tables of equal codecs hold a finding.

python benchmarks/interval_coverage.py --trials 2000

Speakers and utterances are drawn from models whose truth is known. `--run FOLDER` prints how much
of a run's variance lies between its speakers, which the models are set by.
"""

from __future__ import annotations

import argparse
import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from codecbench.statistics.bjontegaard import Curve, delta_metric, delta_rate
from codecbench.statistics.intervals import Interval, ratio_interval
from codecbench.statistics.ranking import rank
from codecbench.statistics.sign_flip import sign_flips

Array = npt.NDArray[np.float64]
Generator = np.random.Generator

EQUAL = 5
"""Utterances of every speaker."""
UNEQUAL = (1, 1, 1, 1, 1, 4, 7, 7, 7, 7, 7, 8, 8)
"""Utterances of the speakers of the LibriSpeech leaderboard."""
OF_ONE_SPEAKER = 20
CODECS = 6


@dataclass(frozen=True)
class Sample:
    """Numerators, denominators and speakers of utterances, and what they estimate."""

    numerators: Array
    denominators: Array
    speakers: npt.NDArray[np.int64]
    truth: float
    of_speaker: Array


def normal(rng: Generator, sizes: npt.NDArray[np.int64]) -> Sample:
    """Like PESQ: three quarters of the variance lie between speakers."""
    who = np.repeat(np.arange(len(sizes)), sizes)
    voices = math.sqrt(0.76) * rng.normal(size=len(sizes))
    values = voices[who] + math.sqrt(0.24) * rng.normal(size=len(who))
    return Sample(values, np.ones(len(who)), who, 0.0, voices)


def skewed(rng: Generator, sizes: npt.NDArray[np.int64]) -> Sample:
    """Like STOI: log-normal below a ceiling, skewness -2."""
    who = np.repeat(np.arange(len(sizes)), sizes)
    voices, spread = 0.34 * rng.normal(size=len(sizes)), 0.40
    values = -np.exp(voices[who] + spread * rng.normal(size=len(who)))
    truth = -math.exp((0.34**2 + spread**2) / 2)
    return Sample(values, np.ones(len(who)), who, truth, -np.exp(voices + spread**2 / 2))


def errors(rng: Generator, sizes: npt.NDArray[np.int64]) -> Sample:
    """Like WER: errors / words, 5 %, speakers and utterances unequally hard."""
    who = np.repeat(np.arange(len(sizes)), sizes)
    voices = rng.gamma(2.0, 0.05 / 2, len(sizes))
    words = rng.integers(4, 35, len(who)).astype(np.float64)
    wrong = rng.poisson(voices[who] * rng.gamma(1.0, 1.0, len(who)) * words).astype(np.float64)
    return Sample(wrong, words, who, 0.05, voices)


MODELS = {"normal": normal, "skewed": skewed, "error rate": errors}


def speakers_of(rng: Generator, count: int, unequal: bool) -> npt.NDArray[np.int64]:
    """Return how many utterances each speaker says."""
    if count == 1:
        return np.array([OF_ONE_SPEAKER])
    return rng.choice(UNEQUAL, count) if unequal else np.full(count, EQUAL)


def holds(interval: Interval, truth: float) -> bool:
    """Whether the truth lies in an interval; one that is missing holds nothing."""
    low, high = interval.low, interval.high
    return low is not None and high is not None and low <= truth <= high


def coverage(
    model: Callable[[Generator, npt.NDArray[np.int64]], Sample],
    count: int,
    *,
    unequal: bool,
    trials: int,
) -> tuple[float, float]:
    """Return the share of intervals that hold the truth: by speakers, and by utterances.

    Of one speaker, the truth is that speaker's own mean.
    """
    rng = np.random.default_rng([count, unequal])
    held = np.zeros(2)
    for _ in range(trials):
        one = model(rng, speakers_of(rng, count, unequal))
        truth = one.truth if count > 1 else float(one.of_speaker[0])
        parts = one.numerators, one.denominators
        # What the utterances would say, were they independent: t over utterances.
        naive = ratio_interval(*parts, np.zeros(len(one.speakers)))
        held += holds(ratio_interval(*parts, one.speakers), truth), holds(naive, truth)
    return float(held[0] / trials), float(held[1] / trials)


def two_curves(rng: Generator, count: int, gain: float) -> tuple[Curve, Curve, Array]:
    """Return two codecs at four rates, `gain` apart in a metric that rises 0.5 an octave."""
    who = np.repeat(np.arange(count), EQUAL)
    seconds = rng.uniform(2, 15, len(who))
    voices = rng.normal(0, 0.35, count)[who] + rng.normal(0, 0.2, len(who))
    curves = []
    for name, more in (("old", 0.0), ("new", gain)):
        rates = 6000 * 2.0 ** np.arange(4)[:, None] * rng.uniform(0.97, 1.03, len(who))
        own = rng.normal(0, 0.1, count)[who] + rng.normal(0, 0.05, (4, len(who)))
        scores = 2 + 0.5 * np.log2(rates / 6000) + voices + own + more
        curves.append(Curve(name, rates * seconds, seconds, scores, np.ones_like(scores)))
    return curves[0], curves[1], who


def coverage_of_deltas(count: int, trials: int) -> tuple[float, float]:
    """Return the shares of delta rates and delta metrics whose interval holds the truth."""
    rng, gain = np.random.default_rng(count), 0.1
    rate = 100 * (2 ** (-gain / 0.5) - 1)
    held = np.zeros(2)
    for _ in range(trials):
        old, new, who = two_curves(rng, count, gain)
        held += (
            holds(delta_rate(old, new, who).interval, rate),
            holds(delta_metric(old, new, who).interval, gain),
        )
    return float(held[0] / trials), float(held[1] / trials)


def scores_of_codecs(rng: Generator, count: int, qualities: Array, *, skew: bool) -> Array:
    """Return speakers' sums of codecs of given qualities, shape (codecs, speakers, 2)."""
    sizes = speakers_of(rng, count, unequal=True)
    likes = rng.normal(0, 1, (len(qualities), count))
    if skew:
        likes = (np.exp(likes) - math.exp(0.5)) / 2
    noise = rng.normal(0, 1, likes.shape) / np.sqrt(sizes)
    return np.stack(
        [sizes * (qualities[:, None] + likes + noise), np.broadcast_to(sizes, likes.shape)], axis=-1
    )


def false_findings(count: int, trials: int, *, equal: int, skew: bool) -> tuple[float, float]:
    """Return the shares of tables with a pair of equal codecs told apart: by maxT, by Holm.

    `equal` codecs of a table of six are equally good, the others far apart.
    """
    rng = np.random.default_rng([count, equal, skew])
    qualities = np.concatenate([np.zeros(equal), 3.0 * np.arange(1, CODECS - equal + 1)])
    pairs = np.array(list(itertools.combinations(range(CODECS), 2)))
    alike = (pairs < equal).all(axis=1)
    found = np.zeros(2)
    for _ in range(trials):
        sums = scores_of_codecs(rng, count, qualities, skew=skew)
        gaps = (sums[pairs[:, 0]] - sums[pairs[:, 1]])[..., :1]
        first = np.concatenate([gaps, sums[pairs[:, 0]][..., 1:]], axis=-1)
        for at, adjust in enumerate(("maxT", "holm")):
            adjusted = sign_flips(first, first * [0.0, 1.0], adjust).adjusted
            found[at] += (adjusted[alike] < 0.05).any()
    return float(found[0] / trials), float(found[1] / trials)


def coverage_of_ranks(count: int, trials: int) -> float:
    """Return the share of tables all of whose rank intervals hold the true ranks."""
    rng = np.random.default_rng([count, 7])
    qualities = np.array([0.0, 0.05, 0.1, 1.5, 1.55, 3.0])
    held = 0
    for _ in range(trials):
        sums = scores_of_codecs(rng, count, qualities, skew=False)
        ranks = rank(sums, np.arange(count), better="higher", pooled=True).ranks
        held += all(low <= CODECS - at <= high for at, (low, high) in enumerate(ranks))
    return held / trials


def between_speakers(run: Path) -> Iterator[str]:
    """Say how much of the variance of each codec's scores lies between speakers (ANOVA)."""
    from codecbench.results.run_folder import load_run

    frame = load_run(run).frame()
    frame = frame[frame["error"].isna() & (frame["codec"] != "reference")]
    for metric, rows in frame.groupby("metric", observed=True):
        shares = [_share(one["value"], one["speaker"]) for _, one in rows.groupby("codec")]
        known = [share for share in shares if math.isfinite(share)]
        if known:
            yield f"{metric}: {np.median(known):.2f} (median of {len(known)} codecs)"


def _share(values: object, speakers: object) -> float:
    scores, (_, who) = np.asarray(values, float), np.unique(speakers, return_inverse=True)
    sizes = np.bincount(who)
    count, total = len(sizes), len(scores)
    if count < 3 or total == count or not scores.std() > 0:
        return math.nan
    means = np.bincount(who, scores) / sizes
    within = ((scores - means[who]) ** 2).sum() / (total - count)
    between = (sizes * (means - scores.mean()) ** 2).sum() / (count - 1)
    variance = (between - within) / ((total - (sizes**2).sum() / total) / (count - 1))
    return float(variance / (variance + within))


def shown(share: float, trials: int) -> str:
    """Write a share in percent with its Monte-Carlo standard error."""
    return f"{100 * share:5.1f} ±{100 * math.sqrt(share * (1 - share) / trials):.1f}"


def print_means(counts: list[int], trials: int) -> None:
    print(f"{'mean or ratio':24} {'speakers':>8} {'interval':>11} {'naive':>14}")
    for (name, model), unequal, count in itertools.product(MODELS.items(), (False, True), counts):
        if count == 1 and unequal:
            continue
        found = coverage(model, count, unequal=unequal, trials=trials)
        label = f"{name}, {'unequal' if unequal else 'equal'} speakers" if count > 1 else name
        print(f"{label:24} {count:8} {shown(found[0], trials):>11} {shown(found[1], trials):>14}")


def print_deltas(counts: list[int], trials: int) -> None:
    print(f"\n{'Bjøntegaard delta':24} {'speakers':>8} {'rate':>11} {'metric':>14}")
    for count in counts:
        rate, gain = coverage_of_deltas(count, trials)
        print(f"{'':24} {count:8} {shown(rate, trials):>11} {shown(gain, trials):>14}")


def print_findings(counts: list[int], trials: int) -> None:
    print(f"\n{'tables with false find.':24} {'speakers':>8} {'maxT':>11} {'Holm':>14}")
    for equal, skew, count in itertools.product((CODECS, 3), (False, True), counts):
        found = false_findings(count, trials, equal=equal, skew=skew)
        label = f"{equal} of {CODECS} equal, {'skewed' if skew else 'normal'}"
        print(f"{label:24} {count:8} {shown(found[0], trials):>11} {shown(found[1], trials):>14}")


def print_ranks(counts: list[int], trials: int) -> None:
    print(f"\n{'all ranks of a table':24} {'speakers':>8} {'held':>11}")
    for count in counts:
        print(f"{'':24} {count:8} {shown(coverage_of_ranks(count, trials), trials):>11}")


PARTS = {
    "means": (print_means, [1, 5, 13, 40]),
    "deltas": (print_deltas, [5, 13, 40]),
    "findings": (print_findings, [6, 13, 40]),
    "ranks": (print_ranks, [6, 13, 40]),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--part", choices=PARTS, action="append")
    parser.add_argument("--speakers", type=int, nargs="+")
    parser.add_argument("--run", type=Path)
    arguments = parser.parse_args()
    if arguments.run:
        print("\n".join(between_speakers(arguments.run)))
        return
    for name in arguments.part or PARTS:
        show, counts = PARTS[name]
        show(arguments.speakers or counts, arguments.trials)


if __name__ == "__main__":
    main()
