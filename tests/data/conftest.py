"""A web server on this machine that behaves well or badly."""

import pytest

from .server import serving


@pytest.fixture
def site():
    with serving() as running:
        yield running
