"""`run(...)`: plan, shards, execute, store."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median_low
from typing import Any, Protocol

from filelock import FileLock, Timeout

from ..codec import CodecBase
from ..corpora.base import Utterance
from ..devices import check_device
from ..errors import UserError
from ..packet_loss import PacketLoss, require_streaming
from ..results.kept_audio import AUDIO, KeptAudio
from ..results.manifest import CodecEntry, Manifest, MetricEntry, new_session, now
from ..results.run_folder import (
    AUDIO_INDEX,
    BITSTREAMS,
    LOCK,
    MANIFEST,
    ROWS,
    UTTERANCES,
    Run,
    load_run,
)
from ..results.schema import parts, sweep_temporaries
from ..results.writer import Writer, compact
from ..subset import ranked
from ..utterance_list import ListedUtterance, read_list, write_list
from .audio_index import AudioEntry, AudioIndex
from .plan import Key, Missing, plan, shards
from .pool import Pool, default_jobs
from .registered import registered_copy
from .request import RunRequest
from .selection import MetricSelection, select_codecs, select_metrics, select_utterances
from .tasks import CodecTask, Shard, WorkerSetup

DELAY_UTTERANCES = 20
"""An unknown delay is the median over this many utterances."""


RECORDED_WITH_LOSSES = ("lost_packets",)
"""Columns that every run with packet loss computes."""


class Progress(Protocol):
    """What a run tells about itself; the command line draws it."""

    def stage(self, name: str, total: int) -> None:
        """Begin a stage of `total` steps."""

    def advance(self) -> None:
        """Count one step of the stage."""

    def note(self, text: str) -> None:
        """Say something that the user should know."""


class SilentProgress:
    """Tells nothing."""

    def stage(self, name: str, total: int) -> None:
        """Do nothing."""

    def advance(self) -> None:
        """Do nothing."""

    def note(self, text: str) -> None:
        """Do nothing."""


@dataclass(frozen=True)
class RunOutcome:
    """What `execute` did.

    Parameters
    ----------
    run : Run
    codecs : tuple of str
        Canonical specs asked for.
    columns : tuple of str or None
        Names of the columns asked for, as the run's frame shows them; None: the default set.
    computed : int
        Pairs of utterance and codec that were worked on.
    """

    run: Run
    codecs: tuple[str, ...]
    columns: tuple[str, ...] | None
    computed: int


def run(
    codec: str | Sequence[str],
    corpus: str | Sequence[str] = "demo",
    metrics: str | Sequence[str] = (),
    out: str | Path | None = None,
    *,
    progress: Progress | None = None,
    **options: Any,
) -> Run:
    """Send every utterance through every codec as real bits and measure what came back.

    What is already in the run folder is not computed again.

    Parameters
    ----------
    codec : str or sequence of str
        Codec specs; ``opus:kbps=6|12`` is a sweep.
    corpus : str or sequence of str
        Corpus specs.
    metrics : str or sequence of str
        Metrics or columns; the default set if empty.
    out : path, optional
        The run folder.
    progress : Progress, optional
    **options
        The other fields of `codecbench.engine.request.RunRequest`: `subset`, `utterances`,
        `rate`, `packet_loss`, `jobs`, `device`, `data_root`, `retry_failed`, `keep_audio`.

    Returns
    -------
    Run

    Raises
    ------
    UserError
        Before any work, if something that was asked for is wrong or cannot run here.
    """
    lists = {"codec": codec, "corpus": corpus, "metrics": metrics}
    values = {key: [value] if isinstance(value, str) else value for key, value in lists.items()}
    request = RunRequest.make("run", {**values, "out": out, **options})
    return execute(request, progress or SilentProgress()).run


def execute(request: RunRequest, progress: Progress) -> RunOutcome:
    """Do what a request asks; see `run`."""
    check_device(request.device)
    codecs = select_codecs(request.codec)
    if request.packet_loss is not None:
        require_streaming(codecs.values())
    recorded = RECORDED_WITH_LOSSES if request.packet_loss is not None else ()
    selection = select_metrics(request.metrics, recorded)
    utterances = select_utterances(
        request.corpus, request.data_root, request.subset, request.utterances
    )
    path = request.out or default_folder(request)
    _refuse_other_folders(path)
    _make_folder(path)
    with _exclusive(path, progress):
        sweep_temporaries([path, path / ROWS, path / BITSTREAMS, *(path / AUDIO).glob("*")])
        work = _Work(path, request, codecs, selection, progress)
        computed = work.do(utterances)
    for name, why in selection.left_out.items():
        progress.note(f"{name} is left out: {why}")
    finished = load_run(path)
    shown = [finished.shown_name(*key) for key in sorted(selection.asked)]
    return RunOutcome(finished, tuple(codecs), tuple(shown) or None, computed)


def default_folder(request: RunRequest) -> Path:
    """Name a run folder after its utterances and protocol, so that the same command finds it."""
    parts = [spec.replace(":", "-").replace("=", "-").replace("/", "_") for spec in request.corpus]
    if request.subset is not None:
        parts.append(f"subset{request.subset}")
    if request.utterances is not None:
        parts.append(request.utterances.stem)
    parts += condition_names(request.rate, request.packet_loss)
    return Path("runs") / "-".join(parts)


def condition_names(rate: int | None, packet_loss: PacketLoss | None) -> list[str]:
    """Name what was measured under other conditions than usual, for the names of folders."""
    names = [] if rate is None else [f"{rate}Hz"]
    if packet_loss is not None:
        loss = str(packet_loss).replace("%", "pct")
        names.append(f"loss{loss.replace(',', '-').replace('=', '-')}")
    return names


def _refuse_other_folders(path: Path) -> None:
    """Refuse a folder that holds other things than a run (or the beginnings of one)."""
    if not path.is_dir() or (path / MANIFEST).exists():
        return
    ours = {LOCK, ROWS, BITSTREAMS, MANIFEST, AUDIO_INDEX}
    if any(not item.name.startswith(".tmp-") for item in path.iterdir() if item.name not in ours):
        raise UserError(f"{path} is not empty and not a run folder; choose another --out")


def _make_folder(path: Path) -> None:
    try:
        for folder in (path / ROWS, path / BITSTREAMS):
            folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise UserError(f"{path} cannot be a run folder: a file is in the way") from error
    except OSError as error:
        raise UserError(f"{path} cannot be made: {error.strerror}") from error


def _exclusive(path: Path, progress: Progress) -> FileLock:
    lock = FileLock(path / LOCK)
    try:
        lock.acquire(timeout=0)
        lock.release()
    except Timeout:
        progress.note(f"another process works on {path}; waiting for it to end")
    return lock


class _Work:
    """The work of one command on one run folder, done while holding its lock."""

    def __init__(
        self,
        path: Path,
        request: RunRequest,
        codecs: Mapping[str, CodecBase],
        selection: MetricSelection,
        progress: Progress,
    ) -> None:
        self._path = path
        self._request = request
        self._codecs = codecs
        self._selection = selection
        self._progress = progress
        self._jobs = request.jobs or default_jobs()
        self._registered = registered_copy()
        self._manifest = self._opened_manifest()

    def do(self, utterances: Sequence[Utterance]) -> int:
        self._save_manifest()
        index = AudioIndex(self._path / AUDIO_INDEX)
        self._progress.stage("reading audio", len(utterances))
        index.update(utterances, self._progress.advance)
        if self._request.utterances is not None:
            _require_listed_audio(self._request.utterances, index)
        at_rate = [
            utterance.at_rate(self._rate_of(index[utterance.key])) for utterance in utterances
        ]
        for column in self._selection.never_applicable(at_rate):
            self._progress.note(f"{column} does not apply to any of these utterances")
        self._record_utterances(utterances, index)
        self._estimate_delays(at_rate, index)
        missing = plan(
            Run(self._path),
            at_rate,
            self._codecs,
            self._selection,
            self._request.retry_failed,
            self._repaired(index),
            self._kept_audio() if self._request.keep_audio else None,
        )
        # Longest first, so that no worker is left alone with a long one at the end.
        missing.sort(key=lambda item: -(index[item.utterance.key].seconds or 0.0))
        self._execute(missing)
        compact(self._path)
        self._manifest.sessions[-1].finished = now()
        self._save_manifest()
        return sum(len(item.of_codec) for item in missing)

    def _rate_of(self, audio: AudioEntry) -> int | None:
        """Return the evaluation rate; None for audio that cannot be read."""
        return None if audio.sha256 is None else self._request.rate or audio.sample_rate

    def _repaired(self, index: AudioIndex) -> frozenset[Key]:
        """Return the utterances that failed because their audio could not be read and now can."""
        if not parts(self._path / ROWS):
            return frozenset()
        with Run(self._path).connection() as database:
            unread = database.execute(
                "SELECT DISTINCT corpus, split, utterance FROM rows WHERE rate IS NULL"
            ).fetchall()
        return frozenset(key for key in unread if key in index and index[key].sha256 is not None)

    def _kept_audio(self) -> KeptAudio:
        # Resolved, because workers are told the paths.
        identities = {spec: self._manifest.codecs[spec].identity for spec in self._codecs}
        return KeptAudio(self._path.resolve(), identities)

    def _execute(self, missing: Sequence[Missing]) -> None:
        estimated = {
            spec: entry.delay_samples
            for spec, entry in self._manifest.codecs.items()
            if entry.delay_estimates
        }
        self._progress.stage("measuring", sum(len(item.of_codec) for item in missing))
        results = self._pool().run(shards(Run(self._path), missing, estimated))
        with Writer(self._path) as writer, contextlib.closing(results):
            for result in results:
                writer.add(result.rows, result.bitstream)
                if not result.partial:
                    self._progress.advance()

    def _pool(self) -> Pool:
        metrics = self._selection.metrics
        units = {
            (spec, column.name): column.unit
            for spec, metric in metrics.items()
            for column in metric.columns
        }
        setup = WorkerSetup(
            tuple((spec, tuple(sorted(metric.selected))) for spec, metric in metrics.items()),
            self._request.device,
            self._request.packet_loss,
            self._registered,
        )
        return Pool(setup, self._jobs, lambda spec, column: units[spec, column])

    def _opened_manifest(self) -> Manifest:
        """Read or begin the manifest; refuse what must not be mixed."""
        path = self._path / MANIFEST
        rate, packet_loss = self._request.rate, self._request.packet_loss
        new = Manifest(rate=rate, packet_loss=packet_loss)
        manifest = Manifest.read(path) if path.exists() else new
        manifest.require_same_protocol(rate, packet_loss)
        for spec, codec in self._codecs.items():
            entry = CodecEntry(
                identity=codec.identity,
                version=codec.version,
                card=codec.card.as_dict(),
                delay_samples=codec.card.delay_samples,
            )
            manifest.require_same_codec(spec, entry)
            manifest.codecs.setdefault(spec, entry)
        for spec, metric in self._selection.metrics.items():
            card = metric.card
            described = MetricEntry(
                identity=card.identity, card=card.as_dict(), is_default=type(metric)().spec == spec
            )
            manifest.require_same_metric(spec, described)
            manifest.metrics.setdefault(spec, described)
        for corpus in self._request.corpus:
            if corpus not in manifest.corpora:
                manifest.corpora.append(corpus)
        session = new_session(_command(), self._jobs, self._request.device)
        changes = manifest.package_changes(session.packages)
        if changes:
            self._progress.note(
                "package versions differ from those this run began with: " + "; ".join(changes)
            )
        manifest.sessions.append(session)
        return manifest

    def _save_manifest(self) -> None:
        self._manifest.write(self._path / MANIFEST)

    def _record_utterances(self, utterances: Sequence[Utterance], index: AudioIndex) -> None:
        """Write the list of all utterances of the folder, those of this command added."""
        path = self._path / UTTERANCES
        listed = {(row.corpus, row.split, row.id): row for row in read_list(path, missing_ok=True)}
        for utterance in utterances:
            entry = index[utterance.key]
            listed[utterance.key] = ListedUtterance.of(
                utterance, entry.seconds, entry.sample_rate, entry.sha256
            )
        if len(listed) > len(utterances):
            self._progress.note(f"the folder holds {len(listed)} utterances, and so does its table")
        write_list(path, listed.values())

    def _estimate_delays(self, utterances: Sequence[Utterance], index: AudioIndex) -> None:
        """Estimate the delays that no card declares, from up to `DELAY_UTTERANCES` utterances.

        An estimate that rests on fewer is made again when there are more; a delay that then
        differs is refused, because rows are there that were made with the other.
        """
        readable = ranked(item for item in utterances if index[item.key].sha256 is not None)
        for spec, codec in self._codecs.items():
            entry = self._manifest.codecs[spec]
            is_settled = entry.delay_estimates >= DELAY_UTTERANCES
            if codec.card.delay_samples is not None or is_settled:
                continue
            if len(readable) <= entry.delay_probed:
                continue
            lags = self._lags(spec, readable)
            entry.delay_probed = len(readable)
            if len(lags) <= entry.delay_estimates:
                continue
            delay = median_low(lags)
            if entry.delay_estimates and delay != entry.delay_samples:
                raise UserError(
                    f"the delay of {spec} was estimated as {entry.delay_samples} samples from"
                    f" {entry.delay_estimates} utterances and is {delay} from {len(lags)};"
                    f" choose another --out, or give delay={delay}"
                )
            entry.delay_samples, entry.delay_estimates = delay, len(lags)
            self._save_manifest()

    def _lags(self, spec: str, utterances: Sequence[Utterance]) -> list[int]:
        """Measure by how much a codec's output is late, on as many utterances as are needed."""
        task = CodecTask(spec, {}, delay_samples=0)
        self._progress.stage("estimating delay", min(DELAY_UTTERANCES, len(utterances)))
        lags: list[int] = []
        for start in range(0, len(utterances), DELAY_UTTERANCES):
            if len(lags) >= DELAY_UTTERANCES:
                break
            probes = enumerate(utterances[start : start + DELAY_UTTERANCES], start)
            results = self._pool().run(
                Shard(number, utterance, (task,), estimate_delay=True)
                for number, utterance in probes
            )
            with Writer(self._path) as writer, contextlib.closing(results):
                for result in sorted(results, key=lambda result: result.shard):
                    writer.add([], result.bitstream)
                    if result.delay is not None:
                        lags.append(result.delay)
                    self._progress.advance()
        return lags[:DELAY_UTTERANCES]


def _require_listed_audio(path: Path, index: AudioIndex) -> None:
    """Refuse audio that is not what a replayed list was made with."""
    for row in read_list(path):
        key = (row.corpus, row.split, row.id)
        if row.sha256 is not None and key in index and index[key].sha256 != row.sha256:
            raise UserError(f"{path}: the audio of {row.label} is not what was listed")


def _command() -> list[str]:
    """Return this process's command; where its program lies is nobody's business."""
    return [Path(sys.argv[0]).name, *sys.argv[1:]]
