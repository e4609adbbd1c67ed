"""Where weights come from: the package, a file, an address, the authors."""

import contextlib
import hashlib
import io
import shutil
import threading
import zipfile

import pydantic
import pytest

from codecbench.adapters.nn.weights import (
    OfficialWeights,
    WeightsSource,
    is_outside_source,
    locate,
)
from codecbench.cli.coding import _trusted_spec as trusted_spec
from codecbench.corpora.base import Archive
from codecbench.data import download
from codecbench.errors import UnavailableError, UserError

from ..data.server import archive_of, serving

DATA = bytes(range(256)) * 400
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def site(monkeypatch):
    monkeypatch.setattr(download._Transfer, "_pause", lambda self, seconds: None)
    with serving() as running:
        running.files["/x/tiny.safetensors"] = DATA
        yield running


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(tmp_path / "cache" / name))
    return tmp_path / "cache" / "codecbench" / "weights"


@pytest.fixture
def find(tmp_path):
    def found(name, official=None, progress=None):
        return locate(name, tmp_path / "tiny", official=official, codec="tiny", progress=progress)

    return found


def address(site, sha256=SHA256, path="/x/tiny.safetensors"):
    return f"{site.address}{path}#sha256={sha256}"


def files(folder):
    """Name the files below a folder, locks aside."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
    return sorted(path.relative_to(folder).as_posix() for path in found)


class TestBundled:
    def test_the_stem_names_a_file_of_the_codec(self, find, tmp_path):
        folder = tmp_path / "tiny" / "weights"
        folder.mkdir(parents=True)
        for stem in ("nano", "nano-v1"):
            (folder / f"{stem}.safetensors").write_bytes(b"x")
            assert find(stem) == folder / f"{stem}.safetensors"

    def test_a_missing_one_says_how_to_get_it(self, find, tmp_path):
        with pytest.raises(UnavailableError, match=r"comes without weights here.*codecbench train"):
            find("nano")
        (tmp_path / "tiny" / "weights").mkdir(parents=True)
        (tmp_path / "tiny" / "weights" / "nano.safetensors").write_bytes(b"x")
        with pytest.raises(UnavailableError, match="tiny has nano, not 'nono'"):
            find("nono")


class TestFiles:
    def test_a_path_is_taken_as_it_is(self, find, tmp_path, monkeypatch):
        path = tmp_path / "mine.safetensors"
        path.write_bytes(b"x")
        monkeypatch.chdir(tmp_path)
        assert find(str(path)) == path
        assert find("mine.safetensors").read_bytes() == b"x"
        monkeypatch.setenv("HOME", str(tmp_path))
        assert find("~/mine.safetensors") == path

    @pytest.mark.parametrize("name", ["./none.safetensors", "/", "../nano", "a\nb.pt", "a\0b"])
    def test_no_such_file(self, find, name):
        with pytest.raises(UserError, match="there is no such file"):
            find(name)

    @pytest.mark.parametrize("name", ["x" * 5000, "~no-such-user/x.pt"])
    def test_what_cannot_be_a_path(self, find, name):
        with pytest.raises(UserError, match="cannot be read"):
            find(name)


class TestAddresses:
    def test_a_download_is_checked_and_kept(self, site, find, cache):
        path = find(address(site))
        assert path.read_bytes() == DATA
        assert files(cache) == [f"{SHA256}/tiny.safetensors"]
        assert "#" not in site.address
        assert len(site.requests) == 1

    def test_what_is_in_the_cache_is_not_asked_for_again(self, site, find):
        first = find(address(site))
        asked = len(site.requests)
        assert find(address(site)) == first
        # Neither the letter case of the checksum nor the place makes it another file.
        assert find(address(site, SHA256.upper())) == first
        assert find(address(site, path="/moved/tiny.safetensors")) == first
        assert len(site.requests) == asked

    def test_a_cut_connection_is_resumed(self, site, find):
        site.drop_after += [30_000]
        assert find(address(site)).read_bytes() == DATA
        assert [request.get("Range") for request in site.requests] == [None, "bytes=30000-"]

    def test_a_killed_download_is_continued(self, site, find, cache, monkeypatch):
        monkeypatch.setattr(download, "ATTEMPTS", 1)
        site.drop_after += [30_000, 0]
        with pytest.raises(UserError, match="30000 bytes are kept"):
            find(address(site))
        assert files(cache) == [
            f"{SHA256}/incoming/tiny.safetensors.part",
            f"{SHA256}/incoming/tiny.safetensors.part.json",
        ]
        assert find(address(site)).read_bytes() == DATA
        assert site.requests[-1]["Range"] == "bytes=30000-"

    def test_another_file_than_promised_is_refused_and_deleted(self, site, find, cache):
        with pytest.raises(UserError, match=r"is not the published file.*SHA-256"):
            find(address(site, "0" * 64))
        assert files(cache) == []

    def test_a_missing_file_is_said_at_once(self, site, find):
        with pytest.raises(UserError, match="the server answers 404"):
            find(address(site, path="/none.safetensors"))
        assert len(site.requests) == 1

    def test_a_redirect_is_followed(self, site, find):
        site.redirects["/old.safetensors"] = f"{site.address}/x/tiny.safetensors"
        assert find(address(site, path="/old.safetensors")).read_bytes() == DATA

    def test_a_damaged_file_of_the_cache_is_named(self, site, find):
        path = find(address(site))
        path.write_bytes(DATA[:-1])
        with pytest.raises(UserError, match=r"is damaged: its SHA-256 is .*; delete it") as error:
            find(address(site))
        assert str(path) in str(error.value)
        assert path.exists(), "the user decides"

    def test_two_at_once_download_once(self, site, find):
        found, threads = [], []
        for _ in range(4):
            threads.append(threading.Thread(target=lambda: found.append(find(address(site)))))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 4
        assert len(site.requests) == 1

    def test_progress_is_told(self, site, find):
        seen = []
        find(address(site), progress=lambda *step: seen.append(step))
        assert ("downloading tiny.safetensors", len(DATA), len(DATA)) in seen

    def test_a_cache_that_cannot_be_written(self, site, find, tmp_path):
        (tmp_path / "cache").write_bytes(b"a file in the way")
        with pytest.raises(UserError, match="cannot be written"):
            find(address(site))
        assert not site.requests

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("https://a.org/x.safetensors", "needs its file's checksum: add #sha256="),
            ("https://a.org/x.safetensors#sha256=12", "needs its file's checksum"),
            ("https://a.org/x.safetensors#md5=" + "0" * 32, "needs its file's checksum"),
            (f"http://a.org/x.safetensors#sha256={SHA256}", "only downloaded from https://"),
            (f"http://localhost.a.org/x.pt#sha256={SHA256}", "only downloaded from https://"),
            (f"http://localhost@a.org/x.pt#sha256={SHA256}", "only downloaded from https://"),
            (f"ftp://a.org/x.safetensors#sha256={SHA256}", "only downloaded from https://"),
            (f"file:///etc/x.safetensors#sha256={SHA256}", "only downloaded from https://"),
            (f"https:///x.safetensors#sha256={SHA256}", "only downloaded from https://"),
            (f"https://[::1/x.safetensors#sha256={SHA256}", "Invalid IPv6"),
            (f"https://a.org/#sha256={SHA256}", "must be that of a .safetensors file"),
            (f"https://a.org/x.exe#sha256={SHA256}", "must be that of a .safetensors file"),
            (f"https://a.org/x/..#sha256={SHA256}", "must be that of a .safetensors file"),
            (f"https://a.org/.safetensors#sha256={SHA256}", "must be that of a .safetensors file"),
            (f"https://a.org/%2e%2e%2fx.pt#sha256={SHA256}", "must be that of a .safetensors file"),
        ],
    )
    def test_addresses_that_are_refused(self, find, name, message):
        with pytest.raises(UserError, match=message) as error:
            find(name)
        assert "\n" not in str(error.value)
        with pytest.raises(pydantic.ValidationError, match=message):
            pydantic.TypeAdapter(WeightsSource).validate_python(name)


@pytest.mark.parametrize(
    ("name", "outside"),
    [
        ("nano", False),
        ("nano-v1", False),
        ("official", False),
        ("./nano", True),
        ("a/b", True),
        ("x.safetensors", True),
        ("https://a.org/x.pt", True),
        ("~", True),
        ("..", True),
        ("", True),
    ],
)
def test_files_and_addresses_are_outside_sources(name, outside):
    assert is_outside_source(name) == outside


def test_a_specs_weights_are_checked_without_looking_for_them():
    check = pydantic.TypeAdapter(WeightsSource).validate_python
    for name in ("nano", "official", "/no/such.pt", f"https://no.such/x.pt#sha256={SHA256}"):
        assert check(name) == name
    with pytest.raises(pydantic.ValidationError, match="write nano, official"):
        check("")


def zip_of(members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        for name, data in members.items():
            packed.writestr(name, data)
    return buffer.getvalue()


class TestOfficial:
    def test_codecs_without(self, find):
        with pytest.raises(UnavailableError, match="no published weights; use weights=nano"):
            find("official")
        away = OfficialWeights.unavailable("they lie behind a form; use weights=nano")
        with pytest.raises(UnavailableError, match="tiny has no official weights here: they lie"):
            find("official", away)

    def test_one_file(self, site, find, cache):
        official = OfficialWeights.file(archive_of(site, "/v1/model.pt", DATA))
        path = find("official", official)
        assert path.read_bytes() == DATA
        assert path.parent.parent == cache / "tiny"
        assert find("official", official) == path
        assert len(site.requests) == 1

    def test_a_packed_folder_and_a_file(self, site, find):
        packed = zip_of({"exp/a.pt": b"aa", "exp/b.pt": b"b", "exp/config.yml": b"c"})
        archives = (archive_of(site, "/exp.zip", packed), archive_of(site, "/notes.pt", DATA))
        path = find("official", OfficialWeights(archives, "exp/b.pt"))
        assert path.read_bytes() == b"b"
        assert files(path.parent.parent) == [
            "complete.json",
            "exp/a.pt",
            "exp/b.pt",
            "exp/config.yml",
            "notes.pt",
        ]

    def test_other_releases_lie_apart(self, site, find):
        first = find("official", OfficialWeights.file(archive_of(site, "/x.pt", DATA)))
        second = find("official", OfficialWeights.file(archive_of(site, "/x.pt", DATA + b"2")))
        assert first.read_bytes() + b"2" == second.read_bytes()

    def test_changed_files_are_refused(self, site, find):
        archive = archive_of(site, "/v1/model.pt", DATA)
        site.files["/v1/model.pt"] = DATA[::-1]
        with pytest.raises(UserError, match="is not the published file"):
            find("official", OfficialWeights.file(archive))

    def test_damage_in_the_cache_is_named(self, site, find):
        packed = zip_of({"a.pt": b"aa", "b.pt": b"b"})
        official = OfficialWeights((archive_of(site, "/exp.zip", packed),), "a.pt")
        folder = find("official", official).parent
        (folder / "b.pt").write_bytes(b"c")
        with pytest.raises(UserError, match=r"b.pt is damaged: .*; delete"):
            find("official", official)
        (folder / "complete.json").write_text("[]")
        with pytest.raises(UserError, match="delete the folder"):
            find("official", official)

    def test_an_interrupted_fetch_is_taken_up(self, site, find, cache):
        packed = zip_of({"a.pt": b"aa"})
        archives = (archive_of(site, "/exp.zip", packed), archive_of(site, "/y.pt", DATA))
        honest = site.files.pop("/y.pt")
        with pytest.raises(UserError, match="404"):
            find("official", OfficialWeights(archives, "a.pt"))
        site.files["/y.pt"] = honest
        assert find("official", OfficialWeights(archives, "a.pt")).read_bytes() == b"aa"

    def test_hostile_archives_do_not_leave_the_folder(self, site, find, tmp_path):
        packed = zip_of({"../../../../escaped.pt": b"x"})
        official = OfficialWeights((archive_of(site, "/exp.zip", packed),), "escaped.pt")
        with pytest.raises(UserError, match=r"leads out of the folder"):
            find("official", official)
        assert not list(tmp_path.rglob("escaped.pt"))

    def test_a_member_that_is_not_there(self, site, find):
        packed = zip_of({"a.pt": b"aa"})
        official = OfficialWeights((archive_of(site, "/exp.zip", packed),), "b.pt")
        with pytest.raises(UserError, match=r"there is no b.pt in what it holds"):
            find("official", official)

    def test_descriptions_without_checksum_are_mistakes(self):
        for archives in ((), (Archive("https://a.org/x.pt"),)):
            with pytest.raises(ValueError, match="official weights"):
                OfficialWeights(archives, "x.pt")


class TestWithoutAPublishedChecksum:
    @pytest.fixture
    def official(self, site):
        site.files["/exp.zip"] = zip_of({"exp/a.pt": b"aa", "exp/b.pt": b"b"})
        archive = Archive(f"{site.address}/exp.zip")
        return OfficialWeights((archive,), "exp/a.pt", first_use=True)

    def test_what_came_first_is_kept(self, site, find, official):
        path = find("official", official)
        assert path.read_bytes() == b"aa"
        assert find("official", official) == path
        assert len(site.requests) == 1

    def test_what_has_changed_since_is_refused_and_can_be_fetched_again(self, find, official):
        path = find("official", official)
        folder = path.parents[1]
        (path.parent / "b.pt").write_bytes(b"c")
        with pytest.raises(UserError, match=rf"b.pt is damaged: .*; delete the folder {folder} "):
            find("official", official)
        shutil.rmtree(folder)
        assert find("official", official).read_bytes() == b"aa"

    def test_it_must_come_over_an_encrypted_connection(self):
        for url in ("http://a.org/x.pt", "ftp://a.org/x.pt"):
            with pytest.raises(ValueError, match="need an encrypted connection"):
                OfficialWeights((Archive(url),), "x.pt", first_use=True)


def test_nothing_is_locked_for_others_after_an_error(site, find):
    with contextlib.suppress(UserError):
        find(address(site, "0" * 64))
    site.files["/x/tiny.safetensors"] = DATA
    assert find(address(site)).read_bytes() == DATA


@pytest.mark.parametrize("codec", ["soundstream", "svcodec"])
def test_nothing_is_fetched_for_a_stranger(site, cache, codec):
    """A bitstream's spec is refused before its codec opens or asks for anything."""
    with pytest.raises(UserError, match="if you trust it, repeat it with --codec"):
        trusted_spec(f'{codec}:weights="{address(site)}"')
    assert not site.requests
    assert not cache.exists()
    assert trusted_spec(f"{codec}:weights=nano") == f"{codec}:weights=nano"
