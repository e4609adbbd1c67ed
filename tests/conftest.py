"""Fixtures shared by all tests: where the real speech and the conformance data are."""

import os
from pathlib import Path

import pytest

from codecbench.processes import SINGLE_THREAD

# Before anything loads torch: a worker runs on each core, and threads that wait for each other
# burn the processor time by which tests bound hostile input.
for variable, count in SINGLE_THREAD.items():
    os.environ.setdefault(variable, count)


@pytest.fixture(scope="session")
def data_root() -> Path:
    """Folder with the corpora in their official layouts (``CODECBENCH_DATA``)."""
    value = os.environ.get("CODECBENCH_DATA", "")
    if not value or not Path(value).is_dir():
        pytest.skip("real speech is absent: set CODECBENCH_DATA to a folder holding the corpora")
    return Path(value)


@pytest.fixture(scope="session")
def conformance_root() -> Path:
    """Folder with audio and authoritative expected values (``CODECBENCH_CONFORMANCE``)."""
    return _beside_the_data("conformance", "CODECBENCH_CONFORMANCE", "conformance data is absent")


@pytest.fixture(scope="session")
def parity_root() -> Path:
    """Folder with numbers recorded from authors' code (``CODECBENCH_PARITY``)."""
    return _beside_the_data("parity", "CODECBENCH_PARITY", "parity vectors are absent")


def _beside_the_data(name: str, variable: str, absent: str) -> Path:
    """Return the folder that a variable names, else the one beside the corpora; skip without."""
    value = os.environ.get(variable, "")
    if not value and os.environ.get("CODECBENCH_DATA"):
        value = str(Path(os.environ["CODECBENCH_DATA"]).parent / name)
    if not value or not Path(value).is_dir():
        pytest.skip(f"{absent}: set {variable} to its folder")
    return Path(value)
