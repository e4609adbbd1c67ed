"""Fetches a corpus: downloads its archives, checks them, unpacks them, puts them in place."""

from __future__ import annotations

import contextlib
import json
import shutil
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from ..corpora.base import Archive, CorpusCard
from ..corpora.locate import cache_root, environment_roots
from ..errors import UserError
from ..files import write_text_atomic
from ..registry import CORPORA, component_class
from .checksums import Checked, Progress
from .download import download, downloaded, require_space
from .unpack import unpack, unpack_nested

DOWNLOADS = ".downloads"
"""Below the data root: partial and complete archives until they are unpacked."""
UNPACKED_FACTOR = 2.5
"""Room for unpacking, in sizes of the archive: an estimate that holds for all corpora here."""


@dataclass(frozen=True)
class Fetched:
    """What became of one archive.

    Parameters
    ----------
    url : str
    folder : Path
        The corpus's folder.
    size : int
        Bytes of the archive.
    sha256 : str
        As computed.
    verified : bool
        Whether it was compared with a published checksum.
    already : bool
        Whether it had been fetched before.
    """

    url: str
    folder: Path
    size: int
    sha256: str
    verified: bool
    already: bool


def fetch(
    corpus: str | CorpusCard,
    splits: Sequence[str] = (),
    root: Path | None = None,
    progress: Progress | None = None,
    keep_archives: bool = False,
) -> list[Fetched]:
    """Download, check and unpack the archives of a corpus.

    Parameters
    ----------
    corpus : str or CorpusCard
        Registered name, or the card itself.
    splits : sequence of str
        Which splits; the default splits if empty.
    root : Path, optional
        Data root to put the corpus's folder in; the first of ``CODECBENCH_DATA``, else the
        user's cache, if None.
    progress : callable, optional
        Called with the stage, bytes done and bytes in all.
    keep_archives : bool
        Keep the archives in ``.downloads`` below the root.

    Raises
    ------
    UserError
        If the corpus has no archives, a split is unknown, the folder is in the way, the disk is
        full, or an archive is missing, wrong or hostile.
    """
    card = component_class(CORPORA, corpus).card if isinstance(corpus, str) else corpus
    archives = wanted_archives(card, splits)
    root = default_root() if root is None else root.expanduser()
    folder = _folder(card, root)
    for archive in archives:
        _refuse_in_the_way(card, archive, folder)
    with _locked(card, root):
        _clear_leftovers(card, root)
        return [_fetch_one(card, item, root, progress, keep_archives) for item in archives]


def default_root() -> Path:
    """Return where corpora are put: the first of ``CODECBENCH_DATA``, else the user's cache."""
    return next(iter(environment_roots()), cache_root())


def wanted_archives(card: CorpusCard, splits: Sequence[str] = ()) -> list[Archive]:
    """List the archives that hold some splits (the default splits if none are given)."""
    if not card.archives:
        raise UserError(f"{card.name} cannot be fetched: it has no archives to download")
    unknown = [split for split in splits if split not in card.splits]
    if unknown:
        known = ", ".join(card.splits)
        raise UserError(f"{card.name} has no split {unknown[0]} (it has {known})")
    wanted = set(splits or card.default_splits)
    return [item for item in card.archives if not item.splits or wanted & set(item.splits)]


def _folder(card: CorpusCard, root: Path) -> Path:
    if card.folder is None:
        raise UserError(f"{card.name} has no folder of its own to be fetched into")
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{root}: cannot be made ({error.strerror})") from error
    return root / card.folder


@contextlib.contextmanager
def _locked(card: CorpusCard, root: Path) -> Iterator[None]:
    import filelock

    downloads = root / DOWNLOADS
    try:
        downloads.mkdir(exist_ok=True)
        with filelock.FileLock(downloads / f"{card.name}.lock", timeout=1):
            yield
    except filelock.Timeout as error:
        raise UserError(f"{card.name} is being fetched into {root} by another process") from error
    except PermissionError as error:
        raise UserError(f"{downloads}: cannot be written ({error.strerror})") from error


def _fetch_one(
    card: CorpusCard,
    archive: Archive,
    root: Path,
    progress: Progress | None,
    keep_archives: bool,
) -> Fetched:
    folder = _folder(card, root)
    done = _marker(folder, archive)
    path = root / DOWNLOADS / card.name / archive_name(archive)
    already = _is_complete(folder, archive)
    if already:
        known = json.loads(done.read_text(encoding="utf-8"))
        checked = Checked(known["size"], known["md5"], known["sha256"], known["verified"])
    else:
        checked = _bring(card, archive, path, folder, progress)
        write_text_atomic(
            done, json.dumps({"url": archive.url, **asdict(checked)}, indent=2) + "\n"
        )
    _placing(folder, archive).unlink(missing_ok=True)
    if not keep_archives:
        path.unlink(missing_ok=True)
    return Fetched(
        archive.url, folder, checked.size, checked.sha256, checked.verified, already=already
    )


def _bring(
    card: CorpusCard, archive: Archive, path: Path, folder: Path, progress: Progress | None
) -> Checked:
    if archive.size is not None:
        needed = int(archive.size * (1 + UNPACKED_FACTOR)) - downloaded(path)
        require_space(folder.parent, needed, f"to fetch {card.name}")
    checked = download(archive, path, progress)
    if progress:
        progress(f"unpacking {path.name}", 0, None)
    _put_in_place(card, archive, path, folder)
    return checked


def archive_name(archive: Archive) -> str:
    """Return the file name in an archive's address."""
    return PurePosixPath(urlsplit(archive.url).path).name


def _marker(folder: Path, archive: Archive) -> Path:
    """Return the file that says: this archive is unpacked, whole."""
    return folder / f".complete-{archive_name(archive)}.json"


def _is_complete(folder: Path, archive: Archive) -> bool:
    splits = all((folder / split).is_dir() for split in archive.splits)
    return _marker(folder, archive).exists() and splits


def _placing(folder: Path, archive: Archive) -> Path:
    """Return the file that says: what is here may be half of this archive."""
    return folder / f".placing-{archive_name(archive)}"


def _refuse_in_the_way(card: CorpusCard, archive: Archive, folder: Path) -> None:
    """Refuse, before downloading gigabytes, to touch what somebody else put there."""
    if _is_complete(folder, archive) or _placing(folder, archive).exists():
        return
    places = [folder / split for split in archive.splits] or [folder]
    for place in places:
        if place.exists():
            raise UserError(
                f"{place} is there already, not fetched by this command: check it with"
                f" `codecbench data verify {card.name}`, move it away, or choose another"
                " --data-root"
            )


def _put_in_place(card: CorpusCard, archive: Archive, path: Path, folder: Path) -> None:
    """Unpack into a folder beside, then rename: at no time is half a split in its place."""
    temporary = folder.parent / f".unpacking-{card.name}-{uuid.uuid4().hex[:12]}"
    try:
        unpack(path, temporary)
        unpack_nested(temporary)
        source = _top(card, temporary)
        folder.mkdir(exist_ok=True)
        half_done = _placing(folder, archive).exists()
        _placing(folder, archive).touch()
        for item in sorted(source.iterdir()):
            _move(item, folder / item.name, half_done)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _clear_leftovers(card: CorpusCard, root: Path) -> None:
    """Delete what a killed run left; the lock says that no other run is at this corpus."""
    for leftover in root.glob(f".unpacking-{card.name}-*"):
        shutil.rmtree(leftover, ignore_errors=True)


def _top(card: CorpusCard, unpacked: Path) -> Path:
    """Return the corpus's folder among what was unpacked, or all of it (VCTK has no top folder)."""
    names = [path.name for path in unpacked.iterdir()]
    if not names:
        raise UserError(f"{card.name}: the archive is empty")
    return unpacked / card.folder if card.folder and names == [card.folder] else unpacked


def _move(source: Path, target: Path, half_done: bool) -> None:
    """Rename a file over another, a folder only over what an interrupted run put there."""
    if target.is_dir() and not target.is_symlink():
        if not half_done:
            raise UserError(f"{target} is there already and is not overwritten; move it away")
        shutil.rmtree(target)
    source.replace(target)
