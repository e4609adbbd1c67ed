"""Rankings of a run: ranks with intervals, wins, ties and losses, and who beats whom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import UserError
from ..metric import Column
from ..results.run_folder import Run
from ..results.schema import REFERENCE
from ..statistics.ranking import Ranking, rank
from ..statistics.sign_flip import Adjustment
from .labels import short_labels
from .layout import heading_of, number
from .plain_table import PlainTable
from .scores import aligned, usable_rows

if TYPE_CHECKING:
    import pandas as pd

_ADJUSTMENTS = {"maxT": "step-down maxT", "holm": "Holm"}
_NOTES = (
    "two codecs are told apart if the 95 % interval of their paired difference excludes zero and"
    " the p-value of the sign-flip test over speakers, adjusted for all pairs of a table ({}), is"
    " below 5 %",
    "ranks: between which ranks each codec lies; all of a table hold together with 95 % confidence",
    "who beats whom: a sign for each codec in the order of the table; + beats it, - is beaten by"
    " it, · not told apart",
)
_SIGNS = {1: "+", -1: "-", 0: "·"}


@dataclass(frozen=True)
class RankedColumn:
    """The ranking of one metric in one corpus.

    Parameters
    ----------
    corpus : str
    name : str
    column : Column
    labels, specs : list of str
        Of the codecs, in the order of the ranking's arrays.
    utterances, speakers : int
        What it rests on.
    ranking : Ranking
    """

    corpus: str
    name: str
    column: Column
    labels: list[str]
    specs: list[str]
    utterances: int
    speakers: int
    ranking: Ranking


def notes_of(adjust: Adjustment = "maxT") -> list[str]:
    """Explain the tables of a ranking."""
    return [note.format(_ADJUSTMENTS[adjust]) for note in _NOTES]


def rankings_of(
    run: Run,
    metrics: Sequence[str],
    *,
    include_seen_speakers: bool = False,
    adjust: Adjustment = "maxT",
) -> list[RankedColumn]:
    """Rank the codecs of a run by each metric, corpus by corpus.

    Anchors and the reference take no part.

    Parameters
    ----------
    run : Run
    metrics : sequence of str
        Columns.
    include_seen_speakers : bool
        Keep rows whose speaker a codec's weights were trained on.
    adjust : {"maxT", "holm"}
        How p-values are adjusted for all pairs of a table.

    Raises
    ------
    UserError
        If a column has no direction, or no corpus has two codecs with a score of it.
    """
    for name in metrics:
        if run.columns[name].better is None:
            raise UserError(f"{name} has no direction, so codecs cannot be ranked by it")
    anchors = [spec for spec, card in run.cards.items() if card.get("anchor")]
    frame = run.frame(details=True, metrics=metrics)
    frame = frame[~frame["codec"].isin([REFERENCE, *anchors])]
    if not include_seen_speakers:
        frame = frame[~frame["speaker_seen_in_training"]]
    found = [
        ranked
        for name in metrics
        for corpus, part in frame[frame["metric"] == name].groupby("corpus", observed=True)
        if (ranked := _ranked(run, str(corpus), name, part, adjust)) is not None
    ]
    if not found:
        raise UserError("no two codecs of this run have scores of one utterance to rank them by")
    return found


def _ranked(
    run: Run, corpus: str, name: str, frame: pd.DataFrame, adjust: Adjustment
) -> RankedColumn | None:
    column = run.columns[name]
    scores = aligned(frame, usable_rows(frame, column), column)
    place = {spec: at for at, spec in enumerate(run.order)}
    ranked = sorted(scores.ranked(), key=lambda index: place[scores.codecs[index]])
    common = scores.common()
    if len(ranked) < 2 or not common.any() or column.better is None:
        return None
    ranking = rank(
        scores.parts[ranked][:, common],
        scores.speakers[common],
        better=column.better,
        pooled=column.pooled,
        adjust=adjust,
    )
    specs = [scores.codecs[index] for index in ranked]
    labels = short_labels(specs, {spec: str(run.cards[spec].get("title", "")) for spec in specs})
    speakers = len(set(scores.speakers[common].tolist()))
    named = [labels[spec] for spec in specs]
    return RankedColumn(corpus, name, column, named, specs, int(common.sum()), speakers, ranking)


def tables_of(ranked: RankedColumn) -> Iterator[PlainTable]:
    """Yield the ranks of a column, and who beats whom."""
    heading = heading_of(ranked.name, ranked.column)
    value = f"{heading.title} ({heading.unit})" if heading.unit else heading.title
    title = (
        f"{heading.title}, corpus {ranked.corpus}: {ranked.utterances} utterances,"
        f" {ranked.speakers} speakers"
    )
    rows = tuple(
        (
            ranked.labels[codec],
            _span(ranked.ranking.ranks[codec]),
            number(float(ranked.ranking.values[codec]), ranked.column.digits),
            *map(str, ranked.ranking.counts[codec]),
        )
        for codec in ranked.ranking.order
    )
    yield PlainTable(title, ("codec", "ranks", value, "wins", "ties", "losses"), rows)
    beats = tuple(
        (ranked.labels[codec], "".join(_SIGNS[sign] for _, sign in _row(ranked, codec)))
        for codec in ranked.ranking.order
    )
    yield PlainTable("who beats whom", ("codec", "against all, in the same order"), beats, texts=2)


def _row(ranked: RankedColumn, codec: int) -> Iterator[tuple[int, int]]:
    """Yield the codecs, best first, and the verdict of one codec against each."""
    for other in ranked.ranking.order:
        yield other, int(ranked.ranking.verdicts[codec, other])


def _span(ranks: tuple[int, int]) -> str:
    return f"{ranks[0]}" if ranks[0] == ranks[1] else f"{ranks[0]}–{ranks[1]}"


def records_of(ranked: RankedColumn) -> Iterator[dict[str, Any]]:
    """Yield a record for each codec, best first."""
    for place, codec in enumerate(ranked.ranking.order, start=1):
        wins, ties, losses = ranked.ranking.counts[codec]
        low, high = ranked.ranking.ranks[codec]
        yield {
            "corpus": ranked.corpus,
            "metric": ranked.name,
            "codec": ranked.specs[codec],
            "place": place,
            "rank_low": low,
            "rank_high": high,
            "value": float(ranked.ranking.values[codec]),
            "wins": wins,
            "ties": ties,
            "losses": losses,
            "beats": [ranked.specs[other] for other, sign in _row(ranked, codec) if sign > 0],
            "utterances": ranked.utterances,
            "speakers": ranked.speakers,
        }
