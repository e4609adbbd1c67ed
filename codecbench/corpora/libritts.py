"""LibriTTS: ``LibriTTS/<split>/<speaker>/<chapter>/<id>.wav`` with ``<id>.normalized.txt``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal

from .. import component
from ..errors import UserError
from .base import Archive, CorpusCard, Utterance
from .official import OfficialCorpus, SplitCount, read_sentence, visible

_URL = "https://www.openslr.org/resources/60"
_NAME = re.compile(r"(\d+)_(\d+)_(\d+)_(\d+)")

# MD5: md5sum.txt of the resource. Sizes: the ESPnet recipe egs2/libritts. SHA-256: as
# torchaudio 2 checks them.
_ARCHIVES = {
    "dev-clean": (
        1291469655,
        "0c3076c1e5245bb3f0af7d82087ee207",
        "da0864e1bd26debed35da8a869dd5c04dfc27682921936de7cff9c8a254dbe1a",
    ),
    "dev-other": (
        924804676,
        "815555d8d75995782ac3ccd7f047213d",
        "d413eda26f3a152ac7c9cf3658ef85504dfb1b625296e5fa83727f5186cca79c",
    ),
    "test-clean": (
        1230670113,
        "7bed3bdb047c4c197f1ad3bc412db59f",
        "234ea5b25859102a87024a4b9b86641f5b5aaaf1197335c95090cde04fe9a4f5",
    ),
    "test-other": (
        964502297,
        "ae3258249472a13b5abef2a816f733e4",
        "33a5342094f3bba7ccc2e0500b9e72d558f72eb99328ac8debe1d9080402f10d",
    ),
    "train-clean-100": (
        7723686890,
        "4a8c202b78fe1bc0c47916a98f3a2ea8",
        "c5608bf1ef74bb621935382b8399c5cdd51cd3ee47cec51f00f885a64c6c7f6b",
    ),
    "train-clean-360": (
        27504073644,
        "a84ef10ddade5fd25df69596a2767b2d",
        "ce7cff44dcac46009d18379f37ef36551123a1dc4e5c8e4eb73ae57260de4886",
    ),
    "train-other-500": (
        44565031479,
        "7b181dd5ace343a5f38427999684aa6f",
        "e35f7e34deeb2e2bdfe4403d88c8fdd5fbf64865cae41f027a185a6965f0a5df",
    ),
}

TEST_SPLITS = ("test-clean", "test-other")


class LibriTTS(OfficialCorpus):
    """Read English from LibriVox audiobooks, cut at sentences, 24 kHz."""

    class Config(component.Config):
        """Configuration of `LibriTTS`."""

        positional = "split"

        split: Literal[
            "test",
            "test-clean",
            "test-other",
            "dev-clean",
            "dev-other",
            "train-clean-100",
            "train-clean-360",
            "train-other-500",
        ] = "test"
        """An official split; ``test`` is test-clean and test-other together."""

    name = "libritts"
    card = CorpusCard(
        name="libritts",
        title="LibriTTS",
        description="English audiobooks cut at sentences, for synthesis (Zen et al. 2019).",
        licence="CC BY 4.0",
        homepage="https://www.openslr.org/60",
        languages=("en",),
        sample_rate=24000,
        splits=tuple(_ARCHIVES),
        default_splits=TEST_SPLITS,
        speakers_of="librispeech",
        folder="LibriTTS",
        archives=tuple(
            Archive(f"{_URL}/{split}.tar.gz", size, md5, sha256, (split,))
            for split, (size, md5, sha256) in _ARCHIVES.items()
        ),
    )
    # Hours and speakers: the paper's table 2. Utterances: the catalogue of TensorFlow Datasets.
    published: ClassVar = {
        "dev-clean": SplitCount(5736, 40, 8.97),
        "dev-other": SplitCount(4613, 33, 6.43),
        "test-clean": SplitCount(4837, 39, 8.56),
        "test-other": SplitCount(5120, 33, 6.69),
        "train-clean-100": SplitCount(33236, 247, 53.78),
        "train-clean-360": SplitCount(116500, 904, 191.29),
        "train-other-500": SplitCount(205044, 1160, 310.08),
    }
    groups: ClassVar = {"test": TEST_SPLITS}
    layout = "<split>/<speaker>/<chapter>/<speaker>_<chapter>_<segment>_<number>.wav"

    def _list(self, folder: Path, split: str) -> Iterator[Utterance]:
        for path in visible(folder / split, "*/*/*.wav"):
            match = _NAME.fullmatch(path.stem)
            if match is None or match.group(1, 2) != (path.parent.parent.name, path.parent.name):
                raise UserError(
                    f"libritts: {path} is not where and as the official layout has it:"
                    f" {self.layout}"
                )
            yield Utterance(
                id=path.stem,
                corpus=self.name,
                split=split,
                speaker=match.group(1),
                language="en",
                transcript=read_sentence(path.with_suffix(".normalized.txt")),
                path=path,
            )
