"""``codecbench export`` through the command line."""

import csv
import io
import json
import re
import shlex
from pathlib import Path

import pytest
import typer

from codecbench.cli.main import app, main

from ..export.made_run import make


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make(tmp_path_factory.mktemp("runs") / "one").path


@pytest.fixture
def command(capsys, folder, monkeypatch, tmp_path):
    """Run the command; return exit status, stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(["export", *(str(folder) if part == "RUN" else part for part in arguments)])
        said = capsys.readouterr()
        return ended.value.code, said.out, said.err

    return call


def test_rows_are_printed_and_what_is_left_out_is_said(command):
    status, out, err = command("RUN", "--to", "csv", "-m", "stoi")
    assert status == 0
    assert {record["metric"] for record in csv.DictReader(io.StringIO(out))} == {"stoi"}
    assert err.startswith("codecbench: mulaw: 3 utterances")
    assert "left out" in err
    _, _, err = command("RUN", "--to", "csv", "--include-seen-speakers")
    assert err == ""


def test_means_into_files(command, tmp_path):
    status, out, _ = command(
        "RUN", "--to", "json", "--level", "summary", "-o", "a.json", "--by", "none"
    )
    assert (status, out) == (0, "")
    assert json.loads((tmp_path / "a.json").read_text())["level"] == "summary"
    status, out, _ = command("RUN", "--to", "parquet", "-o", "a.parquet")
    assert (status, out) == (0, "")
    assert (tmp_path / "a.parquet").read_bytes().startswith(b"PAR1")


def test_a_card_is_updated(command, tmp_path):
    status, out, _ = command("RUN", "--to", "model-index", "-c", "opus", "-m", "stoi")
    assert status == 0
    (tmp_path / "README.md").write_text(out)
    command_ = ("RUN", "--to", "model-index", "-c", "opus", "--update", "README.md")
    status, out, err = command(*command_)
    assert (status, out) == (0, "")
    assert err == "codecbench: README.md: 3 results added, 0 replaced, 3 as they were\n"


def test_events_are_written(command, tmp_path):
    status, out, err = command("RUN", "--to", "tensorboard", "-c", "mulaw", "-o", "tb")
    assert (status, out) == (0, "")
    assert "tensorboard --logdir tb" in err
    assert list((tmp_path / "tb" / "mulaw").iterdir())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--to", "csv", "--by", "corpus"], "--by goes with means"),
        (["--to", "csv", "--update", "x.md"], "--update does not go with csv"),
        (["--to", "mlflow", "--level", "rows"], "--level does not go with mlflow"),
        (["--to", "mlflow", "-o", "x"], "--output does not go with mlflow"),
        (["--to", "json", "--utterance", "u"], "it goes with tensorboard"),
        (["--to", "parquet"], "say where with --output"),
        (["--to", "tensorboard"], "say where with --output"),
        (["--to", "model-index", "--overwrite"], "--overwrite goes with --update"),
        (["--to", "model-index"], "a model card is of one codec"),
        (["--to", "model-index", "-c", "opus", "--update", "no.md"], "there is no model card"),
        (["--to", "csv", "-m", "stoii"], "did you mean stoi"),
        (["--to", "csv", "-c", "lc3"], "this run has no codec 'lc3'"),
        (["--to", "csv", "--level", "summary", "--by", "x"], "cannot group by 'x'"),
        (["--to", "wandb"], "wandb"),
    ],
)
def test_mistakes_are_one_line_and_status_2(command, arguments, says):
    status, out, err = command("RUN", *arguments)
    assert (status, out) == (2, "")
    assert says in err
    assert len(err.splitlines()) == 1


def test_commands_of_the_documentation_parse():
    text = (Path(__file__).parents[2] / "docs" / "export.md").read_text(encoding="utf-8")
    lines = re.findall(r"^codecbench export (.*)$", text, flags=re.MULTILINE)
    command = typer.main.get_command(app).commands["export"]
    targets = {command.make_context("export", shlex.split(line)).params["to"] for line in lines}
    assert targets == {"csv", "json", "parquet", "model-index", "mlflow", "tensorboard"}
