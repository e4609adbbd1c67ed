"""Which codecs, metrics and utterances a request means."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..codec import CodecBase, CodecCard
from ..corpora.base import Utterance
from ..errors import UnavailableError, UserError
from ..metric import Column, Metric
from ..registry import (
    METRICS,
    codec_of,
    column_owners,
    component_class,
    load_corpus,
    metric_of,
    names,
)
from ..spec import expand_spec
from ..subset import subset as select_subset
from ..utterance_list import replay


def select_codecs(specs: Sequence[str]) -> dict[str, CodecBase]:
    """Expand sweeps and check that every codec can run here; keyed by canonical spec.

    Raises
    ------
    UserError, UnavailableError
    """
    codecs: dict[str, CodecBase] = {}
    for text in specs:
        for spec in expand_spec(text):
            codec = codec_of(spec)
            codec.check_available()
            codecs.setdefault(codec.spec, codec)
    if not codecs:
        raise UserError("no codec is given: name one with --codec, as in --codec opus:kbps=12")
    return codecs


def select_utterances(
    corpora: Sequence[str],
    data_root: Path | None = None,
    subset: int | None = None,
    listed: Path | None = None,
) -> list[Utterance]:
    """List the utterances of the corpora, or of a subset, or of a list that is replayed.

    Raises
    ------
    UserError, UnavailableError
    """
    found: list[Utterance] = []
    for text in corpora:
        for spec in expand_spec(text):
            of_corpus = load_corpus(spec, data_root).utterances()
            if not of_corpus:
                raise UserError(f"{spec} holds no utterances")
            found += of_corpus if subset is None else select_subset(of_corpus, subset)
    if listed is not None:
        if subset is not None:
            raise UserError("give either --subset or --utterances, not both")
        found = replay(listed, found, check_audio=False)
    keys = [utterance.key for utterance in found]
    if len(set(keys)) != len(keys):
        twice = next(key for key in keys if keys.count(key) > 1)
        raise UserError(f"utterance {'/'.join(twice)} is selected twice; name each corpus once")
    return found


@dataclass(frozen=True)
class MetricSelection:
    """The metrics of a run.

    Parameters
    ----------
    metrics : dict of canonical spec to Metric
    asked : frozenset of (spec, column)
        What was asked for by name.
    recorded : frozenset of (spec, column)
        What is computed without being asked for.
    is_default : bool
        Whether nothing was asked for: the default set, which depends on the evaluation rate.
    left_out : dict of metric name to reason
        Metrics of the default set that cannot run here.
    """

    metrics: dict[str, Metric]
    asked: frozenset[tuple[str, str]]
    is_default: bool
    left_out: dict[str, str]
    recorded: frozenset[tuple[str, str]] = frozenset()

    def columns(
        self, spec: str, utterance: Utterance, card: CodecCard | None, reference: bool = False
    ) -> tuple[str, ...]:
        """Return the columns of a metric that are wanted for an utterance and a codec.

        Parameters
        ----------
        spec : str
            Canonical spec of the metric.
        utterance : Utterance
        card : CodecCard or None
        reference : bool
            For the reference's own score.
        """
        metric = self.metrics[spec]
        if reference and not metric.scores_reference:
            return ()
        applicable = metric.applicable(utterance, card)
        if reference and metric.reference_columns is not None:
            applicable &= metric.reference_columns
        rate = utterance.rate or 0
        wanted = self.asked | self.recorded
        return tuple(
            column.name
            for column in metric.columns
            if column.name in applicable
            and ((spec, column.name) in wanted or self._is_implied(metric, column, rate))
        )

    def never_applicable(self, utterances: Iterable[Utterance]) -> list[str]:
        """List the columns that were asked for by name and apply to none of the utterances.

        Two definitions of one column carry their metric's spec.

        Parameters
        ----------
        utterances : iterable of Utterance
            With their evaluation rate set.
        """
        left = set(self.asked)
        kinds: set[tuple[object, ...]] = set()
        for utterance in utterances:
            # Utterances alike in all that `applicable` may ask about are asked about once.
            kind = (utterance.corpus, utterance.language, utterance.transcript is None)
            if not left or (*kind, utterance.rate) in kinds:
                continue
            kinds.add((*kind, utterance.rate))
            for spec in {spec for spec, _ in left}:
                names = self.metrics[spec].applicable(utterance, None)
                left -= {(spec, name) for name in names}
        return [
            f"{name} ({spec})" if sum(other == name for _, other in self.asked) > 1 else name
            for spec, name in sorted(left)
        ]

    def _is_implied(self, metric: Metric, column: Column, rate: int) -> bool:
        """Whether a column is wanted without being named."""
        return (self.is_default or metric.always) and column.is_default_at(rate)


def select_metrics(requested: Sequence[str], recorded: Sequence[str] = ()) -> MetricSelection:
    """Resolve metric and column names; the default set if none is given.

    Parameters
    ----------
    requested : sequence of str
    recorded : sequence of str
        Columns that the run computes whether they are requested or not.

    Raises
    ------
    UserError, UnavailableError
        If a metric that was asked for is unknown or cannot run here.
    """
    if requested:
        chosen = _merged([metric_of(spec) for text in requested for spec in expand_spec(text)])
        for metric in chosen.values():
            metric.check_available()
        asked = _columns_of(chosen.values())
        left_out: dict[str, str] = {}
    else:
        chosen, left_out = _default_metrics()
        asked = frozenset()
    for name in sorted(set(column_owners().values())):
        metric = component_class(METRICS, name)()
        if metric.always:
            chosen[metric.spec] = metric
    also = [metric_of(name) for name in recorded]
    chosen = _merged([*chosen.values(), *also])
    return MetricSelection(chosen, asked, not requested, left_out, _columns_of(also))


def _columns_of(metrics: Iterable[Metric]) -> frozenset[tuple[str, str]]:
    return frozenset((metric.spec, column) for metric in metrics for column in metric.selected)


def _merged(metrics: Sequence[Metric]) -> dict[str, Metric]:
    """Join requests for several columns of one metric."""
    merged: dict[str, Metric] = {}
    for metric in metrics:
        known = merged.get(metric.spec)
        selected = metric.selected | (known.selected if known else frozenset())
        merged[metric.spec] = type(metric)(metric.config, selected=selected)
    return merged


def _default_metrics() -> tuple[dict[str, Metric], dict[str, str]]:
    chosen: dict[str, Metric] = {}
    left_out: dict[str, str] = {}
    for name in names(METRICS):
        try:
            kind = component_class(METRICS, name)
        except UnavailableError as error:
            left_out[name] = str(error)
            continue
        columns = [column.name for column in kind.columns if column.default]
        if not columns:
            continue
        metric = kind(kind.default_config(), selected=columns)
        try:
            metric.check_available()
        except UnavailableError as error:
            left_out[name] = str(error)
        else:
            chosen[metric.spec] = metric
    return chosen, left_out
