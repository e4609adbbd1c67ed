"""Measures audio that is already there: one pair of files, or two folders, without a codec."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..audio import Audio, read_audio
from ..corpora.base import Utterance
from ..errors import AudioError, CodecbenchError, UserError
from ..metric import Column, Decoded, Metric, Score
from ..protocol import estimate_delay
from .score import reason
from .selection import select_metrics

AUDIO_SUFFIXES = frozenset({".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aiff", ".au"})


@dataclass(frozen=True)
class MeasureOptions:
    """How pairs are measured.

    Parameters
    ----------
    align : bool
        Resample the decoded audio to the reference's rate, remove one estimated integer
        delay and cut or pad to the reference's length. Otherwise the files are taken as
        they are.
    transcript, language : str or None
        Of a single pair, for WER and CER.
    """

    align: bool = False
    transcript: str | None = None
    language: str | None = None


@dataclass(frozen=True)
class FileMetrics:
    """Loaded metrics for audio files.

    Parameters
    ----------
    metrics : tuple of Metric
        Each selects the columns that are wanted of it.
    is_default : bool
        Whether it is the default set, of which a column may not belong to every rate.
    """

    metrics: tuple[Metric, ...]
    is_default: bool

    def wanted(self, metric: Metric, utterance: Utterance) -> list[str]:
        """Return the columns of a metric that are wanted for a pair.

        One that was asked for by name is wanted even where it means nothing: its reason is shown.
        """
        if not self.is_default:
            return [column.name for column in metric.columns if column.name in metric.selected]
        applicable = metric.applicable(utterance, None)
        return [
            column.name
            for column in metric.columns
            if column.name in applicable and column.is_default_at(utterance.rate or 0)
        ]

    def caveats(self) -> dict[str, str]:
        """Return what must be said of the numbers, by name of the metric."""
        return {metric.name: metric.caveat for metric in self.metrics if metric.caveat}

    def columns(self) -> dict[str, Column]:
        """Return the selected columns by name."""
        return {
            column.name: column
            for metric in self.metrics
            for column in metric.columns
            if column.name in metric.selected
        }


def metrics_for_files(
    requested: Sequence[str], as_they_are: bool = True, device: str = "cpu"
) -> FileMetrics:
    """Select metrics for audio files and load their models.

    Without a request, the default set without what only a codec's run can give.

    Parameters
    ----------
    requested : sequence of str
    as_they_are : bool
        Whether metrics that can take files at their own rate do so unless told otherwise.
    device : str
    """
    selection = select_metrics(requested)
    metrics = []
    for spec, metric in selection.metrics.items():
        named = [column for owner, column in selection.asked if owner == spec]
        if named:
            metrics.append(type(metric)(metric.config, selected=named))
        elif selection.is_default and not metric.always:
            metrics.append(metric)
    if as_they_are:
        metrics = [_for_files(metric) for metric in metrics]
    for metric in metrics:
        metric.setup(device)
    return FileMetrics(tuple(metrics), selection.is_default)


def _for_files(metric: Metric) -> Metric:
    """Set the keys that take files as they are, except those that were given."""
    given = metric.config.model_fields_set
    update = {key: value for key, value in metric.file_defaults.items() if key not in given}
    return type(metric)(metric.config.model_copy(update=update), selected=metric.selected)


def measure_pair(
    reference: Audio, decoded: Audio, metrics: FileMetrics, options: MeasureOptions
) -> dict[str, Score]:
    """Score one pair; a metric that cannot gives a `Score` with its reason.

    Returns
    -------
    dict
        By column; two definitions of one column carry their metric's spec.
    """
    if options.align:
        decoded = aligned_to(reference, decoded)
    utterance = replace(
        Utterance.from_audio(reference, transcript=options.transcript, language=options.language),
        rate=reference.sample_rate,
    )
    pair = Decoded.from_audio(decoded)
    scores: dict[str, Score] = {}
    for metric in metrics.metrics:
        narrowed = metric.narrowed(metrics.wanted(metric, utterance))
        for name, score in _scores(narrowed, utterance, pair).items():
            scores[f"{name} ({metric.spec})" if name in scores else name] = score
    return scores


def _scores(metric: Metric, utterance: Utterance, pair: Decoded) -> dict[str, Score]:
    wanted = [column.name for column in metric.columns if column.name in metric.selected]
    if not wanted:
        return {}
    try:
        scores = metric.score(metric.prepare(utterance), pair)
    except UserError:
        raise
    except Exception as error:  # noqa: BLE001 - a metric's failure is a reason, whatever it is
        return dict.fromkeys(wanted, Score.failed(reason(error)))
    return {name: scores[name] for name in wanted if name in scores}


def aligned_to(reference: Audio, decoded: Audio) -> Audio:
    """Bring decoded audio onto the reference's rate, time axis and length."""
    on_rate = decoded.resampled(reference.sample_rate)
    return on_rate.advanced(estimate_delay(reference, on_rate)).fitted(len(reference))


def measure_files(
    reference: Path, decoded: Path, metrics: FileMetrics, options: MeasureOptions
) -> dict[str, Score]:
    """Score one pair of files.

    Raises
    ------
    AudioError
        If one of them cannot be read, or, with `align`, is silent.
    """
    return measure_pair(read_audio(reference), read_audio(decoded), metrics, options)


def pairs_of(reference: Path, decoded: Path) -> dict[str, tuple[Path, Path | None]]:
    """Match the audio files of two folders by their relative path without suffix.

    Returns
    -------
    dict
        By name; the second path is None where no decoded file is there.

    Raises
    ------
    UserError
        If a folder holds no audio or a name stands for two files.
    """
    references, candidates = _audio_files(reference), _audio_files(decoded)
    if not set(references) & set(candidates):
        raise UserError(f"no audio file of {decoded} has the name of one in {reference}")
    return {name: (path, candidates.get(name)) for name, path in references.items()}


def without_reference(reference: Path, decoded: Path) -> list[str]:
    """Return the names of decoded files that no reference file has."""
    return sorted(set(_audio_files(decoded)) - set(_audio_files(reference)))


def _audio_files(folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in AUDIO_SUFFIXES or not path.is_file():
            continue
        name = path.relative_to(folder).with_suffix("").as_posix()
        if name in found:
            raise UserError(f"{folder}: two audio files are named {name}")
        found[name] = path
    if not found:
        raise UserError(f"{folder} holds no audio files")
    return found


def measure_listed(
    name: str,
    paths: tuple[Path, Path | None],
    metrics: FileMetrics,
    options: MeasureOptions,
) -> dict[str, Score]:
    """Score one pair of a folder; what cannot be read is a reason for every column."""
    reference, decoded = paths
    try:
        if decoded is None:
            raise AudioError(f"there is no decoded file for {name}")
        return measure_files(reference, decoded, metrics, options)
    except UserError:
        raise
    except CodecbenchError as error:
        return dict.fromkeys(metrics.columns(), Score.failed(str(error)))
