import subprocess

import pytest

from .hostile_inputs import CASES, full_disk_command, make_inputs, on_full_disk, run_case


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    make_inputs(folder)
    return folder


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_is_said_in_lines_with_the_right_status(case, inputs):
    done = run_case(case, inputs)
    said = done.stderr + (done.stdout if case.status == 0 else "")
    assert done.returncode == case.status, said
    assert case.says in said
    assert "Traceback" not in done.stderr
    assert all(line.startswith("codecbench: ") for line in done.stderr.splitlines())
    if case.status:
        assert len(done.stderr.splitlines()) <= 3


def test_a_full_disk_is_said_and_loses_nothing():
    def check(disk):
        done = subprocess.run(full_disk_command(disk), capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert "No space left on device" in done.stderr.splitlines()[-1]
        assert "Traceback" not in done.stderr

    if not on_full_disk(check):
        pytest.skip("no file system can be mounted here")
