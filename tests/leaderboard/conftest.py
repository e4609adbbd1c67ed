"""A folder with two small leaderboards on three utterances of the demo corpus."""

import csv
import shutil
from pathlib import Path

import pytest

from codecbench.registry import load_corpus
from codecbench.subset import subset
from codecbench.utterance_list import ListedUtterance, write_list

from .board_commands import build

DEFINITION = """
title = "Small"
about = "Three *utterances*."
rate = 16000
codecs = ["opus:kbps=12|6", "mulaw", "identity"]
metrics = ["kbps", "stoi", "si_sdr"]
overview = ["stoi"]
sort = "stoi"

[[corpora]]
name = "demo"
utterances = "three.csv"
"""

PUBLISHED = """
title = "Of papers"
about = "Read."
published = "numbers.csv"
"""

NUMBERS = [
    ["Opus", "", "6", "demo", "STOI", "0.90", "text", "1234.5678", "2"],
    ["Opus", "", "6", "demo", "PESQ", "2.1", "text", "1234.5678", "2"],
    ["Opus", "wide", "", "demo", "PESQ", "3", "read from a plot", "1234.5678", "Figure 3"],
]
FIELDS = ["system", "variant", "bitrate_kbps", "dataset", "metric", "value", "source", "arxiv_id",
          "table"]  # fmt: skip

README = "# Boards\n\n<!-- leaderboards -->\n<!-- end -->\n\nThe end.\n"


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """A folder of leaderboards, built once; tests that write take `boards`."""
    folder = tmp_path_factory.mktemp("leaderboards")
    three = subset(load_corpus("demo").utterances(), 3)
    write_list(folder / "three.csv", map(ListedUtterance.reading, three))
    (folder / "small.toml").write_text(DEFINITION)
    (folder / "papers.toml").write_text(PUBLISHED)
    with (folder / "numbers.csv").open("w", newline="") as file:
        csv.writer(file).writerows([FIELDS, *NUMBERS])
    (folder / "README.md").write_text(README)
    assert build(folder) == 0
    return folder


@pytest.fixture
def boards(built, tmp_path) -> Path:
    """A copy of the folder, to be changed."""
    return Path(shutil.copytree(built, tmp_path / "leaderboards"))
