"""Downloads from a server that drops connections, ignores ranges and serves wrong bytes."""

import gzip
import shutil
from collections import namedtuple

import pytest

from codecbench.corpora.base import Archive
from codecbench.data import download as module
from codecbench.data.download import download
from codecbench.errors import UserError

from .server import archive_of

DATA = bytes(range(256)) * 4000


@pytest.fixture
def target(tmp_path):
    return tmp_path / "downloads" / "file.tar.gz"


@pytest.fixture
def naps():
    return []


@pytest.fixture
def get(target, naps):
    return lambda archive, progress=None: download(archive, target, progress, naps.append)


def test_whole_and_checked(site, get, target):
    archive = archive_of(site, "/file.tar.gz", DATA)
    seen = []
    checked = get(archive, lambda *step: seen.append(step))
    assert target.read_bytes() == DATA
    assert (checked.size, checked.sha256, checked.verified) == (len(DATA), archive.sha256, True)
    assert ("downloading file.tar.gz", len(DATA), len(DATA)) in seen
    assert ("checking file.tar.gz", len(DATA), len(DATA)) in seen
    assert list(target.parent.iterdir()) == [target]


def test_dropped_connections_are_resumed(site, get, target, naps):
    archive = archive_of(site, "/file.tar.gz", DATA)
    site.drop_after += [300_000, 1, 400_000]
    get(archive)
    assert target.read_bytes() == DATA
    ranges = [request.get("Range") for request in site.requests]
    assert ranges == [None, "bytes=300000-", "bytes=300001-", "bytes=700001-"]
    assert all(request["If-Range"] == '"v1"' for request in site.requests[1:])
    assert len(naps) == 3


def test_a_later_call_continues(site, get, target, monkeypatch):
    monkeypatch.setattr(module, "ATTEMPTS", 1)
    archive = archive_of(site, "/file.tar.gz", DATA)
    site.drop_after += [500_000, 0]
    with pytest.raises(UserError, match="500000 bytes are kept, the same command continues"):
        get(archive)
    assert not target.exists()
    get(archive)
    assert target.read_bytes() == DATA
    assert site.requests[-1]["Range"] == "bytes=500000-"


def test_killed_between_last_byte_and_rename(site, get, target, monkeypatch):
    archive = archive_of(site, "/file.tar.gz", DATA)
    get(archive)
    asked = len(site.requests)
    part = target.with_name("file.tar.gz.part")
    target.rename(part)
    state = f'{{"url": "{archive.url}", "validator": "\\"v1\\"", "total": {len(DATA)}}}'
    target.with_name("file.tar.gz.part.json").write_text(state)
    get(archive)
    assert target.read_bytes() == DATA
    assert len(site.requests) == asked


def test_server_that_ignores_ranges_starts_over(site, get, target):
    archive = archive_of(site, "/file.tar.gz", DATA)
    site.ranges = False
    site.drop_after += [300_000]
    get(archive)
    assert target.read_bytes() == DATA
    assert site.requests[1]["Range"] == "bytes=300000-"


def test_file_that_changed_meanwhile_starts_over(site, get, target, monkeypatch):
    monkeypatch.setattr(module, "ATTEMPTS", 1)
    new = DATA[::-1]
    archive = archive_of(site, "/file.tar.gz", new)
    site.files["/file.tar.gz"] = DATA
    site.drop_after += [300_000, 0]
    with pytest.raises(UserError):
        get(archive)
    site.files["/file.tar.gz"], site.etag = new, '"v2"'
    get(archive)
    assert target.read_bytes() == new


def test_wrong_range_starts_over(site, get, target):
    archive = archive_of(site, "/file.tar.gz", DATA)
    site.wrong_range = True
    site.drop_after += [300_000]
    get(archive)
    assert target.read_bytes() == DATA
    assert [request.get("Range") for request in site.requests] == [None, "bytes=300000-", None]


def test_part_longer_than_the_file_starts_over(site, get, target):
    archive = archive_of(site, "/file.tar.gz", DATA)
    target.parent.mkdir(parents=True)
    target.with_name("file.tar.gz.part").write_bytes(DATA + b"more")
    state = f'{{"url": "{archive.url}", "validator": "\\"v1\\"", "total": {len(DATA)}}}'
    target.with_name("file.tar.gz.part.json").write_text(state)
    get(archive)
    assert target.read_bytes() == DATA


def test_part_of_unknown_origin_is_not_continued(site, get, target):
    archive = archive_of(site, "/file.tar.gz", DATA)
    target.parent.mkdir(parents=True)
    target.with_name("file.tar.gz.part").write_bytes(b"something else")
    get(archive)
    assert target.read_bytes() == DATA
    assert "Range" not in site.requests[0]


def test_without_checksum_and_version_nothing_is_continued(site, get, target):
    archive = archive_of(site, "/file.tar.gz", DATA, published=False)
    site.etag = None
    site.drop_after += [300_000]
    checked = get(archive)
    assert target.read_bytes() == DATA
    assert not checked.verified
    assert all("Range" not in request for request in site.requests)


def test_gives_up_when_nothing_comes(site, get, naps):
    archive = archive_of(site, "/file.tar.gz", DATA)
    site.drop_after += [0] * 20
    with pytest.raises(UserError, match="broke 5 times in a row"):
        get(archive)
    assert naps == [2, 4, 8, 16]
    assert len(site.requests) == 5


def test_busy_server_is_asked_again(site, get, target):
    archive = archive_of(site, "/file.tar.gz", DATA)
    site.statuses += [503, 429, 500]
    get(archive)
    assert target.read_bytes() == DATA


@pytest.mark.parametrize("status", [404, 403, 410])
def test_missing_file_is_an_error_at_once(site, get, status):
    archive = archive_of(site, "/file.tar.gz", DATA)
    site.statuses += [status] * 3
    with pytest.raises(UserError, match=f"the server answers {status}"):
        get(archive)
    assert len(site.requests) == 1


def test_wrong_bytes_are_deleted(site, get, target):
    archive = archive_of(site, "/file.tar.gz", DATA)
    site.files["/file.tar.gz"] = DATA[:-1] + b"X"
    with pytest.raises(UserError, match=r"not the published file \(SHA-256 is .* it was deleted"):
        get(archive)
    assert not any(target.parent.iterdir())


def test_wrong_md5_alone_is_enough(site, get, target):
    whole = archive_of(site, "/file.tar.gz", DATA)
    with pytest.raises(UserError, match="MD5 is"):
        get(Archive(whole.url, None, "0" * 32))
    assert not target.exists()


def test_other_size_is_refused_before_the_body(site, get, target):
    archive = archive_of(site, "/file.tar.gz", DATA)
    site.files["/file.tar.gz"] = b"<html>We have moved</html>"
    with pytest.raises(UserError, match="offers 26 bytes where 1024000 are published"):
        get(archive)
    assert not target.exists()


def test_more_bytes_than_published_are_not_written(site, get, target):
    archive = archive_of(site, "/file.tar.gz", DATA[:1000])
    site.files["/file.tar.gz"] = DATA
    site.headers["Content-Length"] = ""
    with pytest.raises(UserError, match="sends more than 1000 bytes"):
        get(archive)
    assert target.with_name("file.tar.gz.part").stat().st_size <= 1000


def test_archives_labelled_as_encoded_are_kept_as_they_are(site, get, target):
    """Some servers say "Content-Encoding: x-gzip" of a .tar.gz: it must not be unpacked."""
    packed = gzip.compress(DATA)
    archive = archive_of(site, "/file.tar.gz", packed)
    site.headers["Content-Encoding"] = "x-gzip"
    get(archive)
    assert target.read_bytes() == packed


def test_a_full_disk_is_told_beforehand(site, get, target, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage(10**9, 10**9 - 1000, 1000))
    with pytest.raises(UserError, match=r"0\.0 GB are free; make room or choose another place"):
        get(archive_of(site, "/file.tar.gz", DATA))
    assert not target.exists()


def test_a_disk_that_fills_up_is_a_plain_error(site, get, monkeypatch):
    def full(file, chunk, path):
        raise UserError(f"{path}: cannot be written (No space left on device)")

    monkeypatch.setattr(module, "_write", full)
    with pytest.raises(UserError, match="No space left"):
        get(archive_of(site, "/file.tar.gz", DATA))


def test_no_server_at_all(get, naps):
    with pytest.raises(UserError, match="broke 5 times"):
        get(Archive("http://127.0.0.1:9/file.tar.gz"))
    assert naps == [2, 4, 8, 16]


def test_redirect_away_from_encryption_is_refused(site, target):
    transfer = module._Transfer(Archive("https://example.org/a.zip"), target, None, print)
    with pytest.raises(UserError, match="not encrypted"):
        transfer._refuse_downgrade("http://example.org/a.zip")
