"""Unpacks archives of strangers: nothing leaves the folder, nothing but files and folders."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import stat
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from ..errors import UserError

CHUNK = 1 << 20
NESTED = (".tar.gz", ".tgz")
"""Archives inside an archive that are unpacked where they lie (AISHELL-1 has one a speaker)."""
_MAX_READ = 64 << 20
"""No header of an honest archive is longer; longer ones would fill the memory."""
_BROKEN = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    NotImplementedError,  # zipfile: an unknown compression
    RecursionError,  # tarfile: a chain of headers that describe headers
)

_MAX_NAME = 1000


@dataclass(frozen=True)
class Limits:
    """Bounds on what an archive may unpack to.

    Parameters
    ----------
    members : int
        Files and folders.
    ratio : float
        Unpacked bytes for every byte of archive; speech in WAV stays below 4.
    slack : int
        Bytes allowed on top, for small archives of text.
    """

    members: int = 2_000_000
    ratio: float = 20.0
    slack: int = 64 << 20


@dataclass(frozen=True)
class _Member:
    """A file or folder of an archive, whatever its kind."""

    name: str
    size: int
    is_folder: bool
    open: Callable[[], IO[bytes]]


class _Unpacker:
    """Checks every member before anything of it is written, and counts what was written."""

    def __init__(self, archive: Path, into: Path, limits: Limits) -> None:
        self.archive, self.into, self.limits = archive, into, limits
        self.budget = int(archive.stat().st_size * limits.ratio) + limits.slack
        self.kinds: dict[str, bool] = {}
        self.spelled: dict[str, str] = {}
        self.members = 0
        self.bytes = 0

    def refuse(self, name: str, why: str) -> UserError:
        shown = ascii(name if len(name) <= 120 else name[:120] + "…")
        return UserError(f"{self.archive.name}: refused, member {shown} {why}")

    def take(self, member: _Member) -> None:
        self.members += 1
        if self.members > self.limits.members:
            raise self.refuse(member.name, f"is one of over {self.limits.members} members")
        parts = self._parts(member.name)
        if not parts:
            return
        self._enter(member, parts)
        target = self.into.joinpath(*parts)
        if member.is_folder:
            target.mkdir(parents=True, exist_ok=True)
            return
        self.bytes += member.size
        if self.bytes > self.budget:
            raise self.refuse(
                member.name,
                f"brings the unpacked size beyond {self.budget} bytes, too much for an archive of"
                f" {self.archive.stat().st_size} bytes",
            )
        self._copy(member, target)

    def _parts(self, name: str) -> list[str]:
        """Return the parts of a relative path that stays inside."""
        if not name or len(name) > _MAX_NAME:
            raise self.refuse(name, "has no name or an endless one")
        if name.startswith("/") or "\\" in name or name[1:2] == ":":
            raise self.refuse(name, "has an absolute path or a path of another system")
        if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in name):
            raise self.refuse(name, "has control or invalid characters in its name")
        parts = [part for part in name.split("/") if part not in ("", ".")]
        if ".." in parts:
            raise self.refuse(name, "leads out of the folder ('..')")
        return parts

    def _enter(self, member: _Member, parts: list[str]) -> None:
        """Refuse what would overwrite something, on any file system, letter case included."""
        for depth in range(1, len(parts) + 1):
            path = "/".join(parts[:depth])
            folded = unicodedata.normalize("NFC", path).casefold()
            is_folder = depth < len(parts) or member.is_folder
            known = self.kinds.get(folded)
            if known is not None and not (known and is_folder):
                raise self.refuse(member.name, "stands twice in the archive")
            if self.spelled.setdefault(folded, path) != path:
                raise self.refuse(
                    member.name, f"differs from {self.spelled[folded]!a} only in letter case"
                )
            self.kinds[folded] = is_folder

    def _copy(self, member: _Member, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        left = member.size
        try:
            # "x": never through a link, never over another file.
            out = target.open("xb")
        except FileExistsError as error:
            raise self.refuse(member.name, "is there already, from another archive") from error
        with out, member.open() as source:
            while left and (chunk := source.read(min(CHUNK, left))):
                out.write(chunk)
                left -= len(chunk)
            if left:
                raise self.refuse(member.name, f"is cut short by {left} bytes")
            if source.read(1):
                raise self.refuse(member.name, "is longer than it says")


def unpack(archive: Path, into: Path, limits: Limits | None = None) -> int:
    """Unpack a tar (plain, gzip, bzip2, xz) or zip archive into a folder.

    Refused, before anything of the member is written: absolute paths, ``..``, links, devices and
    pipes, sparse and encrypted members, names that differ only in letter case or stand twice,
    and more bytes or members than the limits allow. Owners, modes and times are not taken over.

    Parameters
    ----------
    archive : Path
    into : Path
        Should be a new folder; what was unpacked before an error stays in it.
    limits : Limits, optional

    Returns
    -------
    int
        Bytes written.

    Raises
    ------
    UserError
        If the archive is hostile, damaged, or the disk is full.
    """
    unpacker = _Unpacker(archive, into, limits or Limits())
    into.mkdir(parents=True, exist_ok=True)
    try:
        for member in _members(archive, unpacker):
            unpacker.take(member)
    except _BROKEN as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise UserError(
            f"{archive.name}: cannot be unpacked into {into} ({reason or type(error).__name__})"
        ) from error
    return unpacker.bytes


def unpack_nested(folder: Path, limits: Limits | None = None) -> int:
    """Unpack the archives that lie in a folder, each where it lies, and delete them.

    Returns
    -------
    int
        How many there were.
    """
    found = sorted(path for path in folder.rglob("*") if path.name.endswith(NESTED))
    whole = limits or Limits()
    # Together they may take no more slack than one archive, and sound is compressed only once.
    each = replace(whole, ratio=whole.ratio / 4, slack=whole.slack // max(1, len(found)))
    for path in found:
        unpack(path, path.parent, each)
        path.unlink()
    return len(found)


def _members(archive: Path, unpacker: _Unpacker) -> Iterator[_Member]:
    if archive.name.endswith(".zip"):
        return _zip_members(archive, unpacker)
    return _tar_members(archive, unpacker)


def _zip_members(archive: Path, unpacker: _Unpacker) -> Iterator[_Member]:
    with zipfile.ZipFile(archive) as file:
        for info in file.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise unpacker.refuse(info.filename, "is a link or a device")
            if info.flag_bits & 1:
                raise unpacker.refuse(info.filename, "is encrypted")
            # A function of its own, so that each member opens itself and not the last one.
            yield _Member(info.filename, info.file_size, info.is_dir(), _zip_opener(file, info))


def _zip_opener(file: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[], IO[bytes]]:
    return lambda: file.open(info)


def _tar_members(archive: Path, unpacker: _Unpacker) -> Iterator[_Member]:
    with _decompressed(archive) as stream, tarfile.open(fileobj=stream, mode="r:") as file:
        while (info := file.next()) is not None:
            if not (info.isreg() or info.isdir()) or info.issparse():
                raise unpacker.refuse(info.name, "is a link, a device or a sparse file")
            try:
                tarfile.data_filter(info, str(unpacker.into))
            except tarfile.FilterError as error:
                raise unpacker.refuse(info.name, f"is refused by tarfile: {error}") from error
            yield _Member(info.name, info.size, info.isdir(), _tar_opener(file, info))
            # tarfile remembers every member; hundreds of thousands would fill the memory.
            file.members = []  # type: ignore[attr-defined]


def _tar_opener(file: tarfile.TarFile, info: tarfile.TarInfo) -> Callable[[], IO[bytes]]:
    def opened() -> IO[bytes]:
        source = file.extractfile(info)
        return source if source is not None else io.BytesIO()

    return opened


class _Bounded:
    """A stream that refuses to be read in one gulp: headers can claim any length."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        if size < 0 or size > _MAX_READ:
            raise tarfile.ReadError(f"a header claims {size} bytes")
        data: bytes = self._stream.read(size)
        return data

    def seek(self, position: int) -> int:
        moved: int = self._stream.seek(position)
        return moved

    def tell(self) -> int:
        position: int = self._stream.tell()
        return position


@contextlib.contextmanager
def _decompressed(archive: Path) -> Iterator[Any]:
    """Open the tar inside: `tarfile` then reads forward only, through bounded reads."""
    name = archive.name
    with contextlib.ExitStack() as stack:
        stream: Any
        if name.endswith((".gz", ".tgz")):
            stream = stack.enter_context(gzip.open(archive))
        elif name.endswith(".bz2"):
            stream = stack.enter_context(bz2.open(archive))
        elif name.endswith(".xz"):
            stream = stack.enter_context(lzma.open(archive))
        else:
            stream = stack.enter_context(archive.open("rb"))
        yield _Bounded(stream)
