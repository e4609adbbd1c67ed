"""Audio decoded elsewhere, looked up by utterance id; its rate given, counted or unknown."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

import pydantic

from ...audio import Audio, read_audio
from ...bitstream import SUFFIX, Bitstream
from ...codec import CodecCard, DecodedSource, Precoded
from ...component import Config
from ...corpora.base import Utterance
from ...errors import AudioError, BitstreamError, CodecError
from ..delay_option import Delay, declared
from .folder import Entry, content_hash, inventory, shown

_LONGEST_NUMBER = 20

_RATES = {
    "claim": "as given (kbps=), not counted",
    "files": "counted from the .bits or bitstream files beside the audio",
    "none": "not known",
}


class DecodedConfig(Config):
    """Configuration of `DecodedFolder`."""

    positional: ClassVar[str | None] = "dir"

    dir: str = pydantic.Field(min_length=1)
    """Folder with the decoded audio, searched with its sub-folders."""
    kbps: float | None = pydantic.Field(default=None, ge=0, le=10_000, allow_inf_nan=False)
    """Rate as claimed; if not given, counted from files beside the audio."""
    delay: Delay = "auto"
    """Samples by which the audio is late; auto: one delay is estimated for the folder."""
    label: str | None = pydantic.Field(default=None, min_length=1, max_length=80)
    """What tables call it."""

    @pydantic.field_validator("dir")
    @classmethod
    def _no_nul(cls, folder: str) -> str:
        if "\0" in folder:
            raise ValueError("a path holds no NUL character")
        return folder


class DecodedFolder(DecodedSource):
    """A folder of decoded audio."""

    name = "decoded"
    example = "decoded:dir=path/to/decoded"
    Config = DecodedConfig
    config: DecodedConfig

    @property
    def names_outside_sources(self) -> bool:
        """Always: its spec is a folder."""
        return True

    @property
    def card(self) -> CodecCard:
        """The card of this configuration.

        Raises
        ------
        UnavailableError
            If the folder is not there.
        """
        config = self.config
        return CodecCard(
            name=self.name,
            title=config.label or Path(config.dir).name or config.dir,
            description="Audio that was decoded elsewhere.",
            licence="unknown",
            delay_samples=declared(config.delay),
            nominal_kbps=config.kbps,
            weights_sha256=content_hash(config.dir),
            notes=(f"rate: {_RATES[self._rate_source]}",),
            rate_source=self._rate_source,
        )

    @property
    def _rate_source(self) -> Literal["files", "claim", "none"]:
        if self.config.kbps is not None:
            return "claim"
        return "files" if inventory(self.config.dir).has_rates else "none"

    def check_available(self) -> None:
        """Raise `UnavailableError` if the folder is not there or holds no audio."""
        super().check_available()
        inventory(self.config.dir)

    def lookup(self, utterance: Utterance) -> Precoded:
        """Return the decoded audio of an utterance and its rate.

        Raises
        ------
        CodecError
            If its file is missing, ambiguous or unreadable, or what lies beside it is malformed.
        """
        entry = inventory(self.config.dir).find(utterance)
        audio = _read(entry.audio[0])
        if self.config.kbps is not None:
            bits = round(1000 * self.config.kbps * utterance.audio().seconds)
            return Precoded(audio, bits, 0)
        counted = _counted(entry)
        return Precoded(audio, *counted) if counted else Precoded(audio, None, None)


def _read(path: Path) -> Audio:
    try:
        return read_audio(path)
    except AudioError as error:
        raise CodecError(shown(error)) from error


def _counted(entry: Entry) -> tuple[int, int] | None:
    """Return main and side bits from what lies beside the audio; None if there is nothing."""
    try:
        if entry.bits is not None:
            return _number(entry.bits), 0
        if len(entry.bitstreams) > 1:
            names = " and ".join(shown(path.name) for path in entry.bitstreams[:2])
            raise CodecError(f"the rate is ambiguous: both {names} lie beside the audio")
        return _size(entry.bitstreams[0]) if entry.bitstreams else None
    except OSError as error:
        raise CodecError(f"{shown(error.filename)}: {error.strerror or error}") from error


def _number(path: Path) -> int:
    with path.open("rb") as file:
        text = file.read(_LONGEST_NUMBER + 1).strip()
    if not text.isdigit() or len(text) > _LONGEST_NUMBER:
        raise CodecError(f"{shown(path)}: holds no whole number of bits")
    return int(text)


def _size(path: Path) -> tuple[int, int]:
    if path.suffix.lower() != SUFFIX:
        return 8 * path.stat().st_size, 0
    try:
        bitstream = Bitstream.from_bytes(path.read_bytes())
    except BitstreamError as error:
        raise CodecError(f"{shown(path)}: {error}") from error
    return bitstream.main_bits, bitstream.side_bits
