"""The files of a folder of decoded audio: found by id, with what lies beside them."""

from __future__ import annotations

import functools
import hashlib
import itertools
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ...corpora.base import Utterance
from ...errors import CodecError, UnavailableError

LOSSLESS = frozenset({".wav", ".flac", ".aif", ".aiff", ".aifc", ".au", ".caf", ".w64", ".rf64"})
"""Suffixes of audio, whatever lies beside it."""

LOSSY = frozenset({".ogg", ".opus", ".mp3"})
"""Suffixes of audio where there is no lossless file of the same name; else of a bitstream."""

BITSTREAMS = LOSSY | {
    *(".aac", ".amr", ".awb", ".bin", ".bit", ".bitstream", ".c2", ".cbs", ".codec2", ".dac"),
    *(".ecdc", ".evs", ".g722", ".g726", ".g729", ".lc3", ".lyra", ".m4a", ".spx"),
}
"""Suffixes of bitstreams, whose size is the rate."""

BITS = ".bits"
"""Suffix of a text file that holds a number of bits."""

BLOCK = 4096
BLOCKS = 8
"""A file of more than `BLOCKS` blocks is hashed by as many blocks spread over it."""


@dataclass(frozen=True)
class Entry:
    """The decoded audio of one id.

    Parameters
    ----------
    name : str
        Path below the folder, without suffix, with ``/`` between its parts.
    audio : tuple of Path
        Normally one.
    bits : Path or None
        Text file with the number of bits.
    bitstreams : tuple of Path
        Normally one or none.
    """

    name: str
    audio: tuple[Path, ...]
    bits: Path | None
    bitstreams: tuple[Path, ...]


@dataclass(frozen=True)
class Inventory:
    """What a folder holds.

    Parameters
    ----------
    folder : Path
    entries : dict of str to tuple of Entry
        By the last part of their names.
    """

    folder: Path
    entries: dict[str, tuple[Entry, ...]]

    @functools.cached_property
    def has_rates(self) -> bool:
        """Whether a rate lies beside any of the audio."""
        entries = itertools.chain(*self.entries.values())
        return any(entry.bits is not None or entry.bitstreams for entry in entries)

    def find(self, utterance: Utterance) -> Entry:
        """Return the entry of an utterance.

        Its id is the file's name or ends its path. Of several, those whose path names the
        utterance's corpus, then split, then speaker are taken.

        Raises
        ------
        CodecError
            If there is none, or more than one.
        """
        wanted = utterance.id
        named = self.entries.get(wanted.rpartition("/")[2], ())
        found = [entry for entry in named if f"/{entry.name}".endswith(f"/{wanted}")]
        for part in (utterance.corpus, utterance.split, utterance.speaker):
            matching = [entry for entry in found if part in entry.name.split("/")[:-1]]
            found = matching or found
        files = [path for entry in found for path in entry.audio]
        if not files:
            raise CodecError(f"{shown(self.folder)}: no audio file named {shown(wanted)}")
        if len(files) > 1:
            raise CodecError(
                f"{shown(self.folder)}: {shown(wanted)} may be {self._relative(files[0])} "
                f"or {self._relative(files[1])}"
            )
        return found[0]

    def _relative(self, path: Path) -> str:
        return shown(path.relative_to(self.folder).as_posix())


def shown(value: object) -> str:
    """Return text fit for a line of a table: quoted and escaped if it holds odd characters."""
    text = str(value)
    return text if text.isprintable() and text else ascii(text)


@functools.cache
def inventory(folder: str) -> Inventory:
    """List a folder and what lies below it, once a process.

    Links to files are followed, links to folders are not (so nothing loops or leads elsewhere);
    only regular files count.

    Raises
    ------
    UnavailableError
        If it is not a folder, cannot be read, or holds no audio.
    """
    root = _root(folder)
    groups: dict[str, list[Path]] = {}
    for path in _files(root):
        name = path.relative_to(root).with_suffix("").as_posix()
        groups.setdefault(name, []).append(path)
    entries: dict[str, tuple[Entry, ...]] = {}
    for name, paths in sorted(groups.items()):
        entry = _entry(name, paths)
        if entry.audio:
            last = name.rpartition("/")[2]
            entries[last] = (*entries.get(last, ()), entry)
    if not entries:
        raise UnavailableError(f"decoded cannot run here: {shown(folder)} holds no audio files")
    return Inventory(root, entries)


def _root(folder: str) -> Path:
    try:
        root = Path(folder).expanduser().absolute()
        is_folder = stat.S_ISDIR(root.stat().st_mode)
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UnavailableError(f"decoded cannot run here: {shown(folder)}: {reason}") from error
    if not is_folder:
        raise UnavailableError(f"decoded cannot run here: {shown(folder)} is not a folder")
    return root


def _files(root: Path) -> Iterator[Path]:
    known = LOSSLESS | BITSTREAMS | {BITS}
    for place, folders, names in os.walk(root, onerror=_refuse):
        folders.sort()
        for name in sorted(names):
            path = Path(place, name)
            if path.suffix.lower() in known and _is_regular(path):
                yield path


def _refuse(error: OSError) -> None:
    reason = error.strerror or str(error)
    raise UnavailableError(f"decoded cannot run here: {shown(error.filename)}: {reason}")


def _is_regular(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return False


def _entry(name: str, paths: list[Path]) -> Entry:
    lossless = tuple(path for path in paths if path.suffix.lower() in LOSSLESS)
    lossy = tuple(path for path in paths if path.suffix.lower() in LOSSY)
    audio = lossless or lossy
    streams = (path for path in paths if path.suffix.lower() in BITSTREAMS and path not in audio)
    bits = next((path for path in paths if path.suffix.lower() == BITS), None)
    return Entry(name, audio, bits, tuple(streams))


@functools.cache
def content_hash(folder: str) -> str:
    """Hash what a folder holds, once a process.

    Covers the name and size of every audio, bitstream and bits file, the whole content of files
    up to 32 KiB, and of longer ones eight blocks of 4 KiB spread evenly from first to last. A
    change that keeps a file's size and all of these blocks is not seen.

    Raises
    ------
    UnavailableError
        As `inventory`.
    """
    found = inventory(folder)
    digest = hashlib.sha256()
    for entry in sorted(itertools.chain(*found.entries.values()), key=lambda entry: entry.name):
        bits = () if entry.bits is None else (entry.bits,)
        for path in (*entry.audio, *bits, *entry.bitstreams):
            name = f"{entry.name}{path.suffix}".encode(errors="surrogateescape")
            digest.update(b"%d %s\n" % (len(name), name))
            digest.update(_sampled(path))
    return digest.hexdigest()


def _sampled(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            header = f"{size}\n".encode()
            if size <= BLOCKS * BLOCK:
                return header + file.read()
            parts = [header]
            for number in range(BLOCKS):
                file.seek((size - BLOCK) * number // (BLOCKS - 1))
                parts.append(file.read(BLOCK))
            return b"".join(parts)
    except OSError as error:
        # The utterance fails when it is looked up; here it is enough that the hash says so.
        return f"unreadable: {error.errno}\n".encode()
