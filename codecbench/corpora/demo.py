"""The bundled demo corpus: synthetic speech that needs neither a download nor a network."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal

from .. import component
from .base import CorpusCard, Utterance
from .official import OfficialCorpus, SplitCount, read_text

DATA = Path(__file__).resolve().parent / "demo_data"
COLUMNS = ("id", "speaker", "language", "synthesizer", "voice", "seconds", "sha256", "transcript")
"""Columns of ``manifest.csv``; sha256 is of the FLAC file."""

_COUNTS = {"all": SplitCount(36, 12), "en": SplitCount(27, 9), "zh": SplitCount(9, 3)}


class Demo(OfficialCorpus):
    """Short sentences by the voices of flite and espeak-ng, 16 kHz.

    Synthetic voices are no measure of a codec's quality: the corpus is for trying things out.
    """

    class Config(component.Config):
        """Configuration of `Demo`."""

        split: Literal["test"] = "test"
        """The corpus has one split."""
        language: Literal["all", "en", "zh"] = "all"
        """Only the English or the Mandarin sentences."""

    name = "demo"
    card = CorpusCard(
        name="demo",
        title="Demo",
        description="Bundled synthetic speech (flite, espeak-ng) for trying things out.",
        licence="CC0 1.0",
        homepage="",
        languages=("en", "zh"),
        sample_rate=16000,
        splits=("test",),
        default_splits=("test",),
    )
    published: ClassVar = {"test": _COUNTS["all"]}
    layout = "<split>/<speaker>/<id>.flac"

    def _folder(self, split: str) -> Path:
        return DATA

    def published_count(self, split: str) -> SplitCount:
        """Return what there should be of the chosen language."""
        return _COUNTS[self.config.language]

    def _list(self, folder: Path, split: str) -> Iterator[Utterance]:
        for row in read_manifest(folder):
            if self.config.language not in ("all", row["language"]):
                continue
            yield Utterance(
                id=row["id"],
                corpus=self.name,
                split=split,
                speaker=row["speaker"],
                language=row["language"],
                transcript=row["transcript"],
                path=folder / split / row["speaker"] / f"{row['id']}.flac",
            )


def read_manifest(folder: Path = DATA) -> list[dict[str, str]]:
    """Read the rows of ``manifest.csv`` (see `COLUMNS`)."""
    return list(csv.DictReader(io.StringIO(read_text(folder / "manifest.csv"))))
