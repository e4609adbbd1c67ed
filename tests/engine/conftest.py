"""A small corpus and misbehaving plugins, installed as another distribution would be."""

import importlib
import sys
from pathlib import Path

import pytest

from codecbench import registry

from .voices import write_voice

TESTS = Path(__file__).parents[1]


@pytest.fixture
def plugins(tmp_path, monkeypatch):
    """Install tests/plugins.py for this process and its workers; return the log folder."""
    site = tmp_path / "site"
    info = site / "plugins-1.0.dist-info"
    info.mkdir(parents=True)
    source = TESTS / "plugins.py"
    (site / "plugins.py").write_text(source.read_text())
    namespace = {}
    exec(source.read_text(), namespace)
    (info / "entry_points.txt").write_text(namespace["ENTRY_POINTS"])
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plugins\nVersion: 1.0\n")
    log = tmp_path / "log"
    log.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(site))
    monkeypatch.setenv("PLUGIN_LOG", str(log))
    monkeypatch.syspath_prepend(str(site))
    sys.modules.pop("plugins", None)
    importlib.invalidate_caches()
    _forget()
    yield log
    sys.modules.pop("plugins", None)
    _forget()


def _forget():
    registry._entries.cache_clear()
    registry.column_owners.cache_clear()


@pytest.fixture
def corpus(tmp_path):
    """Six utterances of three speakers, three of them of even length."""
    folder = tmp_path / "speech"
    for number in range(6):
        speaker = folder / f"speaker{number % 3}"
        write_voice(speaker / f"u{number}.wav", 4000 + number, number)
    return folder
