"""The plan: which (utterance, codec, metric column) a run folder still lacks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..codec import CodecBase
from ..corpora.base import Utterance
from ..results.run_folder import BITSTREAMS, ROWS, Run
from ..results.schema import REFERENCE, StoredBitstream, parts
from .selection import MetricSelection
from .tasks import CodecTask, Shard

Key = tuple[str, str, str]
Columns = dict[str, tuple[str, ...]]

_MASK_BITS = 60
_FETCH_BLOCK = 64
"""Utterances whose kept bitstreams are fetched in one query."""


@dataclass(frozen=True)
class Missing:
    """What one utterance lacks: for each codec, the columns of each metric."""

    utterance: Utterance
    of_codec: dict[str, Columns]


def wanted(
    utterance: Utterance, codecs: Mapping[str, CodecBase], selection: MetricSelection
) -> dict[str, Columns]:
    """Return the columns of each metric wanted for an utterance, by codec and for the reference."""
    result: dict[str, Columns] = {}
    for name, card in [(REFERENCE, None), *((spec, codec.card) for spec, codec in codecs.items())]:
        columns = {
            spec: selection.columns(spec, utterance, card, reference=name == REFERENCE)
            for spec in selection.metrics
        }
        kept = {spec: names for spec, names in columns.items() if names}
        if kept:
            result[name] = kept
    return result


def plan(
    run: Run,
    utterances: Sequence[Utterance],
    codecs: Mapping[str, CodecBase],
    selection: MetricSelection,
    retry_failed: bool = False,
    repaired: frozenset[Key] = frozenset(),
) -> list[Missing]:
    """List what is missing, in the order of the utterances.

    Parameters
    ----------
    run : Run
    utterances : sequence of Utterance
        With their evaluation rate set.
    codecs : mapping of canonical spec to codec
    selection : MetricSelection
    retry_failed : bool
        Count failed rows as missing.
    repaired : set of utterance keys
        Utterances all of whose failed rows count as missing.
    """
    done = _Done(run, selection, retry_failed, repaired)
    result = []
    wanted_by_kind: dict[tuple[object, ...], dict[str, Columns]] = {}
    for utterance in utterances:
        # Utterances alike in all that `applicable` may ask about share one answer.
        kind = (utterance.corpus, utterance.language, utterance.transcript is None, utterance.rate)
        if kind not in wanted_by_kind:
            wanted_by_kind[kind] = wanted(utterance, codecs, selection)
        lacking = {
            codec: left
            for codec, columns in wanted_by_kind[kind].items()
            if (left := done.lacking(utterance.key, codec, columns))
        }
        if lacking:
            result.append(Missing(utterance, lacking))
    return result


class _Done:
    """The columns that are there, as one bit mask for each utterance and codec."""

    def __init__(
        self,
        run: Run,
        selection: MetricSelection,
        retry_failed: bool,
        repaired: frozenset[Key],
    ) -> None:
        keys = [
            (spec, column.name)
            for spec, metric in selection.metrics.items()
            for column in metric.columns
        ]
        self._index = {key: number for number, key in enumerate(keys)}
        self._masks: dict[tuple[str, str, str, str], int] = {}
        if parts(run.path / ROWS):
            for start in range(0, len(keys), _MASK_BITS):
                self._load(run, keys[start : start + _MASK_BITS], start, retry_failed, repaired)

    def _load(
        self,
        run: Run,
        keys: list[tuple[str, str]],
        start: int,
        retry_failed: bool,
        repaired: frozenset[Key],
    ) -> None:
        with run.connection() as database:
            database.execute("CREATE TABLE keys (spec VARCHAR, name VARCHAR, bit BIGINT)")
            database.executemany(
                "INSERT INTO keys VALUES (?, ?, ?)",
                [(spec, name, 1 << number) for number, (spec, name) in enumerate(keys)],
            )
            database.execute("CREATE TABLE repaired (c VARCHAR, s VARCHAR, u VARCHAR)")
            if repaired:
                database.executemany("INSERT INTO repaired VALUES (?, ?, ?)", sorted(repaired))
            found = database.execute(
                """
                SELECT corpus, split, utterance, codec, bit_or(bit)
                FROM rows JOIN keys ON metric_spec = spec AND metric = name
                WHERE error IS NULL OR NOT (
                    ? OR (corpus, split, utterance) IN (SELECT (c, s, u) FROM repaired))
                GROUP BY ALL
                """,
                [retry_failed],
            ).fetchall()
        for *key, mask in found:
            whole = tuple(key)
            self._masks[whole] = self._masks.get(whole, 0) | (mask << start)

    def lacking(self, utterance: Key, codec: str, columns: Columns) -> Columns:
        mask = self._masks.get((*utterance, codec), 0)
        left = {
            spec: tuple(name for name in names if not mask >> self._index[spec, name] & 1)
            for spec, names in columns.items()
        }
        return {spec: names for spec, names in left.items() if names}


def shards(
    run: Run, missing: Sequence[Missing], delays: Mapping[str, int | None]
) -> Iterator[Shard]:
    """Yield a shard for each utterance, with the bitstreams that were kept for it.

    Parameters
    ----------
    run : Run
    missing : sequence of Missing
    delays : mapping of codec spec to delay
        Delays to remove where they are not the card's.
    """
    for start in range(0, len(missing), _FETCH_BLOCK):
        block = missing[start : start + _FETCH_BLOCK]
        kept = _kept_bitstreams(run, [item.utterance.key for item in block])
        for number, item in enumerate(block, start):
            tasks = tuple(
                CodecTask(codec, columns, delays.get(codec), kept.get((*item.utterance.key, codec)))
                for codec, columns in item.of_codec.items()
            )
            yield Shard(number, item.utterance, tasks)


def _kept_bitstreams(
    run: Run, keys: Sequence[Key]
) -> dict[tuple[str, str, str, str], StoredBitstream]:
    if not parts(run.path / BITSTREAMS):
        return {}
    with run.connection() as database:
        database.execute("CREATE TABLE wanted (c VARCHAR, s VARCHAR, u VARCHAR)")
        database.executemany("INSERT INTO wanted VALUES (?, ?, ?)", list(keys))
        found = database.execute(
            """
            SELECT codec, corpus, split, utterance, seconds, data FROM bitstreams
            WHERE (corpus, split, utterance) IN (SELECT (c, s, u) FROM wanted)
            """
        ).fetchall()
    records = (StoredBitstream(*record) for record in found)
    return {(item.corpus, item.split, item.utterance, item.codec): item for item in records}
