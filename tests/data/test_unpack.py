"""Archives that are honest, damaged or hostile."""

import gzip
import io
import stat
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from codecbench.data.unpack import Limits, unpack, unpack_nested
from codecbench.errors import UserError

from .server import tar_bytes

FILES = {"Top/a/1.wav": b"one", "Top/a/2.wav": b"", "Top/b.txt": b"text" * 1000}


def written(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def zip_bytes(files, edit=None, method=zipfile.ZIP_DEFLATED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        for name, data in files.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = method
            if edit:
                edit(info)
            file.writestr(info, data)
    return buffer.getvalue()


@pytest.fixture
def run(tmp_path):
    """Unpack bytes under a file name; return what was written, and check nothing else was."""

    def unpacked(name, data, limits=None):
        folder = tmp_path / "work"
        folder.mkdir()
        archive = folder / name
        archive.write_bytes(data)
        (tmp_path / "victim.txt").write_text("untouched")
        try:
            unpack(archive, folder / "out", limits)
        finally:
            assert (tmp_path / "victim.txt").read_text() == "untouched"
            assert {path.name for path in tmp_path.iterdir()} == {"work", "victim.txt"}
            assert {path.name for path in folder.iterdir()} <= {name, "out"}
            assert not any(path.is_symlink() for path in folder.rglob("*"))
        return written(folder / "out")

    return unpacked


@pytest.mark.parametrize(
    ("name", "mode"),
    [("x.tar.gz", "w:gz"), ("x.tgz", "w:gz"), ("x.tar.bz2", "w:bz2"), ("x.tar.xz", "w:xz"),
     ("x.tar", "w")],
)  # fmt: skip
def test_honest_tars(run, name, mode):
    assert run(name, tar_bytes(FILES, mode)) == FILES


def test_honest_zip(run):
    assert run("x.zip", zip_bytes(FILES)) == FILES


def test_leading_dots_and_folders(run):
    def as_folder(info):
        if info.name.endswith("/"):
            info.type = tarfile.DIRTYPE

    packed = tar_bytes({"./": b"", "./Top/": b"", "./Top/a.wav": b"x"}, edit=as_folder)
    assert run("x.tar.gz", packed) == {"Top/a.wav": b"x"}


def test_modes_and_owners_are_not_taken_over(run, tmp_path):
    def edit(info):
        info.mode, info.uid, info.uname = 0o6777, 12345, "root"

    run("x.tar.gz", tar_bytes({"a.sh": b"x"}, edit=edit))
    mode = (tmp_path / "work/out/a.sh").stat().st_mode
    assert not mode & (stat.S_ISUID | stat.S_ISGID | stat.S_IXUSR | stat.S_IWOTH)


OUTSIDE = [
    "/etc/passwd-x", "../victim.txt", "../../victim.txt", "Top/../../victim.txt", "..",
    "C:/victim.txt", "..\\victim.txt", "a\\b.wav", "new\nline.wav", "bell\x07.wav", "x" * 1001,
]  # fmt: skip


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_hostile_names(run, kind, name):
    pack, file = (tar_bytes, "x.tar.gz") if kind == "tar" else (zip_bytes, "x.zip")
    data = pack({"Top/first.wav": b"ok", name: b"evil"})
    with pytest.raises(UserError, match="refused, member"):
        run(file, data)


KINDS = {
    "symlink": tarfile.SYMTYPE,
    "hard link": tarfile.LNKTYPE,
    "character device": tarfile.CHRTYPE,
    "block device": tarfile.BLKTYPE,
    "pipe": tarfile.FIFOTYPE,
    "sparse": tarfile.GNUTYPE_SPARSE,
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_links_and_devices_in_tars(run, kind):
    def edit(info):
        if info.name == "bad":
            info.type, info.linkname, info.size = kind, "../../victim.txt", 0

    with pytest.raises(UserError, match="is a link, a device or a sparse file"):
        run("x.tar.gz", tar_bytes({"bad": b"", "bad/victim.txt": b"evil"}, edit=edit))


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_in_zips(run, kind):
    def edit(info):
        info.create_system, info.external_attr = 3, (kind | 0o777) << 16

    with pytest.raises(UserError, match="is a link or a device"):
        run("x.zip", zip_bytes({"bad": b"../../victim.txt"}, edit))


def test_encrypted_zip(run):
    data = bytearray(zip_bytes({"a.wav": b"x"}))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(UserError, match="is encrypted"):
        run("x.zip", bytes(data))


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"Top/a.wav": b"1", "top/b.wav": b"2"}, "only in letter case"),
        ({"Top/A.wav": b"1", "Top/a.wav": b"2"}, "stands twice"),
        ({"Top/stra\u00dfe": b"1", "Top/strasse": b"2"}, "stands twice"),
        ({"Top/\u00e9": b"1", "Top/e\u0301": b"2"}, "stands twice"),
        ({"Top/a": b"1", "Top/a/b": b"2"}, "stands twice"),
        ({"Top/a/b": b"1", "Top/a": b"2"}, "stands twice"),
        ({"Top/a": b"1", "./Top//a": b"2"}, "stands twice"),
    ],
)
def test_members_that_would_overwrite_each_other(run, files, message):
    with pytest.raises(UserError, match=message):
        run("x.tar.gz", tar_bytes(files))


def test_bomb_of_bytes(run, tmp_path):
    limits = Limits(ratio=20, slack=1000)
    with pytest.raises(UserError, match="brings the unpacked size beyond"):
        run("x.tar.gz", tar_bytes({"a": b"x", "zeros": bytes(10**7)}), limits)
    assert written(tmp_path / "work/out") == {"a": b"x"}


def test_bomb_in_a_zip(run):
    with pytest.raises(UserError, match="brings the unpacked size beyond"):
        run("x.zip", zip_bytes({"zeros": bytes(10**7)}), Limits(ratio=20, slack=1000))


def test_bomb_of_members(run):
    files = {f"{number}": b"" for number in range(200)}
    with pytest.raises(UserError, match="one of over 100 members"):
        run("x.tar.gz", tar_bytes(files), Limits(members=100))


def test_header_that_claims_gigabytes(run):
    """A pax header of 200 MB of zeros, which gzip packs into 200 kB, must not be read in one go."""
    header = tarfile.TarInfo("pax")
    header.type, header.size = tarfile.XHDTYPE, 200 << 20
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=1) as out:
        out.write(header.tobuf())
        for _ in range(200):
            out.write(bytes(1 << 20))
    tracemalloc.start()
    with pytest.raises(UserError, match="a header claims 209715200 bytes"):
        run("x.tar.gz", buffer.getvalue())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50 << 20


def test_chain_of_headers(run):
    header = tarfile.TarInfo("pax")
    header.type, header.size = tarfile.XHDTYPE, 0
    with pytest.raises(UserError, match="cannot be unpacked"):
        run("x.tar", header.tobuf() * 3000 + bytes(1024))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("x.tar.gz", b""),
        ("x.tar.gz", b"<html>not an archive</html>"),
        ("x.zip", b"<html>not an archive</html>"),
        ("x.tar.bz2", b"BZh91AY&SY broken"),
        ("x.tar.xz", b"\xfd7zXZ\x00 broken"),
        ("x.tar.gz", tar_bytes(FILES)[:-30]),
        ("x.tar", tar_bytes(FILES, "w")[:600]),
        ("x.zip", zip_bytes(FILES)[:-30]),
        ("x.zip", zip_bytes(FILES).replace(b"text" * 2, b"tent" * 2)),
    ],
)
def test_damaged_archives(run, name, data):
    if name == "x.zip" and data == zip_bytes(FILES):
        data = zip_bytes(FILES, method=zipfile.ZIP_STORED).replace(b"text", b"tent", 3)
    with pytest.raises(UserError, match="cannot be unpacked"):
        run(name, data)


def test_a_full_disk_is_a_plain_error(run, monkeypatch):
    def full(self, mode="r", *rest, **options):
        if "x" in mode:
            raise OSError(28, "No space left on device")
        return natural(self, mode, *rest, **options)

    natural = Path.open
    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(UserError, match="No space left on device"):
        run("x.tar.gz", tar_bytes(FILES))


def test_nested_archives_are_unpacked_in_place_and_not_kept(tmp_path):
    for speaker in ("S0002", "S0724"):
        inner = tmp_path / "wav" / f"{speaker}.tar.gz"
        inner.parent.mkdir(exist_ok=True)
        split = "train" if speaker == "S0002" else "dev"
        inner.write_bytes(tar_bytes({f"{split}/{speaker}/x.wav": speaker.encode()}))
    assert unpack_nested(tmp_path) == 2
    assert written(tmp_path) == {
        "wav/train/S0002/x.wav": b"S0002",
        "wav/dev/S0724/x.wav": b"S0724",
    }


def test_nested_archives_cannot_overwrite_each_other(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.tar.gz").write_bytes(tar_bytes({"same.wav": name.encode()}))
    with pytest.raises(UserError, match="from another archive"):
        unpack_nested(tmp_path)
