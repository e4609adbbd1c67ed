"""VCTK 0.92: ``VCTK-Corpus-0.92/wav48_silence_trimmed/<speaker>/<id>_mic1.flac`` and ``txt/``.

The corpus has no official split; everything is split ``all``. The text of speaker p315 was lost
(transcript None), and p280 and p315 have no recordings of the second microphone. Utterances of
the second microphone carry ``_mic2`` in their id, so that both can stand in one run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal

from .. import component
from ..errors import UserError
from .base import Archive, CorpusCard, Utterance
from .locate import locate
from .official import OfficialCorpus, SplitCount, read_sentence, visible

_NAME = re.compile(r"((?:p|s)\d+)_(\d+)_mic[12]")
_AUDIO = "wav48_silence_trimmed"


class Vctk(OfficialCorpus):
    """English of many accents, newspaper sentences, 48 kHz."""

    class Config(component.Config):
        """Configuration of `Vctk`."""

        split: Literal["all"] = "all"
        """The corpus has no official split."""
        mic: Literal["mic1", "mic2"] = "mic1"
        """Microphone: mic1 is omnidirectional (DPA 4035), mic2 a Sennheiser MKH 800."""

    name = "vctk"
    # MD5 and size: the metadata of the repository's record. SHA-256: as torchaudio 2 checks it.
    card = CorpusCard(
        name="vctk",
        title="VCTK 0.92",
        description="110 speakers of English with various accents (Yamagishi et al. 2019).",
        licence="CC BY 4.0",
        homepage="https://datashare.ed.ac.uk/handle/10283/3443",
        languages=("en",),
        sample_rate=48000,
        splits=("all",),
        default_splits=("all",),
        folder="VCTK-Corpus-0.92",
        archives=(
            Archive(
                "https://datashare.ed.ac.uk/bitstream/handle/10283/3443/VCTK-Corpus-0.92.zip",
                11747302977,
                "8a6ba2946b36fcbef0212cad601f4bfa",
                "f96258be9fdc2cbff6559541aae7ea4f59df3fcaf5cf963aae5ca647357e359c",
            ),
        ),
    )
    # The repository's record gives the speakers; no count of files or hours is published.
    published: ClassVar = {"all": SplitCount(speakers=110)}
    layout = f"{_AUDIO}/<speaker>/<speaker>_<number>_mic1.flac"

    def _folder(self, split: str) -> Path:
        return locate(self.card, self.data_roots)

    def published_count(self, split: str) -> SplitCount:
        """Return what there should be: two speakers lack the second microphone."""
        return SplitCount(speakers=108) if self.config.mic == "mic2" else self.published[split]

    def _list(self, folder: Path, split: str) -> Iterator[Utterance]:
        for path in visible(folder, f"{_AUDIO}/*/*_{self.config.mic}.flac"):
            match = _NAME.fullmatch(path.stem)
            if match is None or match.group(1) != path.parent.name:
                raise UserError(
                    f"vctk: {path} is not where and as the official layout has it: {self.layout}"
                )
            spoken = path.stem.removesuffix("_mic1")
            text = "_".join(match.groups()) + ".txt"
            yield Utterance(
                id=spoken,
                corpus=self.name,
                split=split,
                speaker=match.group(1),
                language="en",
                transcript=read_sentence(folder / "txt" / path.parent.name / text),
                path=path,
            )
