"""Compares a downloaded archive with its published size and checksums."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..corpora.base import Archive
from ..errors import UserError

Progress = Callable[[str, int, int | None], None]
"""Called with what is being done, how much is done (bytes, files), and how much in all."""

CHUNK = 1 << 20


@dataclass(frozen=True)
class Checked:
    """What is known of a complete download.

    Parameters
    ----------
    size : int
        Bytes.
    md5, sha256 : str
        As computed.
    verified : bool
        Whether a published checksum was there to compare with.
    """

    size: int
    md5: str
    sha256: str
    verified: bool


def check(archive: Archive, path: Path, progress: Progress | None = None) -> Checked:
    """Compare a file with what was published of it; a wrong file is deleted.

    Raises
    ------
    UserError
        If size or checksum is not the published one.
    """
    checked = _hashes(archive, path, progress)
    wrong = [
        f"{name} is {got}, published is {published}"
        for name, got, published in (
            ("SHA-256", checked.sha256, archive.sha256),
            ("MD5", checked.md5, archive.md5),
        )
        if published is not None and got != published.lower()
    ]
    if archive.size is not None and checked.size != archive.size:
        wrong.insert(0, f"it has {checked.size} bytes, published are {archive.size}")
    if wrong:
        path.unlink()
        raise UserError(
            f"{archive.url}: the download is not the published file ({wrong[0]});"
            " it was deleted, try again or see the page it is published on"
        )
    return checked


def _hashes(archive: Archive, path: Path, progress: Progress | None) -> Checked:
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    done, total = 0, path.stat().st_size
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            md5.update(chunk)
            sha256.update(chunk)
            done += len(chunk)
            if progress:
                progress(f"checking {path.name}", done, total)
    verified = archive.md5 is not None or archive.sha256 is not None
    return Checked(done, md5.hexdigest(), sha256.hexdigest(), verified)
