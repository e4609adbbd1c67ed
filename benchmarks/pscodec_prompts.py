"""What PSCodec's prompts do: an utterance's own, another one's of the speaker, another speaker's.

    python benchmarks/pscodec_prompts.py --codec pscodec:kbps=1 --codec pscodec --corpus librispeech

The same packets are decoded with three prompts. Scores are against the utterance itself; similarity
to the prompt is against the utterance that the prompt was taken from. The change from the own
prompt is paired; intervals are of 95 %, over speakers.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from codecbench.corpora.base import Utterance
from codecbench.errors import UserError
from codecbench.protocol import restore
from codecbench.registry import load_codec, load_corpus, load_metric
from codecbench.statistics.intervals import Interval, mean_interval
from codecbench.statistics.paired import paired_difference
from codecbench.subset import ranked

RATE = 16_000
OWN = "own"
Scores = dict[tuple[str, str], list[float]]
"""A value an utterance, by prompt and column."""


@dataclass(frozen=True)
class Partners:
    """An utterance, another one of its speaker, and one of another speaker."""

    utterance: Utterance
    same: Utterance
    other: Utterance

    @property
    def prompts(self) -> dict[str, Utterance]:
        """Where prompts are taken from."""
        return {OWN: self.utterance, "same speaker": self.same, "other speaker": self.other}


def partners(utterances: Sequence[Utterance], count: int) -> list[Partners]:
    """Give utterances partners, those that follow first; speakers of one utterance are left out."""
    found = []
    for place, utterance in enumerate(utterances):
        rest = [*utterances[place + 1 :], *utterances[:place]]
        same = next((one for one in rest if one.speaker == utterance.speaker), None)
        other = next((one for one in rest if one.speaker != utterance.speaker), None)
        if same is not None and other is not None:
            found.append(Partners(utterance, same, other))
    if not found:
        raise UserError("no utterance has partners: two of a speaker and one of another are needed")
    return found[:count]


def scored(codec: Any, given: Sequence[Partners], quality: list[Any], similarity: Any) -> Scores:
    """Decode every utterance with each prompt and score it."""
    scores: Scores = {}
    for one in given:
        reference = one.utterance.audio()
        sent = codec.encode(reference.resampled(codec.card.sample_rate))
        for label, source in one.prompts.items():
            swapped = codec.with_prompt(sent, codec.prompt_of(source.audio()))
            signal = restore(codec, swapped).resampled(RATE).fitted(len(reference))
            for metric in (*quality, similarity):
                for column, score in metric.measure(reference, signal).items():
                    scores.setdefault((label, column), []).append(score.value)
            for column, score in similarity.measure(source.audio(), signal).items():
                scores.setdefault((label, f"{column} to prompt"), []).append(score.value)
    return scores


def worded(interval: Interval, sign: str = "") -> str:
    """Write a mean and its interval."""
    if interval.low is None or interval.high is None:
        return f"{interval.value:{sign}.3f}"
    return f"{interval.value:{sign}.3f} [{interval.low:{sign}.3f}, {interval.high:{sign}.3f}]"


def show(spec: str, scores: Scores, speakers: list[str]) -> None:
    """Print one row a column and prompt, as a Markdown table."""
    for label, column in sorted(scores, key=lambda key: key[1]):
        values = scores[label, column]
        cells = [spec, column, label, worded(mean_interval(values, speakers))]
        if label == OWN:
            cells.append("")
        else:
            change = paired_difference(values, scores[OWN, column], speakers)
            cells.append(worded(change.interval, "+"))
        print("|", " | ".join(cells), "|")


def main() -> None:
    """Print the table of all codecs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--codec", action="append")
    parser.add_argument("--corpus", default="librispeech")
    parser.add_argument("--data-root", type=Path)
    parser.add_argument("--subset", type=int, default=60)
    parser.add_argument("--metrics", default="pesq_wb,estoi")
    parser.add_argument("--similarity", default="spk_sim")
    options = parser.parse_args()
    utterances = ranked(load_corpus(options.corpus, options.data_root).utterances())
    given = partners([one.at_rate(RATE) for one in utterances], options.subset)
    quality = [load_metric(name) for name in options.metrics.split(",")]
    similarity = load_metric(options.similarity)
    speakers = [one.utterance.speaker for one in given]
    print(f"{len(given)} utterances, {len(np.unique(speakers))} speakers")
    print("| codec | column | prompt | mean | change |\n| --- | --- | --- | --- | --- |")
    for spec in options.codec or ["pscodec"]:
        codec = load_codec(spec)
        show(codec.spec, scored(codec, given, quality, similarity), speakers)


if __name__ == "__main__":
    main()
