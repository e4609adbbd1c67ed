"""Completion as bash asks for it."""

import os
import subprocess
import sys

import pytest


def offered(line):
    program = "import sys; from codecbench.cli.main import main; main([])"
    words = line.split(" ")
    environment = {
        **os.environ,
        "_CODECBENCH_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
    }
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("codecbench run --codec op", ["opus"]),
        ("codecbench run --corpus lib", ["librispeech", "libritts"]),
        ("codecbench run --metrics stoi,pesq_w", ["stoi,pesq_wb", "stoi,pesq_wb_cor2"]),
        ("codecbench describe esto", ["estoi"]),
        ("codecbench describe l", ["lc3", "lowpass", "librispeech", "libritts", "ljspeech",
                                   "lost_packets", "lsd", "lsd_inband"]),
    ],
)  # fmt: skip
def test_registered_names_are_offered(line, names):
    assert offered(line) == names
