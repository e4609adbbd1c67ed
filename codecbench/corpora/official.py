"""What the published corpora share: splits, their published sizes, and strict listing."""

from __future__ import annotations

import abc
import fnmatch
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from ..errors import UserError
from .base import Corpus, Utterance
from .locate import locate


@dataclass(frozen=True)
class SplitCount:
    """How large a split is, as published; None where nothing reliable was published.

    Parameters
    ----------
    utterances, speakers : int or None
    hours : float or None
    """

    utterances: int | None = None
    speakers: int | None = None
    hours: float | None = None


class OfficialCorpus(Corpus):
    """A corpus in its official layout; the configuration's ``split`` says which part."""

    published: ClassVar[dict[str, SplitCount]]
    """Published size of every split."""
    groups: ClassVar[dict[str, tuple[str, ...]]] = {}
    """Names for several splits together, such as ``test``."""

    config: Any

    def splits(self) -> tuple[str, ...]:
        """List the official splits that the configuration asks for."""
        return self.groups.get(self.config.split, (self.config.split,))

    def utterances(self) -> list[Utterance]:
        """List the utterances, sorted by split and id, without reading audio."""
        found: list[Utterance] = []
        for split in self.splits():
            of_split = list(self._list(self._folder(split), split))
            if not of_split:
                raise UserError(
                    f"{self.name}: {self._folder(split)} holds no audio of split {split};"
                    f" expected {self.layout}"
                )
            found += of_split
        return arranged(found)

    def published_count(self, split: str) -> SplitCount:
        """Return what a split should hold under this configuration."""
        return self.published.get(split, SplitCount())

    layout: ClassVar[str]
    """Where the audio lies below the corpus's folder, for messages."""

    def _folder(self, split: str) -> Path:
        return locate(self.card, self.data_roots, split)

    @abc.abstractmethod
    def _list(self, folder: Path, split: str) -> Iterator[Utterance]:
        """Yield the utterances of a split, in any order."""


def arranged(utterances: Iterable[Utterance]) -> list[Utterance]:
    """Sort by split and id and refuse ids that occur twice.

    Raises
    ------
    UserError
        Naming the two files.
    """
    ordered = sorted(utterances, key=lambda item: (item.split, item.id))
    for one, other in itertools.pairwise(ordered):
        if one.key == other.key:
            raise UserError(
                f"{one.corpus}: two files have the id '{one.id}': {one.path} and {other.path}"
            )
    return ordered


def visible(folder: Path, pattern: str) -> list[Path]:
    """List the paths of a pattern such as ``*/*.wav``, without hidden ones (``._x`` of macOS).

    Raises
    ------
    UserError
        If a folder cannot be read (`Path.glob` would pass over it in silence).
    """
    *parents, last = pattern.split("/")
    folders = [folder]
    for part in parents:
        folders = [path for found in folders for path in _children(found, part)]
        folders = [path for path in folders if path.is_dir()]
    return [path for found in folders for path in _children(found, last)]


def _children(folder: Path, pattern: str) -> list[Path]:
    try:
        paths = list(folder.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise UserError(f"{folder}: cannot be listed ({error.strerror})") from error
    return [
        path
        for path in paths
        if fnmatch.fnmatchcase(path.name, pattern) and not path.name.startswith(".")
    ]


def read_text(path: Path) -> str:
    """Read UTF-8 text.

    Raises
    ------
    UserError
        If it cannot be read or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise UserError(f"{path}: cannot be read ({reason})") from error


def read_sentence(path: Path) -> str | None:
    """Read the transcript in a file of its own; None if the file is absent or blank."""
    if not path.is_file():
        return None
    return " ".join(read_text(path).split()) or None
