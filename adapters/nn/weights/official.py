"""Weights that a codec's authors published."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ....corpora.base import Archive
from ....data.checksums import Progress
from ....data.download import download
from ....data.fetch import archive_name
from ....data.unpack import unpack
from ....errors import UserError
from ....files import write_text_atomic
from .cache import cache_root, check_cached, is_safe_address, locked
from .header import file_sha256

_PACKED = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
_COMPLETE = "complete.json"
"""Names every file of a finished folder with its checksum."""


@dataclass(frozen=True)
class OfficialWeights:
    """Where the authors' weights are, or why they are not to be had.

    Parameters
    ----------
    archives : tuple of Archive
        Files, and packed folders, which are unpacked; each with its SHA-256.
    member : str
        The weights file among them, relative to the folder they are put into.
    reason : str or None
        Why they cannot be fetched, and what to do instead; None if they can.
    first_use : bool
        Whether archives without a SHA-256 are taken, for authors who publish none: what came first
        over an encrypted connection is kept, and refused once a file of it has changed.
    """

    archives: tuple[Archive, ...]
    member: str
    reason: str | None = None
    first_use: bool = False

    def __post_init__(self) -> None:
        if self.reason is None and not self.archives:
            raise ValueError("official weights need archives or a reason for having none")
        if self.first_use and not all(is_safe_address(one.url) for one in self.archives):
            raise ValueError("official weights without SHA-256 need an encrypted connection")
        if not self.first_use and any(archive.sha256 is None for archive in self.archives):
            raise ValueError("every archive of official weights needs its SHA-256")

    @classmethod
    def file(cls, archive: Archive) -> Self:
        """Describe weights that are published as one file."""
        return cls((archive,), archive_name(archive))

    @classmethod
    def unavailable(cls, reason: str) -> Self:
        """Describe weights that cannot be fetched, and what to do instead."""
        return cls((), "", reason)

    def fetched(self, codec: str, progress: Progress | None = None) -> Path:
        """Return the weights file in the user's cache, fetched first if it is not there.

        Raises
        ------
        UserError
            If a download fails or is not the published file, or the cache is damaged.
        """
        names = "".join(archive.sha256 or archive.url for archive in self.archives)
        digest = hashlib.sha256(f"{names}{self.member}".encode()).hexdigest()
        folder = cache_root() / codec / digest[:16]
        if not (folder / _COMPLETE).exists():
            with locked(folder.with_name(f".{folder.name}")) as workshop:
                if not (folder / _COMPLETE).exists():
                    self._bring(workshop, folder, progress)
        return self._checked(folder)

    def _bring(self, workshop: Path, folder: Path, progress: Progress | None) -> None:
        """Fill a folder in the workshop, then rename it: it is whole or not there."""
        filled = workshop / "filled"
        shutil.rmtree(filled, ignore_errors=True)
        filled.mkdir()
        for archive in self.archives:
            path = workshop / archive_name(archive)
            download(archive, path, progress)
            if path.name.endswith(_PACKED):
                unpack(path, filled)
                path.unlink()
            else:
                path.replace(filled / path.name)
        if not (filled / self.member).is_file():
            raise UserError(f"{self.archives[0].url}: there is no {self.member} in what it holds")
        files = sorted(path for path in filled.rglob("*") if path.is_file())
        sums = {path.relative_to(filled).as_posix(): file_sha256(path) for path in files}
        write_text_atomic(filled / _COMPLETE, json.dumps(sums, indent=2) + "\n")
        filled.replace(folder)

    def _checked(self, folder: Path) -> Path:
        marker = folder / _COMPLETE
        try:
            sums = json.loads(marker.read_text(encoding="utf-8"))
            for name, sha256 in sums.items():
                check_cached(folder / name, sha256, delete=folder)
        except (OSError, ValueError, AttributeError) as error:
            raise UserError(f"{marker} is damaged; delete the folder {folder}") from error
        return folder / self.member
