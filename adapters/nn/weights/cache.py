"""Downloaded weights in the user's cache: fetched once, by one process, checked at every use."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from ....corpora.base import Archive
from ....data.checksums import Progress
from ....data.download import download
from ....errors import UserError
from .header import file_sha256

_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


def cache_root() -> Path:
    """Return the folder of downloaded weights (it need not exist)."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("codecbench")) / "weights"


def fetched(archive: Archive, path: Path, progress: Progress | None = None) -> Path:
    """Return a file of the cache, downloaded first if it is not there.

    Parameters
    ----------
    archive : Archive
        With its SHA-256.
    path : Path
        Where it lies; an unfinished download lies beside it and is continued.
    progress : callable, optional

    Raises
    ------
    UserError
        If the download fails, or the file in the cache is not the one asked for.
    """
    if not path.exists():
        with locked(path.parent):
            if not path.exists():
                # In its place only once checked: other processes look without the lock.
                incoming = path.parent / "incoming" / path.name
                download(archive, incoming, progress)
                incoming.replace(path)
    check_cached(path, str(archive.sha256))
    return path


def is_safe_address(url: str) -> bool:
    """Tell whether an address is encrypted, or one of this machine."""
    parts = urlsplit(url)
    local = parts.hostname in _THIS_MACHINE
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and local))


def check_cached(path: Path, sha256: str, delete: Path | None = None) -> None:
    """Refuse a file of the cache that is not what was once put there.

    Parameters
    ----------
    path : Path
    sha256 : str
    delete : Path, optional
        What to delete to have it downloaded again; the file itself if None.

    Raises
    ------
    UserError
    """
    found = file_sha256(path)
    if found != sha256:
        what = "it" if delete is None else f"the folder {delete}"
        raise UserError(
            f"{path} is damaged: its SHA-256 is {found}, not {sha256};"
            f" delete {what} and it will be downloaded again"
        )


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[Path]:
    """Hold a folder of the cache alone; other processes wait until what they want is there."""
    import filelock

    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(folder / ".lock")
        lock.acquire()
    except OSError as error:
        raise UserError(f"{folder}: cannot be written ({error.strerror})") from error
    try:
        yield folder
    finally:
        lock.release()
