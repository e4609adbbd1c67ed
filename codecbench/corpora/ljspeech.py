"""LJ Speech 1.1: ``LJSpeech-1.1/wavs/LJ001-0001.wav`` and ``metadata.csv``.

The corpus has no official split and one speaker; everything is split ``all``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal

from .. import component
from ..errors import UserError
from .base import Archive, CorpusCard, Utterance
from .locate import locate
from .official import OfficialCorpus, SplitCount, read_text, visible


class LJSpeech(OfficialCorpus):
    """One woman reading English non-fiction, 22.05 kHz."""

    class Config(component.Config):
        """Configuration of `LJSpeech`."""

        split: Literal["all"] = "all"
        """The corpus has no official split."""

    name = "ljspeech"
    # SHA-256: as torchaudio 2 checks it, and as several others report it of these 2748572632
    # bytes; MD5: as others report it. The publisher gives none.
    card = CorpusCard(
        name="ljspeech",
        title="LJ Speech 1.1",
        description="One speaker reading passages from seven non-fiction books (Ito 2017).",
        licence="public domain",
        homepage="https://keithito.com/LJ-Speech-Dataset/",
        languages=("en",),
        sample_rate=22050,
        splits=("all",),
        default_splits=("all",),
        folder="LJSpeech-1.1",
        archives=(
            Archive(
                "https://data.keithito.com/data/speech/LJSpeech-1.1.tar.bz2",
                2748572632,
                "c4763be9595ddfa79c2fc6eaeb3b6c8e",
                "be1a30453f28eb8dd26af4101ae40cbf2c50413b1bb21936cbcdc6fae3de8aa5",
            ),
        ),
    )
    # The corpus's page: 13,100 clips, 23:55:17.
    published: ClassVar = {"all": SplitCount(13100, 1, 23.92)}
    layout = "wavs/*.wav"

    def _folder(self, split: str) -> Path:
        return locate(self.card, self.data_roots)

    def _list(self, folder: Path, split: str) -> Iterator[Utterance]:
        texts = _read_metadata(folder / "metadata.csv")
        for path in visible(folder, "wavs/*.wav"):
            yield Utterance(
                id=path.stem,
                corpus=self.name,
                split=split,
                speaker="LJ",
                language="en",
                transcript=texts.get(path.stem),
                path=path,
            )


def _read_metadata(path: Path) -> dict[str, str]:
    """Read ``id|text|normalised text`` (no quoting); the normalised text where there is one."""
    if not path.is_file():
        return {}
    texts = {}
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if not line.strip():
            continue
        columns = line.split("|")
        if len(columns) not in (2, 3):
            raise UserError(f"{path}:{number}: expected 'id|text|normalised text'")
        texts[columns[0]] = columns[-1].strip() or columns[1].strip()
    return texts
