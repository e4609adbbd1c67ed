"""Files that are written whole or not at all, their names, and the hashes of files."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import re
import uuid
from collections.abc import Iterator
from pathlib import Path

_READABLE = 40
"""Signs of a text that are kept in a file's name."""


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it is synced and renamed to `path`.

    Killed at any moment, either the old file or the whole new one is there. Temporary files
    start with ``.tmp-``.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".tmp-{uuid.uuid4().hex[:12]}-{path.name}")
    try:
        yield temporary
        _sync(temporary)
        temporary.replace(path)
        _sync(path.parent)
    except OSError as error:
        if error.filename in (str(temporary), temporary):
            # The user named the file, not the temporary one.
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def write_text_atomic(path: Path, text: str) -> None:
    """Write UTF-8 text, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_bytes_atomic(path: Path, data: bytes) -> None:
    """Write bytes, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def safe_name(*parts: object) -> str:
    """Return a file name for anything: the beginning of a hash, never the text itself."""
    text = json.dumps([str(part) for part in parts])
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:20]


def readable_name(*parts: object) -> str:
    """Return a file name for anything: what is harmless in the last part, and a hash of all.

    Two different lists of parts never share a name, not even where case does not count.
    """
    harmless = re.sub(r"[^A-Za-z0-9_]+", "-", str(parts[-1])).strip("-")[:_READABLE]
    return "-".join(filter(None, [harmless, safe_name(*parts)]))


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, computed once for its size and time of change."""
    status = path.stat()
    return _sha256(path, status.st_size, status.st_mtime_ns)


@functools.lru_cache(maxsize=16)
def _sha256(path: Path, size: int, changed: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
