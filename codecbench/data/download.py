"""Downloads one file: resumed, retried, bounded, checked."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..corpora.base import Archive
from ..errors import UserError
from ..files import write_text_atomic
from .checksums import CHUNK, Checked, Progress, check

if TYPE_CHECKING:
    import requests

ATTEMPTS = 5
"""Attempts in a row that bring nothing new before giving up."""
TIMEOUT = (20.0, 60.0)
"""Seconds to wait for a connection, and for the next bytes."""
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_GONE = frozenset({400, 401, 403, 404, 405, 410})


class _TryAgainError(Exception):
    """The transfer broke in a way that may pass."""


@dataclass(frozen=True)
class _PartState:
    """Beside a partial file: what it is a part of."""

    url: str
    validator: str | None
    total: int | None


def download(
    archive: Archive,
    path: Path,
    progress: Progress | None = None,
    wait: Callable[[float], None] = time.sleep,
) -> Checked:
    """Download an archive to `path`, continuing an earlier attempt, and check it.

    Parameters
    ----------
    archive : Archive
    path : Path
        The partial download lies beside it as ``.part``.
    progress : callable, optional
    wait : callable
        Sleeps; tests replace it.

    Raises
    ------
    UserError
        If the server does not have the file, the transfer keeps breaking, the disk is full, or
        the checksum is wrong (what was downloaded is deleted then).
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _Transfer(archive, path, progress, wait).run()
    return check(archive, path, progress)


class _Transfer:
    def __init__(
        self,
        archive: Archive,
        path: Path,
        progress: Progress | None,
        wait: Callable[[float], None],
    ) -> None:
        self.archive, self.path, self.progress, self.wait = archive, path, progress, wait
        self.part = path.with_name(path.name + ".part")
        self.state_path = path.with_name(path.name + ".part.json")
        self.ended = False

    def run(self) -> None:
        import requests

        furthest, idle = self._have(), 0
        with requests.Session() as session:
            while not self._is_whole():
                try:
                    self._attempt(session)
                except _TryAgainError as error:
                    idle = 0 if self._have() > furthest else idle + 1
                    furthest = max(furthest, self._have())
                    if idle >= ATTEMPTS:
                        raise UserError(self._gave_up(error)) from error
                    self._pause(min(60.0, 2.0**idle))
        self.part.replace(self.path)
        self.state_path.unlink(missing_ok=True)

    def _pause(self, seconds: float) -> None:
        if self.progress:
            what = f"connection lost, next attempt at {self.path.name} in {seconds:.0f} s"
            self.progress(what, self._have(), self.archive.size)
        self.wait(seconds)

    def _is_whole(self) -> bool:
        """Tell whether all bytes are here (an unknown length ends with the connection)."""
        state = self._read_state()
        if state is None or state.url != self.archive.url or not self.part.exists():
            return False
        return self.ended if state.total is None else self._have() == state.total

    def _gave_up(self, error: Exception) -> str:
        return (
            f"{self.archive.url}: the download broke {ATTEMPTS} times in a row ({error});"
            f" {self._have()} bytes are kept, the same command continues"
        )

    def _have(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _attempt(self, session: requests.Session) -> None:
        import requests
        import urllib3

        headers = {"Accept-Encoding": "identity", **self._resume_headers()}
        try:
            with session.get(
                self.archive.url, headers=headers, stream=True, timeout=TIMEOUT
            ) as response:
                self._receive(response)
        except requests.exceptions.InvalidURL as error:
            raise UserError(f"{self.archive.url}: not an address ({error})") from error
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise _TryAgainError(_reason(error)) from error

    def _resume_headers(self) -> dict[str, str]:
        """Ask for the rest if what is there can be known to belong to the same file."""
        have, state = self._have(), self._read_state()
        if not have or state is None or state.url != self.archive.url:
            return {}
        if state.validator is not None:
            return {"Range": f"bytes={have}-", "If-Range": state.validator}
        if self.archive.sha256 or self.archive.md5:
            return {"Range": f"bytes={have}-"}
        return {}

    def _read_state(self) -> _PartState | None:
        try:
            return _PartState(**json.loads(self.state_path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def _receive(self, response: requests.Response) -> None:
        for hop in (*response.history, response):
            self._refuse_downgrade(hop.url)
        start = self._start(response)
        total = self._total(response, start)
        state = _PartState(self.archive.url, _validator(response), total)
        write_text_atomic(self.state_path, json.dumps(asdict(state)))
        self._check_space(start, total)
        self._copy(response, start, total)
        if total is not None and self._have() < total:
            raise _TryAgainError(f"the connection ended after {self._have()} of {total} bytes")
        self.ended = True

    def _refuse_downgrade(self, url: str) -> None:
        if self.archive.url.startswith("https:") and not url.startswith("https:"):
            raise UserError(f"{self.archive.url} redirects to {url}, which is not encrypted")

    def _start(self, response: requests.Response) -> int:
        """Tell from the answer at which byte the body begins."""
        status = response.status_code
        if status == 200:
            return 0
        if status == 206:
            match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
            if match and int(match.group(1)) == self._have():
                return self._have()
            self._restart("the server sent another range than asked for")
        if status == 416:
            self._restart("the server has no more bytes than are here already")
        if status in _GONE:
            raise UserError(
                f"{self.archive.url}: the server answers {status} {response.reason};"
                " the file may have moved: see the page it is published on"
            )
        raise _TryAgainError(f"the server answers {status} {response.reason}")

    def _restart(self, why: str) -> None:
        self.part.unlink(missing_ok=True)
        self.state_path.unlink(missing_ok=True)
        raise _TryAgainError(why)

    def _total(self, response: requests.Response, start: int) -> int | None:
        length = response.headers.get("Content-Length", "")
        total = start + int(length) if length.isdigit() else None
        published = self.archive.size
        if published is not None and total is not None and total != published:
            raise UserError(
                f"{self.archive.url}: the server offers {total} bytes where {published} are"
                " published; it is not the file that was asked for"
            )
        return total if total is not None else published

    def _check_space(self, start: int, total: int | None) -> None:
        if total is not None:
            require_space(self.part.parent, total - start, f"to download {self.path.name}")

    def _copy(self, response: requests.Response, start: int, total: int | None) -> None:
        done = start
        with self.part.open("r+b" if start else "wb") as file:
            file.seek(start)
            # Not iter_content: it unpacks archives that a server labels "Content-Encoding: gzip".
            for chunk in response.raw.stream(CHUNK, decode_content=False):
                done += len(chunk)
                if total is not None and done > total:
                    raise UserError(f"{self.archive.url}: the server sends more than {total} bytes")
                _write(file, chunk, self.part)
                if self.progress:
                    self.progress(f"downloading {self.path.name}", done, total)


def _write(file: Any, chunk: bytes, path: Path) -> None:
    try:
        file.write(chunk)
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror})") from error


def _validator(response: requests.Response) -> str | None:
    """Return what tells this version of the file: a strong ETag, else its date."""
    etag = response.headers.get("ETag", "")
    if etag and not etag.startswith("W/"):
        return str(etag)
    return response.headers.get("Last-Modified")


def _reason(error: Exception) -> str:
    """Return the innermost cause in one line: requests wraps urllib3, which wraps the system."""
    inner: object = error
    while isinstance(inner, Exception):
        deeper = getattr(inner, "reason", None) or (inner.args[0] if inner.args else None)
        if not isinstance(deeper, Exception):
            break
        inner = deeper
    text = " ".join(str(inner).split()) or type(error).__name__
    return re.sub(r"^HTTPS?Connection(Pool)?\(.*?\): ", "", text)[:200]


def downloaded(path: Path) -> int:
    """Return how many bytes of a download are here, whole or in part."""
    files = (path, path.with_name(path.name + ".part"))
    return sum(file.stat().st_size for file in files if file.exists())


def require_space(folder: Path, needed: int, purpose: str) -> None:
    """Raise `UserError` if a folder's disk has less than `needed` bytes free."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise UserError(
            f"{folder}: {needed / 1e9:.1f} GB are needed {purpose}, {free / 1e9:.1f} GB are free;"
            " make room or choose another place (--data-root for corpora, XDG_CACHE_HOME for"
            " weights)"
        )
