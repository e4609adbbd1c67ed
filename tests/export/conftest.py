"""The run that tests of exports share."""

import pytest

from .made_run import make


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    return make(tmp_path_factory.mktemp("runs") / "one")
