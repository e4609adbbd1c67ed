"""Any folder of audio files: ``folder:/data/mine`` or ``folder:path=/data/mine,language=en``."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydantic

from .. import component
from ..errors import UserError
from .base import Corpus, CorpusCard, Utterance
from .official import arranged
from .transcripts import matched, read_transcripts

_SUFFIXES = "aac aif aifc aiff au caf flac m4a mp3 oga ogg opus rf64 snd sph w64 wav wma"
SUFFIXES = frozenset(f".{suffix}" for suffix in _SUFFIXES.split())
"""Files that are utterances. Those that libsndfile cannot read (``.m4a``) become failure rows:
left out in silence they would change what is measured."""

UNKNOWN = "unknown"


class Folder(Corpus):
    """A folder of audio files, searched through all its sub-folders."""

    class Config(component.Config):
        """Configuration of `Folder`."""

        positional = "path"

        path: str
        """The folder."""
        label: str | None = None
        """Stands as the split in tables; the folder's name if not given."""
        speakers: str = "parent"
        """Who speaks: ``parent`` (the first folder below the path), ``none`` (not known), or a
        regular expression whose first group in the id (a relative path) is the speaker."""
        language: str | None = None
        """ISO 639-1 code of all files, such as en."""
        transcripts: str | None = None
        """A file of transcripts: TSV, CSV, ``id|text`` or ``id text``."""

        @pydantic.field_validator("label", "language", "transcripts", "path", "speakers")
        @classmethod
        def _not_empty(cls, value: str | None) -> str | None:
            if value is not None and not value.strip():
                raise ValueError("must not be empty")
            return value

        @pydantic.field_validator("speakers")
        @classmethod
        def _compiles(cls, value: str) -> str:
            try:
                re.compile(value)
            except re.error as error:
                raise ValueError(f"is not a regular expression: {error}") from error
            return value

    name = "folder"
    example = "folder:path/to/speech"
    card = CorpusCard(
        name="folder",
        title="A folder",
        description="Any folder of audio files, with or without transcripts.",
        licence="the files' own",
        homepage="",
    )
    config: Any

    def utterances(self) -> list[Utterance]:
        """List the files as utterances, sorted by id, without reading audio."""
        root = self._root()
        files = dict(_identified(root))
        if not files:
            raise UserError(f"folder: {root} holds no audio files ({', '.join(sorted(SUFFIXES))})")
        texts = self._transcripts(files)
        label = self.config.label or root.resolve().name or str(root)
        return arranged(
            Utterance(
                id=_id_of(path),
                corpus=self.name,
                split=label,
                speaker=self._speaker(_id_of(path)),
                language=self.config.language,
                transcript=texts.get(_id_of(path)) or None,
                path=root / path,
            )
            for path in files
        )

    def _root(self) -> Path:
        root = Path(self.config.path).expanduser()
        if not root.exists():
            raise UserError(f"folder: {root}: no such folder")
        if not root.is_dir():
            raise UserError(f"folder: {root} is a file; name the folder it lies in")
        return root

    def _transcripts(self, files: dict[Path, str]) -> dict[str, str]:
        if self.config.transcripts is None:
            return {}
        path = Path(self.config.transcripts).expanduser()
        return matched(read_transcripts(path), sorted(files.values()), path)

    def _speaker(self, utterance: str) -> str:
        rule = self.config.speakers
        if rule == "none":
            return UNKNOWN
        if rule == "parent":
            return utterance.split("/", 1)[0] if "/" in utterance else UNKNOWN
        match = re.search(rule, utterance)
        speaker = match and (match.group(1) if match.re.groups else match.group())
        if not speaker:
            raise UserError(
                f"folder: the pattern speakers={rule} finds no speaker in '{utterance}'"
            )
        return str(speaker)


def _id_of(path: Path) -> str:
    return path.with_suffix("").as_posix()


def _identified(root: Path) -> Iterator[tuple[Path, str]]:
    for path in audio_files(root):
        relative = path.relative_to(root)
        try:
            str(relative).encode("utf-8")
        except UnicodeEncodeError as error:
            raise UserError(
                f"folder: the name {os.fsencode(relative)!r} is not valid UTF-8; rename the file"
            ) from error
        yield relative, _id_of(relative)


def audio_files(root: Path) -> Iterator[Path]:
    """Yield the audio files below a folder; every real folder is entered once.

    Links to files and folders are followed, real folders before linked ones. Hidden names,
    pipes and devices are passed over; a folder that cannot be read is passed over with a warning.
    """
    entered: set[str] = set()
    linked = [root]
    while linked:
        pending, linked = linked, []
        for folder in pending:
            yield from _walk(folder, entered, linked)


def _walk(folder: Path, entered: set[str], linked: list[Path]) -> Iterator[Path]:
    real = os.path.realpath(folder)
    if real in entered:
        return
    entered.add(real)
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        raise UserError(f"folder: {folder} cannot be listed ({error.strerror})") from error
    for path in paths:
        if path.name.startswith("."):
            continue
        if path.is_dir():
            if path.is_symlink():
                linked.append(path)
            else:
                yield from _walk(path, entered, linked)
        elif path.suffix.lower() in SUFFIXES and _may_be_read(path):
            yield path


def _may_be_read(path: Path) -> bool:
    """Tell files, and links that lead nowhere (they fail by name), from pipes and devices."""
    return path.is_file() or (path.is_symlink() and not path.exists())
