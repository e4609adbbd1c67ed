"""Scores one shard: the one boundary where any exception becomes a row with its reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from .. import protocol
from ..corpora.base import Utterance
from ..errors import CodecbenchError, UserError
from ..metric import Decoded, Metric, Score
from ..registry import metric_of
from ..results.kept_audio import write_kept
from ..results.schema import REFERENCE, Row, StoredBitstream
from .tasks import CodecResult, CodecTask, Shard, Step, WorkerSetup
from .transcode import Transcoder, seed

Report = Callable[[Step], None]


def reason(error: Exception) -> str:
    """Word an exception in one line; foreign ones carry their type."""
    text = " ".join(str(error).split())
    if isinstance(error, CodecbenchError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def decoded_or_reason(
    transcoder: Transcoder, task: CodecTask, utterance: Utterance
) -> Decoded | str:
    """Send an utterance through a codec; a codec's failure is its reason, whatever it is."""
    try:
        return transcoder.transcode(task, utterance)[0]
    except UserError:
        raise
    except Exception as error:  # noqa: BLE001 - as in a run, a codec's failure is not the end
        return reason(error)


class Scorer:
    """Keeps models loaded and scores shards one after the other.

    Parameters
    ----------
    setup : WorkerSetup
    report : callable
        Called with each `Step` before it is taken.
    """

    def __init__(self, setup: WorkerSetup, report: Report) -> None:
        self._device = setup.device
        self._report = report
        self._transcoder = Transcoder(setup.device, setup.packet_loss)
        self._metrics: dict[str, Metric] = {}
        for spec, columns in setup.metrics:
            metric = metric_of(spec)
            self._metrics[spec] = type(metric)(metric.config, selected=columns)
        self._ready: set[str] = set()

    def score(self, shard: Shard) -> Iterator[CodecResult]:
        """Yield a result for each codec task of a shard."""
        utterance = shard.utterance
        work = _UtteranceWork(utterance, _columns_by_metric(shard))
        try:
            for task in shard.tasks:
                if shard.estimate_delay:
                    yield self._delay(shard, task)
                else:
                    yield self._codec_result(shard, task, work)
        finally:
            utterance.forget()

    def _codec_result(self, shard: Shard, task: CodecTask, work: _UtteranceWork) -> CodecResult:
        self._report(Step(shard.number, task.codec))
        if task.codec == REFERENCE:
            seed(*shard.utterance.key, task.codec)
            return CodecResult(shard.number, REFERENCE, self._reference_rows(shard, task, work))
        stored: StoredBitstream | None = None
        try:
            decoded, stored = self._transcoder.transcode(task, shard.utterance)
        except UserError:
            raise
        except Exception as error:  # noqa: BLE001 - a codec's failure is a row, whatever it is
            rows = self._failure_rows(task, shard.utterance, reason(error))
            return CodecResult(shard.number, task.codec, rows)
        if task.audio_path is not None:
            write_kept(task.audio_path, decoded.audio)
        rows = []
        for spec, columns in task.columns.items():
            self._report(Step(shard.number, task.codec, spec))
            seed(*shard.utterance.key, task.codec, spec)
            scores = self._scores(spec, columns, work, decoded)
            rows += self._rows(task.codec, spec, columns, shard.utterance, scores)
        return CodecResult(shard.number, task.codec, rows, stored)

    def _delay(self, shard: Shard, task: CodecTask) -> CodecResult:
        """Estimate how far the codec's output lags its input on this utterance."""
        self._report(Step(shard.number, task.codec))
        stored: StoredBitstream | None = None
        try:
            decoded, stored = self._transcoder.transcode(task, shard.utterance, with_losses=False)
            raw = decoded.raw
            if raw is None:
                raise UserError(f"{task.codec} handed out no decoded audio")
            lag = protocol.estimate_delay(shard.utterance.audio().resampled(raw.sample_rate), raw)
        except UserError:
            raise
        except Exception:  # noqa: BLE001 - the scoring pass gives the reason as a row
            return CodecResult(shard.number, task.codec, bitstream=stored)
        return CodecResult(shard.number, task.codec, bitstream=stored, delay=lag)

    def _scores(
        self, spec: str, columns: tuple[str, ...], work: _UtteranceWork, decoded: Decoded
    ) -> dict[str, Score]:
        try:
            metric = work.narrowed(self._metric(spec))
            return metric.score(work.prepared(metric), decoded)
        except UserError:
            raise
        except Exception as error:  # noqa: BLE001 - a metric's failure is a row, whatever it is
            return dict.fromkeys(columns, Score.failed(reason(error)))

    def _reference_rows(self, shard: Shard, task: CodecTask, work: _UtteranceWork) -> list[Row]:
        rows = []
        for spec, columns in task.columns.items():
            self._report(Step(shard.number, task.codec, spec))
            try:
                metric = work.narrowed(self._metric(spec))
                scores = metric.score_reference(work.prepared(metric))
            except UserError:
                raise
            except Exception as error:  # noqa: BLE001 - a metric's failure is a row
                scores = dict.fromkeys(columns, Score.failed(reason(error)))
            rows += self._rows(task.codec, spec, columns, shard.utterance, scores)
        return rows

    def _failure_rows(self, task: CodecTask, utterance: Utterance, why: str) -> list[Row]:
        return [
            row
            for spec, columns in task.columns.items()
            for row in self._rows(
                task.codec, spec, columns, utterance, dict.fromkeys(columns, Score.failed(why))
            )
        ]

    def _rows(
        self,
        codec: str,
        spec: str,
        columns: tuple[str, ...],
        utterance: Utterance,
        scores: dict[str, Score],
    ) -> list[Row]:
        units = {column.name: column.unit for column in self._metrics[spec].columns}
        return [
            make_row(codec, spec, name, units[name], utterance, scores.get(name, _NO_SCORE))
            for name in columns
        ]

    def _metric(self, spec: str) -> Metric:
        metric = self._metrics[spec]
        if spec not in self._ready:
            metric.setup(self._device)
            self._ready.add(spec)
        return metric


_NO_SCORE = Score.failed("the metric gave no number for this column")


class _UtteranceWork:
    """Reference-side work of one utterance, done once for all codecs.

    Parameters
    ----------
    utterance : Utterance
    columns : dict of metric spec to columns
        What some codec needs; nothing is computed for other columns.
    """

    def __init__(self, utterance: Utterance, columns: dict[str, frozenset[str]]) -> None:
        self._utterance = utterance
        self._columns = columns
        self._prepared: dict[str, Any] = {}
        self._failed: dict[str, Exception] = {}

    def narrowed(self, metric: Metric) -> Metric:
        return metric.narrowed(self._columns[metric.spec])

    def prepared(self, metric: Metric) -> Any:
        spec = metric.spec
        if spec in self._failed:
            raise self._failed[spec]
        if spec not in self._prepared:
            try:
                self._prepared[spec] = metric.prepare(self._utterance)
            except Exception as error:
                self._failed[spec] = error
                raise
        return self._prepared[spec]


def _columns_by_metric(shard: Shard) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for task in shard.tasks:
        for spec, columns in task.columns.items():
            found[spec] = found.get(spec, frozenset()) | frozenset(columns)
    return found


def make_row(
    codec: str, spec: str, column: str, unit: str, utterance: Utterance, score: Score
) -> Row:
    """Make the row of one number."""
    return Row(
        codec=codec,
        corpus=utterance.corpus,
        split=utterance.split,
        speaker=utterance.speaker,
        utterance=utterance.id,
        rate=utterance.rate,
        metric=column,
        metric_spec=spec,
        value=score.value,
        numerator=score.numerator,
        denominator=score.denominator,
        unit=unit,
        error=score.error,
        reference_text=score.reference_text,
        decoded_text=score.decoded_text,
    )
