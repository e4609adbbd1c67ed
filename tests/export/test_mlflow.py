"""MLflow: read back with MLflow's own client from a local database."""

import os

import pytest
from mlflow.tracking import MlflowClient

from codecbench.errors import UnavailableError, UserError
from codecbench.export.mlflow_runs import IDENTITY, export_to_mlflow
from codecbench.export.selection import Selection
from codecbench.results.run_folder import ROWS, load_run
from codecbench.results.schema import Row, rows_schema, write_part

from .made_run import CODECS, MULAW, OPUS, make


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Return the address of an empty database; artifacts go beside it."""
    folder = tmp_path_factory.mktemp("mlflow")
    before = os.getcwd()  # noqa: PTH109 - restored below
    os.chdir(folder)
    yield f"sqlite:///{folder / 'mlflow.db'}"
    os.chdir(before)


def found(store, name):
    client = MlflowClient(tracking_uri=store)
    experiment = client.get_experiment_by_name(name)
    return client, {run.data.params["codec"]: run
                    for run in client.search_runs([experiment.experiment_id])}  # fmt: skip


def test_a_run_a_codec_with_the_tables_numbers(run, store):
    done = export_to_mlflow(Selection.of(run), store, "numbers")
    assert (done.created, done.updated) == (("opus:kbps=6", "opus:kbps=12", "opus:kbps=24",
                                             "mulaw"), ())  # fmt: skip
    client, runs = found(store, "numbers")
    assert set(runs) == set(CODECS)
    table = run.table()
    for codec, one in runs.items():
        expected = {}
        for name in table.columns:
            cell, key = table.cell(codec, name), f"librispeech/{name}"
            expected |= {key: cell.value, f"{key}.low": cell.low, f"{key}.high": cell.high,
                         f"{key}.n": cell.n, f"{key}.failures": cell.failures}  # fmt: skip
        assert one.data.metrics == expected
        assert one.info.status == "FINISHED"
        entry = run.manifest.codecs[codec]
        assert one.data.params["identity"] == entry.identity
        assert one.data.params["corpus"] == "librispeech"
        assert one.data.params["codecbench"] == "0.1.0"
        assert one.data.tags["package.numpy"] == "2.0"
    assert runs[OPUS[0]].data.params["spec.kbps"] == "6"
    names = {item.path for item in client.list_artifacts(runs[MULAW].info.run_id)}
    assert names == {"manifest.json", "table.csv", "table.md"}


def test_a_repeated_export_updates(run, store):
    export_to_mlflow(Selection.of(run, metrics=["kbps"]), store, "again")
    client, before = found(store, "again")
    done = export_to_mlflow(Selection.of(run), store, "again")
    assert (len(done.created), len(done.updated)) == (0, len(CODECS))
    _, after = found(store, "again")
    for codec, one in after.items():
        assert one.info.run_id == before[codec].info.run_id
        assert {"librispeech/kbps", "librispeech/stoi"} <= set(one.data.metrics)
        history = client.get_metric_history(one.info.run_id, "librispeech/kbps")
        assert len(history) == 1


def test_a_continued_run_brings_its_numbers_up_to_date(tmp_path, store):
    run = make(tmp_path / "run")
    chosen = {"codecs": ["mulaw"], "metrics": ["stoi"]}
    export_to_mlflow(Selection.of(run, **chosen), store, "continued")
    write_part(
        run.path / ROWS,
        [Row(MULAW, "librispeech", "test-clean", "s2", "new", 16000, "stoi", "stoi", 0.1, None,
             None, "", None)],
        rows_schema(),
    )  # fmt: skip
    run = load_run(run.path)
    export_to_mlflow(Selection.of(run, **chosen), store, "continued")
    _, runs = found(store, "continued")
    (one,) = runs.values()
    cell = run.table(codecs=[MULAW]).cell(MULAW, "stoi")
    assert one.data.metrics["librispeech/stoi"] == cell.value
    assert one.data.metrics["librispeech/stoi.n"] == 16


def test_what_is_measured_otherwise_is_another_run(run, store):
    for seen in (False, True):
        chosen = Selection.of(run, codecs=["mulaw"], include_seen_speakers=seen)
        assert len(export_to_mlflow(chosen, store, "speakers").created) == 1
    client = MlflowClient(tracking_uri=store)
    runs = client.search_runs([client.get_experiment_by_name("speakers").experiment_id])
    assert len({one.data.tags[IDENTITY] for one in runs}) == 2
    told = {one.data.params["training_speakers"] for one in runs}
    assert told == {"included", "left out"}


def test_a_store_that_cannot_be_used_is_one_error(run, monkeypatch):
    with pytest.raises(UserError, match="MLflow, nonsense://x"):
        export_to_mlflow(Selection.of(run), "nonsense://x")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UnavailableError, match=r"pip install 'codecbench\[mlflow\]'"):
        export_to_mlflow(Selection.of(run), "sqlite:///x.db")
