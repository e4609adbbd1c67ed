"""A little speech and recipes for a tiny codec."""

import pytest
import torch

from .tiny import recipe_text, write_speech


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def speech(tmp_path_factory):
    """A folder of ten utterances of five speakers at 8 kHz."""
    return write_speech(tmp_path_factory.mktemp("speech"))


@pytest.fixture
def recipe(speech, tmp_path):
    """Write a recipe; arguments as of `recipe_text`."""

    def write(**parts):
        path = tmp_path / "recipe.toml"
        path.write_text(recipe_text(speech, **parts))
        return path

    return write
