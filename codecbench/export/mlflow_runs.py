"""Results as MLflow runs: one run a codec."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..errors import UserError
from ..reports.table import Row
from ..results.manifest import Manifest
from ..results.run_folder import MANIFEST, UTTERANCES
from .as_csv import write_csv
from .facts import codec_facts, corpora_of, labels_of, metric_key, pinned_utterances, sha256_of
from .requirement import require_packages
from .selection import Selection
from .tidy import group_name, tidy_table

if TYPE_CHECKING:
    from mlflow.entities import Run as MlflowRun
    from mlflow.tracking import MlflowClient

EXPERIMENT = "codecbench"
IDENTITY = "codecbench.identity"
"""Tag by which an MLflow run is found again."""

_BATCH = 500
"""Metrics of one request; MLflow takes up to 1000."""

_ENVIRONMENT = {
    # An export to a store of one's own must not call home.
    "MLFLOW_DISABLE_TELEMETRY": "true",
    # A server that is not there is told within seconds instead of minutes.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
}


@dataclass(frozen=True)
class Exported:
    """Where results went.

    Parameters
    ----------
    uri : str
        Of the tracking store.
    created, updated : tuple of str
        Labels of the codecs whose MLflow runs are new, and of those that were there.
    """

    uri: str
    created: tuple[str, ...]
    updated: tuple[str, ...]


def export_to_mlflow(
    selection: Selection, uri: str | None = None, experiment: str = EXPERIMENT
) -> Exported:
    """Write an MLflow run for each codec, or bring the one of an earlier export up to date.

    Parameters
    ----------
    selection : Selection
    uri : str, optional
        Of the tracking store; if None, ``MLFLOW_TRACKING_URI``, then MLflow's own default.
    experiment : str
        Created if it is not there.

    Returns
    -------
    Exported

    Raises
    ------
    UnavailableError
        If a package is missing.
    UserError
        If the store refuses or cannot be reached.
    """
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    require_packages("mlflow", ["mlflow"], "mlflow")
    import mlflow
    from mlflow.exceptions import MlflowException

    uri = uri or mlflow.get_tracking_uri()
    if not uri.startswith(("http:", "https:", "databricks")):
        require_packages("an MLflow database", ["sqlalchemy", "alembic"], "mlflow")
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        return _Exporter(selection, uri, experiment).export()
    except MlflowException as error:
        raise UserError(f"MLflow, {uri}: {error}") from error


class _Exporter:
    """Writes one selection into one experiment."""

    def __init__(self, selection: Selection, uri: str, experiment: str) -> None:
        from mlflow.tracking import MlflowClient

        self._selection = selection
        self._uri = uri
        self._client: MlflowClient = MlflowClient(tracking_uri=uri)
        self._experiment = _experiment_id(self._client, experiment)
        self._labels = labels_of(selection)

    def export(self) -> Exported:
        created: list[str] = []
        updated: list[str] = []
        for spec, label in self._labels.items():
            identity = identity_of(self._selection, spec)
            known = self._client.search_runs(
                [self._experiment], f"tags.`{IDENTITY}` = '{identity}'", max_results=1
            )
            run = known[0] if known else self._create(label, identity)
            self._fill(run, spec)
            (updated if known else created).append(label)
        return Exported(self._uri, tuple(created), tuple(updated))

    def _create(self, label: str, identity: str) -> MlflowRun:
        started, _ = _times(self._selection.run.manifest)
        return self._client.create_run(
            self._experiment, start_time=started, tags={IDENTITY: identity}, run_name=label
        )

    def _fill(self, run: MlflowRun, spec: str) -> None:
        from mlflow.entities import Metric, Param, RunTag

        now = int(datetime.now().timestamp() * 1000)
        known = run.data.metrics
        metrics = [
            Metric(key, value, now, 0)
            for key, value in _metrics(self._selection, spec)
            if known.get(key) != value
        ]
        facts = codec_facts(self._selection, spec).items()
        params = [Param(key, str(value)) for key, value in facts if key not in run.data.params]
        tags = [RunTag(key, value) for key, value in _tags(self._selection).items()]
        self._client.log_batch(run.info.run_id, params=params, tags=tags)
        for start in range(0, len(metrics), _BATCH):
            self._client.log_batch(run.info.run_id, metrics=metrics[start : start + _BATCH])
        self._log_artifacts(run.info.run_id)
        _, finished = _times(self._selection.run.manifest)
        self._client.set_terminated(run.info.run_id, end_time=finished)

    def _log_artifacts(self, run_id: str) -> None:
        folder = self._selection.run.path
        for name in (MANIFEST, UTTERANCES):
            if (folder / name).is_file():
                self._client.log_artifact(run_id, str(folder / name))
        tidy = tidy_table(self._selection, "summary")
        self._client.log_text(run_id, write_csv(tidy), "table.csv")
        self._client.log_text(run_id, self._selection.table.render("markdown"), "table.md")


def identity_of(selection: Selection, spec: str) -> str:
    """Return the hash of what an MLflow run stands for: run, codec, corpora, choice of speakers.

    It stays when the run is continued with more utterances or metrics.
    """
    manifest = selection.run.manifest
    begun = [[session.started, session.command] for session in manifest.sessions[:1]]
    measured = [manifest.protocol, manifest.rate, str(manifest.packet_loss)]
    codec = [spec, manifest.codecs[spec].identity]
    chosen = [corpora_of(selection), selection.include_seen_speakers]
    return sha256_of(json.dumps([begun, measured, codec, chosen], sort_keys=True))[:32]


def _metrics(selection: Selection, spec: str) -> Iterator[tuple[str, float]]:
    """Yield value, interval, utterances and failures of each cell of a codec."""
    for row in selection.table.rows:
        if row.codec == spec:
            yield from _metrics_of(row)


def _metrics_of(row: Row) -> Iterator[tuple[str, float]]:
    for name, cell in row.cells.items():
        key = metric_key(group_name(row), name)
        numbers = {"": cell.value, ".low": cell.low, ".high": cell.high, ".n": cell.n}
        for suffix, number in {**numbers, ".failures": cell.failures}.items():
            if number is not None:
                yield key + suffix, float(number)


def _tags(selection: Selection) -> dict[str, str]:
    """Return what may change when a run is continued."""
    run = selection.run
    packages = run.manifest.sessions[-1].packages if run.manifest.sessions else {}
    lines = [line for name in corpora_of(selection) for line in pinned_utterances(run, name)]
    return {
        "codecbench.version": __version__,
        "codecbench.run": str(run.path.resolve()),
        "codecbench.utterances": str(len(lines)),
        "codecbench.utterances_sha256": sha256_of(*lines),
        "codecbench.by": ",".join(selection.by) or "none",
        **{f"package.{name}": version for name, version in packages.items()},
    }


def _times(manifest: Manifest) -> tuple[int | None, int | None]:
    """Return when the run began and when its last command ended, in milliseconds."""
    if not manifest.sessions:
        return None, None
    first, last = manifest.sessions[0], manifest.sessions[-1]
    return _milliseconds(first.started), _milliseconds(last.finished or last.started)


def _milliseconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def _experiment_id(client: MlflowClient, name: str) -> str:
    known: Any = client.get_experiment_by_name(name)
    return str(known.experiment_id if known else client.create_experiment(name))
