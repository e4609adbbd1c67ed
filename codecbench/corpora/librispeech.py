"""LibriSpeech: ``LibriSpeech/<split>/<speaker>/<chapter>/<speaker>-<chapter>-<number>.flac``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal

from .. import component
from ..errors import UserError
from .base import Archive, CorpusCard, Utterance
from .official import OfficialCorpus, SplitCount, read_text, visible

_URL = "https://www.openslr.org/resources/12"
_NAME = re.compile(r"(\d+)-(\d+)-(\d+)")

# MD5: md5sum.txt of the resource. Sizes: the Kaldi recipe egs/librispeech/s5. SHA-256: as
# torchaudio 2 checks them. The three agree on the archives that others report having hashed.
_ARCHIVES = {
    "dev-clean": (
        337926286,
        "42e2234ba48799c1f50f24a7926300a1",
        "76f87d090650617fca0cac8f88b9416e0ebf80350acb97b343a85fa903728ab3",
    ),
    "dev-other": (
        314305928,
        "c8d0bcc9cca99d4f8b62fcc847357931",
        "12661c48e8c3fe1de2c1caa4c3e135193bfb1811584f11f569dd12645aa84365",
    ),
    "test-clean": (
        346663984,
        "32fa31d27d2e1cad72775fee3f4849a9",
        "39fde525e59672dc6d1551919b1478f724438a95aa55f874b576be21967e6c23",
    ),
    "test-other": (
        328757843,
        "fb5a50374b501bb3bac4815ee91d3135",
        "d09c181bba5cf717b3dee7d4d592af11a3ee3a09e08ae025c5506f6ebe961c29",
    ),
    "train-clean-100": (
        6387309499,
        "2a93770f6d5c6c964bc36631d331a522",
        "d4ddd1d5a6ab303066f14971d768ee43278a5f2a0aa43dc716b0e64ecbbbf6e2",
    ),
    "train-clean-360": (
        23049477885,
        "c0e676e450a7ff2f54aeade5171606fa",
        "146a56496217e96c14334a160df97fffedd6e0a04e66b9c5af0d40be3c792ecf",
    ),
    "train-other-500": (
        30593501606,
        "d1a0fd59409feb2c614ce4d30c387708",
        "ddb22f27f96ec163645d53215559df6aa36515f26e01dd70798188350adcb6d2",
    ),
}

TEST_SPLITS = ("test-clean", "test-other")


class LibriSpeech(OfficialCorpus):
    """Read English from LibriVox audiobooks, 16 kHz."""

    class Config(component.Config):
        """Configuration of `LibriSpeech`."""

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

    name = "librispeech"
    card = CorpusCard(
        name="librispeech",
        title="LibriSpeech",
        description="Read English speech from LibriVox audiobooks (Panayotov et al. 2015).",
        licence="CC BY 4.0",
        homepage="https://www.openslr.org/12",
        languages=("en",),
        sample_rate=16000,
        splits=tuple(_ARCHIVES),
        default_splits=TEST_SPLITS,
        folder="LibriSpeech",
        archives=tuple(
            Archive(f"{_URL}/{split}.tar.gz", size, md5, sha256, (split,))
            for split, (size, md5, sha256) in _ARCHIVES.items()
        ),
    )
    # Hours and speakers: summed over the corpus's own SPEAKERS.TXT (the paper's table has the
    # hours of dev-other and test-other the other way round). Utterances: the transcripts' lines.
    published: ClassVar = {
        "dev-clean": SplitCount(2703, 40, 5.39),
        "dev-other": SplitCount(2864, 33, 5.12),
        "test-clean": SplitCount(2620, 40, 5.40),
        "test-other": SplitCount(2939, 33, 5.34),
        "train-clean-100": SplitCount(28539, 251, 100.59),
        "train-clean-360": SplitCount(104014, 921, 363.61),
        "train-other-500": SplitCount(148688, 1166, 496.86),
    }
    groups: ClassVar = {"test": TEST_SPLITS}
    layout = "<split>/<speaker>/<chapter>/<speaker>-<chapter>-<number>.flac"

    def _list(self, folder: Path, split: str) -> Iterator[Utterance]:
        for chapter in visible(folder / split, "*/*"):
            if not chapter.is_dir():
                continue
            transcripts = read_chapter(chapter)
            for path in visible(chapter, "*.flac"):
                yield Utterance(
                    id=path.stem,
                    corpus=self.name,
                    split=split,
                    speaker=_speaker(path),
                    language="en",
                    transcript=transcripts.get(path.stem),
                    path=path,
                )


def _speaker(path: Path) -> str:
    match = _NAME.fullmatch(path.stem)
    if match is None or match.group(1, 2) != (path.parent.parent.name, path.parent.name):
        raise UserError(
            f"librispeech: {path} is not where and as the official layout has it:"
            f" {LibriSpeech.layout}"
        )
    return match.group(1)


def read_chapter(chapter: Path) -> dict[str, str]:
    """Read ``<speaker>-<chapter>.trans.txt``: lines of id and text; nothing if it is absent."""
    path = chapter / f"{chapter.parent.name}-{chapter.name}.trans.txt"
    if not path.is_file():
        return {}
    texts = {}
    for number, line in enumerate(read_text(path).splitlines(), 1):
        utterance, _, text = line.strip().partition(" ")
        if not utterance:
            continue
        if not _NAME.fullmatch(utterance) or not text.strip():
            raise UserError(f"{path}:{number}: expected '<id> <text>'")
        texts[utterance] = text.strip()
    return texts
