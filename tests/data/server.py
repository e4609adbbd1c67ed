"""A web server on this machine that behaves well or badly, and corpora to fetch from it."""

import contextlib
import hashlib
import http.server
import io
import tarfile
import threading
from dataclasses import dataclass, field

from codecbench.corpora.base import Archive, CorpusCard


@dataclass
class Site:
    """What the server has and how it behaves; tests change the fields."""

    files: dict[str, bytes] = field(default_factory=dict)
    drop_after: list[int] = field(default_factory=list)
    """Bytes of body after which each of the next answers is cut off."""
    statuses: list[int] = field(default_factory=list)
    """Statuses to answer the next requests with, instead of the file."""
    redirects: dict[str, str] = field(default_factory=dict)
    """Paths that answer with another address."""
    ranges: bool = True
    etag: str | None = '"v1"'
    headers: dict[str, str] = field(default_factory=dict)
    wrong_range: bool = False
    requests: list[dict[str, str]] = field(default_factory=list)
    address: str = ""


class _Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        site = self.server.site
        site.requests.append(dict(self.headers))
        if site.statuses:
            self.send_error(site.statuses.pop(0))
            return
        if self.path in site.redirects:
            self.send_response(302)
            self.send_header("Location", site.redirects[self.path])
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if self.path not in site.files:
            self.send_error(404)
            return
        self._send(site, site.files[self.path])

    def _send(self, site, body):
        start, status = self._start(site, len(body)), 200
        if start is not None:
            status = 206 if start < len(body) else 416
        if status == 416:
            self.send_error(416)
            return
        part = body[start or 0 :]
        self.send_response(status)
        if status == 206:
            shown = start + 1 if site.wrong_range else start
            self.send_header("Content-Range", f"bytes {shown}-{len(body) - 1}/{len(body)}")
        if site.etag:
            self.send_header("ETag", site.etag)
        if "Content-Length" not in site.headers:
            self.send_header("Content-Length", str(len(part)))
        for name, value in site.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if site.drop_after:
            part = part[: site.drop_after.pop(0)]
        self.wfile.write(part)
        self.close_connection = True

    def _start(self, site, size):
        wanted = self.headers.get("Range")
        if wanted is None or not site.ranges:
            return None
        condition = self.headers.get("If-Range")
        if condition is not None and condition != site.etag:
            return None
        return int(wanted.removeprefix("bytes=").rstrip("-"))


@contextlib.contextmanager
def serving():
    """Serve a `Site` until the block ends."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.site = Site(address=f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def tar_bytes(files, mode="w:gz", edit=None):
    """Pack a dict of path to bytes; `edit` may change each `TarInfo`."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            if edit:
                edit(info)
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def archive_of(site, path, data, splits=(), published=True):
    """Put data on the site and describe it as an archive."""
    site.files[path] = data
    return Archive(
        site.address + path,
        len(data) if published else None,
        hashlib.md5(data).hexdigest() if published else None,
        hashlib.sha256(data).hexdigest() if published else None,
        splits,
    )


def card_of(*archives, folder="Tiny", splits=("one", "two"), default=("one",)):
    return CorpusCard(
        name="tiny",
        title="Tiny",
        description="",
        licence="CC0",
        homepage="",
        splits=splits,
        default_splits=default,
        folder=folder,
        archives=archives,
    )
