"""The sentences under a table: what its numbers rest on and what a reader must know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..metric import Column
from ..results.schema import REFERENCE
from .bands import BAND
from .families import named

if TYPE_CHECKING:
    import pandas as pd

    from .table import Row

_INTERVALS = {
    "speaker bootstrap": "bootstrap of speakers",
    "speaker t": "t over speakers, as there are fewer than 20",
    "within one speaker": "within one speaker: t over utterances, nothing is known of others",
}


def notes_of(
    rows: Sequence[Row],
    columns: Mapping[str, Column],
    kept: pd.DataFrame,
    left_out: pd.DataFrame,
    cards: Mapping[str, Mapping[str, Any]],
    definitions: Sequence[str],
    conditions: Sequence[str],
    labels: Mapping[str, str],
) -> tuple[str, ...]:
    """Write the notes of a table.

    Parameters
    ----------
    rows : sequence of Row
    columns : mapping of str to Column
    kept : pandas.DataFrame
        Rows that the table rests on.
    left_out : pandas.DataFrame
        Rows left out because the codec was trained on their speaker.
    cards : mapping of str to dict
        `CodecCard.as_dict` by canonical spec.
    definitions : sequence of str
        Metric specs that are not the default.
    conditions : sequence of str
        Sentences about how all numbers were measured.
    labels : mapping of str to str
        Short names of the codecs by canonical spec.
    """
    return (
        *_about_intervals(rows, BAND in kept),
        *_about_pooling(columns),
        *_about_rates(kept),
        *_about_bands(kept),
        *conditions,
        *_about_common_utterances(rows, columns),
        *_about_the_reference(rows),
        *_about_anchors(rows, cards, labels),
        *_about_failures(rows, columns, labels),
        *about_seen_speakers(left_out, labels),
        *(f"not the default definition: {spec}" for spec in definitions),
        *_about_codecs(rows, cards, labels),
    )


def _about_intervals(rows: Sequence[Row], banded: bool) -> Iterator[str]:
    where: dict[str, set[tuple[str, ...]]] = {}
    for row in rows:
        for cell in row.cells.values():
            if cell.method in _INTERVALS:
                # Bands are of the same speech, so that they share the method.
                group = row.group[:-1] if banded else row.group
                where.setdefault(cell.method, set()).add(group)
    for method, text in _INTERVALS.items():
        if method in where:
            groups = sorted(" ".join(group) for group in where[method])
            place = f" ({', '.join(groups)})" if len(where) > 1 and any(groups) else ""
            yield f"± and [low, high]: 95 % interval, {text}{place}"


def _about_pooling(columns: Mapping[str, Column]) -> Iterator[str]:
    pooled = [column.title for column in columns.values() if column.pooled]
    if pooled:
        yield f"pooled over all utterances (sum / sum), not averaged: {', '.join(pooled)}"


def _about_rates(kept: pd.DataFrame) -> Iterator[str]:
    """Yield the rates at which reference and decoded speech were compared."""
    known = kept[kept["rate"].notna()]
    corpora: dict[str, list[str]] = {}
    for corpus, rate in sorted({*zip(known["corpus"], known["rate"], strict=True)}):
        corpora.setdefault(f"{int(rate)} Hz", []).append(str(corpus))
    if len(corpora) == 1:
        yield f"evaluation rate: {next(iter(corpora))}"
    elif corpora:
        texts = (f"{rate} ({', '.join(names)})" for rate, names in corpora.items())
        yield f"evaluation rates: {', '.join(texts)}"


def _about_bands(kept: pd.DataFrame) -> Iterator[str]:
    if BAND in kept:
        yield "bands: by counted bits over seconds, an edge belongs to the band below it"


def _about_common_utterances(rows: Sequence[Row], columns: Mapping[str, Column]) -> Iterator[str]:
    yield "codecs are compared on the utterances that all of them scored (n)"
    groups = _by_group(rows)
    for group, members in groups.items():
        for name, column in columns.items():
            cells = [row.cells[name] for row in members if not row.is_reference]
            most = max((cell.scored for cell in cells), default=0)
            common = max((cell.n for cell in cells), default=0)
            if common < most:
                place = f" ({' '.join(group)})" if len(groups) > 1 else ""
                yield f"{column.title}{place}: {common} utterances in common, a codec scored {most}"


def _about_the_reference(rows: Sequence[Row]) -> Iterator[str]:
    if any(row.is_reference for row in rows):
        yield f"{REFERENCE}: the uncoded speech's own scores, a ceiling that is not ranked"


def _about_anchors(
    rows: Sequence[Row], cards: Mapping[str, Mapping[str, Any]], labels: Mapping[str, str]
) -> Iterator[str]:
    present = dict.fromkeys(row.codec for row in rows)
    anchors = [labels[codec] for codec in present if cards.get(codec, {}).get("anchor")]
    if anchors:
        yield f"anchors, fixed points of the scale that are not ranked: {', '.join(anchors)}"


def _about_failures(
    rows: Sequence[Row], columns: Mapping[str, Column], labels: Mapping[str, str]
) -> Iterator[str]:
    """Yield a note for each codec, group and reason; metrics that share them stand together."""
    found: dict[tuple[str, str, int, str], list[str]] = {}
    several = len(_by_group(rows)) > 1
    for row in rows:
        group = " ".join(row.group) if several else ""
        for name, cell in row.cells.items():
            if cell.failures:
                key = (row.codec, group, cell.failures, cell.reason or "")
                found.setdefault(key, []).append(columns[name].title)
    for (codec, place, count, reason), titles in found.items():
        where = f" ({place})" if place else ""
        yield f"{labels[codec]}{where}: {count} failed in {', '.join(titles)}; most often: {reason}"


def about_seen_speakers(left_out: pd.DataFrame, labels: Mapping[str, str]) -> Iterator[str]:
    """Yield how many utterances of training speakers are left out, codec by codec."""
    utterances = left_out.drop_duplicates(["codec", "corpus", "split", "utterance"])
    speakers = left_out.drop_duplicates(["codec", "corpus", "speaker"])
    counts, voices = Counter(utterances["codec"]), Counter(speakers["codec"])
    for codec, count in counts.items():
        yield (
            f"{labels.get(codec, codec)}: {count} utterances of {voices[codec]} speakers that its"
            " weights were trained on are left out"
        )


def _about_codecs(
    rows: Sequence[Row], cards: Mapping[str, Mapping[str, Any]], labels: Mapping[str, str]
) -> Iterator[str]:
    """Yield what the codecs' cards say; codecs with the same note stand together."""
    found: dict[str, list[str]] = {}
    codecs = list(dict.fromkeys(row.codec for row in rows))
    for codec in codecs:
        card = cards.get(codec, {})
        weights = [f"weights {card['weights']}"] if card.get("weights") else []
        for note in (*weights, *card.get("notes", ())):
            found.setdefault(note, []).append(codec)
    for note, members in found.items():
        yield f"{', '.join(named(members, codecs, labels))}: {note}"


def _by_group(rows: Sequence[Row]) -> dict[tuple[str, ...], list[Row]]:
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(row.group, []).append(row)
    return groups
