"""Fixtures shared by all tests: where the real speech and the conformance data are."""

import os
from pathlib import Path

import pytest


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
    value = os.environ.get("CODECBENCH_CONFORMANCE", "")
    if not value and os.environ.get("CODECBENCH_DATA"):
        value = str(Path(os.environ["CODECBENCH_DATA"]).parent / "conformance")
    if not value or not Path(value).is_dir():
        pytest.skip("conformance data is absent: set CODECBENCH_CONFORMANCE to its folder")
    return Path(value)
