"""What PSCodec's prompts do: an utterance's own, another one's of the speaker, another speaker's.

    python benchmarks/pscodec_prompts.py --codec pscodec:kbps=1 --codec pscodec --corpus librispeech

The same packets are decoded with three prompts. Scores are against the utterance itself; similarity
to the prompt is against the utterance that the prompt was taken from. The change from the own
prompt is paired; intervals are of 95 %, over speakers.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from codecbench.audio import Audio
from codecbench.corpora.base import Utterance
from codecbench.errors import MetricError, UserError
from codecbench.protocol import restore
from codecbench.registry import load_codec, load_corpus, load_metric
from codecbench.statistics.intervals import mean_interval
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
    """Decode every utterance with each prompt and score it; what fails is NaN."""
    scores: Scores = {}
    for one in given:
        reference = one.utterance.audio()
        sent = codec.encode(reference.resampled(codec.card.sample_rate))
        for label, source in one.prompts.items():
            swapped = codec.with_prompt(sent, codec.prompt_of(source.audio()))
            signal = restore(codec, swapped).resampled(RATE).fitted(len(reference))
            for metric in (*quality, similarity):
                for column, value in measured(metric, reference, signal).items():
                    scores.setdefault((label, column), []).append(value)
            for column, value in measured(similarity, source.audio(), signal).items():
                scores.setdefault((label, f"{column} to prompt"), []).append(value)
    return scores


def measured(metric: Any, reference: Audio, signal: Audio) -> dict[str, float]:
    """Return the columns of a metric; NaN where it gives none."""
    try:
        return {column: score.value for column, score in metric.measure(reference, signal).items()}
    except MetricError as error:
        print(f"no {metric.name}: {error}", file=sys.stderr)
        return dict.fromkeys(metric.selected, float("nan"))


def show(spec: str, scores: Scores, speakers: list[str]) -> None:
    """Print one row a column and prompt, on the utterances that have it with all prompts."""
    for column in dict.fromkeys(column for _, column in scores):
        labels = [label for label, other in scores if other == column]
        table = np.array([scores[label, column] for label in labels])
        there = np.isfinite(table).all(axis=0)
        kept = np.asarray(speakers)[there]
        for label, values in zip(labels, table[:, there], strict=True):
            change = (
                "" if label == OWN else paired_difference(values, table[0, there], kept).worded()
            )
            cells = [spec, column, label, str(there.sum()), mean_interval(values, kept).worded()]
            print("|", " | ".join([*cells, change]), "|")


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
    print("| codec | column | prompt | n | mean | change |\n| --- | --- | --- | --- | --- | --- |")
    for spec in options.codec or ["pscodec"]:
        codec: Any = load_codec(spec)
        for note in codec.card.notes:
            print(f"{codec.spec}: {note}", file=sys.stderr)
        show(codec.spec, scored(codec, given, quality, similarity), speakers)


if __name__ == "__main__":
    main()
