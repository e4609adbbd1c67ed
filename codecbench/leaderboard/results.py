"""Where the results of leaderboards are, and whether they are whole and of today's code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ..codec import CodecBase
from ..corpora.base import Utterance
from ..engine.audio_index import AudioIndex
from ..engine.plan import plan
from ..engine.request import RunRequest
from ..engine.run import condition_names
from ..engine.selection import select_metrics
from ..errors import UserError
from ..registry import codec_of, metric_of
from ..results.manifest import Manifest
from ..results.run_folder import AUDIO_INDEX, MANIFEST, ROWS, Run, load_run
from ..results.schema import parts
from ..utterance_list import ListedUtterance
from .definition import Definition, PinnedCorpus

RESULTS = "results"
"""Folder beside the definitions."""


@dataclass(frozen=True)
class Options:
    """What a user may set for the work, without changing a number.

    Parameters
    ----------
    data_root : Path or None
    jobs : int or None
    device : str
    """

    data_root: Path | None = None
    jobs: int | None = None
    device: str = "cpu"


def request_of(definition: Definition, corpus: PinnedCorpus, options: Options) -> RunRequest:
    """Return the run that measures a corpus; leaderboards of the same speech share its folder."""
    listed = definition.listed(corpus)
    has_other_rate = any(row.sample_rate != definition.rate for row in listed)
    rate = definition.rate if has_other_rate else None
    base = definition.path.parent
    name = [corpus.utterances.stem, *condition_names(rate, definition.packet_loss)]
    return RunRequest(
        codec=definition.codecs,
        corpus=(corpus.name,),
        metrics=definition.metrics,
        utterances=base / corpus.utterances,
        out=base / RESULTS / "-".join(name),
        rate=rate,
        packet_loss=definition.packet_loss,
        jobs=options.jobs,
        device=options.device,
        data_root=options.data_root,
    )


def results_of(definition: Definition, corpus: PinnedCorpus) -> Run:
    """Open the results of a corpus.

    Raises
    ------
    UserError
        If there are none.
    """
    run = found_results(definition, corpus)
    if run is None:
        raise UserError(
            f"{no_results(definition, corpus)}; measure them by"
            f" `codecbench leaderboard build {definition.name}`"
        )
    return run


def found_results(definition: Definition, corpus: PinnedCorpus) -> Run | None:
    """Open the results of a corpus, if there are any."""
    folder = request_of(definition, corpus, Options()).out
    assert folder is not None
    is_there = (folder / MANIFEST).exists() and bool(parts(folder / ROWS))
    return load_run(folder) if is_there else None


def no_results(definition: Definition, corpus: PinnedCorpus) -> str:
    """Say that a corpus was not measured."""
    return f"{definition.path} has no results of {corpus.name}"


@cache
def described(spec: str) -> CodecBase:
    """Make a codec that is only asked what it is."""
    return codec_of(spec)


@cache
def identity_of(spec: str) -> str:
    """Return the identity of a codec; some take a second to say."""
    return described(spec).identity


def canonical(codecs: Sequence[str]) -> list[str]:
    """Return the canonical specs of codecs."""
    return list(dict.fromkeys(described(spec).spec for spec in codecs))


def faults_of_corpus(definition: Definition, corpus: PinnedCorpus) -> Iterator[str]:
    """Yield why the results of a corpus are not what today's code would measure."""
    run = found_results(definition, corpus)
    if run is None:
        yield no_results(definition, corpus)
        return
    yield from outdated(run, definition)
    yield from _audio_faults(run, definition, corpus)
    yield from _gaps(run, definition, corpus)


def outdated(run: Run, definition: Definition) -> Iterator[str]:
    """Yield the codecs and metrics of a run that are others today."""
    if not is_of_this_protocol(run):
        yield f"{run.path}: it was measured by another protocol"
    for spec in changed_codecs(run, definition):
        yield f"{run.path}: {spec} has another implementation or other weights by now"
    for spec in changed_metrics(run, definition):
        yield f"{run.path}: the definition of {spec} has changed"


def is_of_this_protocol(run: Run) -> bool:
    """Whether a run was measured by the protocol and the resampler of today's code."""
    today = Manifest()
    then = run.manifest
    return (then.protocol, then.resampler) == (today.protocol, today.resampler)


def changed_codecs(run: Run, definition: Definition) -> list[str]:
    """Return the codecs whose results are of another implementation or other weights."""
    known = run.manifest.codecs
    return [
        codec.spec
        for codec in map(described, definition.codecs)
        if codec.spec in known and known[codec.spec].identity != identity_of(codec.spec)
    ]


def changed_metrics(run: Run, definition: Definition) -> list[str]:
    """Return the metrics whose results are of another definition."""
    known = run.manifest.metrics
    specs = {metric.spec: metric.card.identity for metric in map(metric_of, definition.metrics)}
    return [spec for spec, now in specs.items() if spec in known and known[spec].identity != now]


def _audio_faults(run: Run, definition: Definition, corpus: PinnedCorpus) -> Iterator[str]:
    pinned = {(row.corpus, row.split, row.id): row.sha256 for row in definition.listed(corpus)}
    index = AudioIndex(run.path / AUDIO_INDEX)
    if pinned != {key: index[key].sha256 for key in sorted(index.keys())}:
        yield (
            f"{run.path}: its utterances are not those of {corpus.utterances}; give the list"
            " another name, or delete the folder"
        )


def _gaps(run: Run, definition: Definition, corpus: PinnedCorpus) -> Iterator[str]:
    """Yield what a build would measure."""
    index = AudioIndex(run.path / AUDIO_INDEX)
    utterances = [
        _recorded(row, index).at_rate(definition.rate)
        for row in definition.listed(corpus)
        if (row.corpus, row.split, row.id) in index
    ]
    codecs = {codec.spec: codec for codec in map(described, definition.codecs)}
    missing = plan(run, utterances, codecs, select_metrics(definition.metrics))
    lacking = Counter(codec for item in missing for codec in item.of_codec)
    for codec, count in lacking.items():
        yield f"{run.path}: numbers of {codec} are missing for {count} utterances"


def _recorded(row: ListedUtterance, index: AudioIndex) -> Utterance:
    """Make an utterance of what is recorded of it; its audio is not needed."""
    entry = index[row.corpus, row.split, row.id]
    transcript = None if entry.transcript_sha256 is None else ""
    return Utterance(row.id, row.corpus, row.split, row.speaker, entry.language, transcript)
