"""The workflows: this repository's own, and the gate's that others copy."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from string import Template
from xml.etree import ElementTree

import pytest
import typer
import yaml

import codecbench
from codecbench.cli.main import app
from codecbench.gate.thresholds import parse_threshold
from codecbench.registry import column_owners

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "docs" / "examples" / "codec-gate.yml"
WORKFLOWS = [EXAMPLE, *sorted((ROOT / ".github" / "workflows").glob("*.yml"))]
COMMANDS = typer.main.get_command(app).commands

pytestmark = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)


@pytest.fixture
def workflow(path):
    # YAML 1.1 reads the key `on` as true.
    return {("on" if key is True else key): value for key, value in read(path).items()}


def read(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def steps_of(workflow):
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def variables_of(workflow):
    jobs = workflow["jobs"].values()
    return {
        key: value for place in [workflow, *jobs] for key, value in place.get("env", {}).items()
    }


def commands_of(workflow):
    """Yield the words of each line that runs codecbench, variables filled in."""
    for step in steps_of(workflow):
        script = Template(step.get("run", "")).safe_substitute(variables_of(workflow))
        for line in script.replace("\\\n", " ").splitlines():
            words = shlex.split(line)
            if words and words[0] == "codecbench":
                yield words[1:]


def test_commands_are_valid(workflow):
    commands = list(commands_of(workflow))
    assert {words[0] for words in commands} == {"run", "compare"}
    for name, *words in commands:
        parameters = COMMANDS[name].make_context(name, words).params
        for text in parameters.get("fail_on") or ():
            assert parse_threshold(text).column in column_owners()


def test_thresholds_are_on_what_is_measured(workflow):
    metrics = variables_of(workflow)["METRICS"]
    assert set(metrics.split(",")) <= set(column_owners())
    assert "wer" not in metrics, "a recogniser has no place in a run of two minutes"
    for name, *words in commands_of(workflow):
        if name == "compare":
            limits = COMMANDS[name].make_context(name, words).params["fail_on"]
            columns = {parse_threshold(text).column for text in limits}
            assert columns <= {*metrics.split(","), "kbps"}


def test_rights_are_minimal(workflow):
    assert workflow["permissions"] == {"contents": "read"}
    assert not any("permissions" in job for job in workflow["jobs"].values())
    assert set(workflow["on"]) <= {"push", "pull_request"}
    for step in steps_of(workflow):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False
    assert all(job["timeout-minutes"] <= 120 for job in workflow["jobs"].values())


def test_actions_are_pinned_to_a_major_version(workflow):
    uses = [step["uses"] for step in steps_of(workflow) if "uses" in step]
    assert uses
    assert all(re.fullmatch(r"actions/[\w-]+@v\d+", name) for name in uses)


def test_scripts_take_nothing_that_a_stranger_wrote(workflow):
    assert not any("${{" in step.get("run", "") for step in steps_of(workflow))


def test_scripts_are_shell(workflow):
    for step in steps_of(workflow):
        if "run" in step:
            done = subprocess.run(["bash", "-n"], input=step["run"], text=True, check=False)
            assert done.returncode == 0, step["run"]


def programs(folder):
    """Make `codecbench` of this checkout, and a `python` that installs nothing."""
    folder.mkdir()
    python = shlex.quote(sys.executable)
    scripts = {
        "codecbench": f'exec {python} -m codecbench "$@"',
        "python": f'test "$1 $2" = "-m pip" || exec {python} "$@"; echo "$@" >> installed',
    }
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    return folder


def test_the_gates_scripts_run_as_they_stand(path, workflow, tmp_path):
    """With a small codec in the place of one's own: two runs, a comparison, its files."""
    (job,) = [job for job in workflow["jobs"].values() if "Compare" in str(job["steps"])]
    small = {
        "CODEC": "mulaw",
        "SUBSET": "2",
        "METRICS": "pesq_wb,stoi,mel_distance,f0_rmse,spk_sim",
    }
    environment = {
        **os.environ, **variables_of(workflow), **small,
        "PATH": f"{programs(tmp_path / 'bin')}{os.pathsep}{os.environ['PATH']}",
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
    }  # fmt: skip
    for step in job["steps"]:
        if "run" in step:
            done = subprocess.run(
                ["bash", "-e", "-o", "pipefail", "-c", step["run"]],
                cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
    installed = (tmp_path / "installed").read_text()
    assert installed.index("install ./base") < installed.index("install ./candidate")
    assert "no regression" in (tmp_path / "summary.md").read_text()
    suites = ElementTree.parse(tmp_path / "gate.xml").getroot()
    thresholds = {
        text for words in commands_of(workflow) for text in words if re.search("[<>]", text)
    }
    assert thresholds <= {case.get("name") for case in suites.iter("testcase")}
    assert not (tmp_path / "worst-audio").exists()


def test_the_example_installs_this_version(path, workflow):
    if path == EXAMPLE:
        assert workflow["env"]["CODECBENCH"] == f"codecbench=={codecbench.__version__}"
        assert path.name in str(steps_of(workflow)), "the cache's key is made from another file"
