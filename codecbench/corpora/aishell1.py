"""AISHELL-1: ``data_aishell/wav/<split>/<speaker>/<id>.wav`` and one transcript file.

The published archive holds one archive a speaker (``wav/S0002.tar.gz``), each of which unpacks
to ``<split>/<speaker>/``; `codecbench data fetch` unpacks those too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal

from .. import component
from ..errors import UnavailableError, UserError
from .base import Archive, CorpusCard, Utterance
from .locate import how_to_fetch, locate
from .official import OfficialCorpus, SplitCount, read_text, visible

_CJK = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_SPACE_AT_CJK = re.compile(rf"(?<=[{_CJK}])\s+|\s+(?=[{_CJK}])")


class Aishell1(OfficialCorpus):
    """Read Mandarin recorded in quiet rooms, 16 kHz."""

    class Config(component.Config):
        """Configuration of `Aishell1`."""

        positional = "split"

        split: Literal["test", "dev", "train"] = "test"
        """An official split."""

    name = "aishell1"
    # MD5: the publisher's, as PaddleSpeech and others check it. Size: the Kaldi recipe
    # egs/aishell/s5.
    card = CorpusCard(
        name="aishell1",
        title="AISHELL-1",
        description="Read Mandarin by 400 speakers from all over China (Bu et al. 2017).",
        licence="Apache-2.0",
        homepage="https://www.openslr.org/33",
        languages=("zh",),
        sample_rate=16000,
        splits=("train", "dev", "test"),
        default_splits=("test",),
        folder="data_aishell",
        archives=(
            Archive(
                "https://www.openslr.org/resources/33/data_aishell.tgz",
                15582913665,
                "2f494334227864a8a8fec932999db9d8",
            ),
        ),
    )
    # Speakers: the paper. Utterances: as counted in the corpus by several recipes. Hours: None,
    # for the paper's (150, 10, 5) are not those of the published splits.
    published: ClassVar = {
        "train": SplitCount(120098, 340),
        "dev": SplitCount(14326, 40),
        "test": SplitCount(7176, 20),
    }
    layout = "wav/<split>/<speaker>/<id>.wav"

    def _folder(self, split: str) -> Path:
        try:
            return locate(self.card, self.data_roots, split, f"wav/{split}")
        except UnavailableError:
            self._refuse_nested(locate(self.card, self.data_roots), split)
            raise

    def _refuse_nested(self, folder: Path, split: str) -> None:
        packed = visible(folder, "wav/*.tar.gz")
        if packed:
            raise UserError(
                f"{self.name}: {folder / 'wav'} holds {len(packed)} archives of single speakers"
                f" and no {split} folder; unpack each of them there, or"
                f" {how_to_fetch(self.card)}"
            )

    def _list(self, folder: Path, split: str) -> Iterator[Utterance]:
        texts = _read_transcripts(folder / "transcript" / "aishell_transcript_v0.8.txt")
        for path in visible(folder, f"wav/{split}/*/*.wav"):
            yield Utterance(
                id=path.stem,
                corpus=self.name,
                split=split,
                speaker=path.parent.name,
                language="zh",
                transcript=texts.get(path.stem),
                path=path,
            )


def _read_transcripts(path: Path) -> dict[str, str]:
    """Read lines of id and text.

    The official file separates words by spaces, copies of it do not; spaces beside Chinese
    characters are dropped, so that both give the same transcript.
    """
    if not path.is_file():
        return {}
    texts = {}
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if not line.strip():
            continue
        columns = line.split(maxsplit=1)
        if len(columns) != 2:
            raise UserError(f"{path}:{number}: expected '<id> <text>'")
        texts[columns[0]] = _SPACE_AT_CJK.sub("", columns[1].strip())
    return texts
