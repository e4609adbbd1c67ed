"""The plan: which (utterance, codec, metric column) a run folder still lacks, and which audio."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..codec import CodecBase
from ..corpora.base import Utterance
from ..results.codes import Codes, joined_keys
from ..results.kept_audio import KeptAudio
from ..results.kept_bitstreams import KeptBitstreams
from ..results.reading import row_groups
from ..results.run_folder import BITSTREAMS, ROWS, Run
from ..results.schema import REFERENCE, ROW_KEY, parts
from .selection import MetricSelection
from .tasks import CodecTask, Shard

if TYPE_CHECKING:
    import pyarrow as pa

Key = tuple[str, str, str]
Columns = dict[str, tuple[str, ...]]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Missing:
    """What one utterance lacks.

    Parameters
    ----------
    utterance : Utterance
    of_codec : dict
        For each codec, the columns of each metric; empty where only audio is to be kept.
    audio : dict of codec to Path
        Where decoded audio belongs that is not there yet.
    """

    utterance: Utterance
    of_codec: dict[str, Columns]
    audio: dict[str, Path] = field(default_factory=dict)


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
    audio: KeptAudio | None = None,
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
    audio : KeptAudio or None
        Where decoded audio is to be kept, if it is.

    Raises
    ------
    UserError
        If a part of the results is damaged.
    """
    done = _Done(run, utterances, codecs, selection)
    done.load(retry_failed, repaired)
    result = []
    wanted_by_kind: dict[tuple[object, ...], tuple[dict[str, Columns], Flags]] = {}
    for number, utterance in enumerate(utterances):
        # Utterances alike in all that `applicable` may ask about share one answer.
        kind = (utterance.corpus, utterance.language, utterance.transcript is None, utterance.rate)
        if kind not in wanted_by_kind:
            columns = wanted(utterance, codecs, selection)
            wanted_by_kind[kind] = columns, done.flags_of(columns)
        columns, flags = wanted_by_kind[kind]
        lacking: dict[str, Columns] = {}
        if (flags & ~done.flags[number]).any():
            lacking = done.lacking(number, columns)
        silent: dict[str, Path] = {}
        if audio is not None:
            able = [codec for codec in codecs if codec in lacking or done.has_score(number, codec)]
            silent = _audio_missing(audio, able, utterance.key)
        if lacking or silent:
            of_codec = lacking | {codec: {} for codec in silent if codec not in lacking}
            result.append(Missing(utterance, of_codec, silent))
    return result


def _audio_missing(audio: KeptAudio, codecs: Iterable[str], key: Key) -> dict[str, Path]:
    paths = {codec: audio.missing(codec, key) for codec in codecs}
    return {codec: path for codec, path in paths.items() if path is not None}


class _Done:
    """What is there: a flag for each utterance, codec and column of a metric.

    Parameters
    ----------
    run : Run
    utterances : sequence of Utterance
    codecs : collection of canonical specs
    selection : MetricSelection
    """

    def __init__(
        self,
        run: Run,
        utterances: Sequence[Utterance],
        codecs: Collection[str],
        selection: MetricSelection,
    ) -> None:
        self._folder = run.path / ROWS
        self._utterances = _numbered(utterance.key for utterance in utterances)
        self._codecs = _numbered([(REFERENCE,), *((codec,) for codec in codecs)])
        self._columns = _numbered(
            (spec, column.name)
            for spec, metric in selection.metrics.items()
            for column in metric.columns
        )
        self.flags = np.zeros(
            (len(self._utterances), len(self._codecs), len(self._columns)), np.bool_
        )
        self._scored = np.zeros(self.flags.shape[:2], np.bool_)

    def load(self, retry_failed: bool, repaired: frozenset[Key]) -> None:
        """Read which rows count as done; of equal keys the last decides."""
        again = np.array([retry_failed or key in repaired for key in self._utterances], np.bool_)
        columns = (*ROW_KEY, "error")
        for _, _, table in row_groups(parts(self._folder), columns, columns):
            utterance = _places(table, ("corpus", "split", "utterance"), self._utterances)
            codec = _places(table, ("codec",), self._codecs)
            column = _places(table, ("metric_spec", "metric"), self._columns)
            known = (utterance >= 0) & (codec >= 0) & (column >= 0)
            scored = table["error"].is_null().to_numpy()
            done = scored[known] | ~again[utterance[known]]
            self.flags[utterance[known], codec[known], column[known]] = done
            self._scored[utterance[known & scored], codec[known & scored]] = True

    def has_score(self, utterance: int, codec: str) -> bool:
        """Whether a column was scored, so that the codec can decode the utterance."""
        return bool(self._scored[utterance, self._codecs[codec,]])

    def flags_of(self, columns: Mapping[str, Columns]) -> Flags:
        """Return the columns of each codec as flags, shape (codecs, columns)."""
        flags = np.zeros(self.flags.shape[1:], np.bool_)
        for codec, of_codec in columns.items():
            for spec, names in of_codec.items():
                for name in names:
                    flags[self._codecs[codec,], self._columns[spec, name]] = True
        return flags

    def lacking(self, utterance: int, columns: Mapping[str, Columns]) -> dict[str, Columns]:
        """Return those columns of each codec that are not there."""
        found: dict[str, Columns] = {}
        for codec, of_codec in columns.items():
            flags = self.flags[utterance, self._codecs[codec,]].tolist()
            for spec, names in of_codec.items():
                left = tuple(name for name in names if not flags[self._columns[spec, name]])
                if left:
                    found.setdefault(codec, {})[spec] = left
        return found


def _numbered(keys: Iterable[tuple[str, ...]]) -> dict[tuple[str, ...], int]:
    return {key: number for number, key in enumerate(keys)}


def _places(
    table: pa.Table, names: Sequence[str], numbers: Mapping[tuple[str, ...], int]
) -> npt.NDArray[np.int64]:
    """Return the number of each row's key; -1 where it has none."""
    codes = [Codes() for _ in names]
    columns = [code.of(table[name]) for code, name in zip(codes, names, strict=True)]
    texts = [code.strings() for code in codes]
    keys = joined_keys([(column, len(text)) for column, text in zip(columns, texts, strict=True)])
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    of_distinct = [
        numbers.get(tuple(text[column[row]] for text, column in zip(texts, columns, strict=True)))
        for row in first
    ]
    found = np.array([-1 if number is None else number for number in of_distinct], np.int64)
    return found[inverse]


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
    wanted_keys = {key for item in missing for key in _bitstream_keys(item)}
    # Made when the first shard is asked for: what is written from then on is of no use here.
    kept = KeptBitstreams(run.path / BITSTREAMS, wanted_keys)
    for number, item in enumerate(missing):
        bitstreams = kept.of(_bitstream_keys(item))
        tasks = tuple(
            CodecTask(
                codec,
                columns,
                delays.get(codec),
                bitstreams.get((codec, *item.utterance.key)),
                item.audio.get(codec),
            )
            for codec, columns in item.of_codec.items()
        )
        yield Shard(number, item.utterance, tasks)


def _bitstream_keys(item: Missing) -> list[tuple[str, str, str, str]]:
    return [(codec, *item.utterance.key) for codec in item.of_codec if codec != REFERENCE]
