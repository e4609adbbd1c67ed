"""Where weights are: with the package, with their authors, in a file, or at an address."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Annotated
from urllib.parse import urldefrag, urlsplit

import pydantic

from ....corpora.base import Archive
from ....data.checksums import Progress
from ....errors import UnavailableError, UserError
from .cache import cache_root, fetched, is_safe_address
from .header import SUFFIX
from .official import OfficialWeights
from .tensors import PICKLES

OFFICIAL = "official"
_STEM = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_CHECKSUM = re.compile(r"sha256=([0-9a-fA-F]{64})")
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def is_outside_source(name: str) -> bool:
    """Tell whether a name is a file or an address, which only its user can vouch for."""
    return _STEM.fullmatch(name) is None


def _checked(name: str) -> str:
    """Check the form of a name; nothing is looked up."""
    if not name:
        raise ValueError(f"write nano, official, a {SUFFIX} file or its address")
    if _SCHEME.match(name):
        _archive(name)
    return name


WeightsSource = Annotated[str, pydantic.AfterValidator(_checked)]
"""Type of the configuration field ``weights``: wrong addresses are refused with the spec."""


def locate(
    name: str,
    folder: Path,
    *,
    official: OfficialWeights | None,
    codec: str,
    progress: Progress | None = None,
) -> Path:
    """Return the weights file that a name means, fetching it once if it is elsewhere.

    Parameters
    ----------
    name : str
        ``official``; the stem of a file that comes with the codec, such as ``nano``; a path;
        or an address with its checksum, ``https://host/file.safetensors#sha256=...``.
    folder : Path
        The adapter's folder; its weights lie in ``weights/`` below.
    official : OfficialWeights or None
        None: there are none.
    codec : str
        Named in errors.
    progress : callable, optional
        Called while downloading.

    Raises
    ------
    UnavailableError
        If bundled or official weights are not to be had.
    UserError
        If the name is wrong, the file missing, or a download fails or is not what was asked for.
    """
    if name == OFFICIAL:
        return _official(official, codec, progress)
    if _STEM.fullmatch(name):
        return _bundled(name, folder, codec)
    if _SCHEME.match(name):
        return _downloaded(name, progress)
    return _existing(name)


def found_here(key: str, name: str, is_wanted: Callable[[Path], bool]) -> Path | None:
    """Return the path that a name means, None if what is wanted is not there.

    Parameters
    ----------
    key : str
        Of the spec; named in errors.
    name : str
    is_wanted : callable
        `Path.is_file` or `Path.is_dir`.

    Raises
    ------
    UserError
        If the name cannot be looked up.
    """
    try:
        path = Path(name).expanduser()
        return path if is_wanted(path) else None
    except (OSError, RuntimeError) as error:  # RuntimeError: ~nobody
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(f"{key}={name[:200]}: cannot be read ({reason})") from error


def _existing(name: str) -> Path:
    path = found_here("weights", name, Path.is_file)
    if path is None:
        raise UserError(f"weights={name}: there is no such file")
    return path


def _bundled(stem: str, folder: Path, codec: str) -> Path:
    path = folder / "weights" / f"{stem}{SUFFIX}"
    if not path.is_file():
        there = sorted(file.stem for file in path.parent.glob(f"*{SUFFIX}"))
        known = f"has {', '.join(there)}" if there else "comes without weights here"
        raise UnavailableError(
            f"{codec} {known}, not '{stem}' (looked for {path}): train them with"
            f" `codecbench train`, reinstall codecbench, or name a file as ./{stem}{SUFFIX}"
        )
    return path


def _official(official: OfficialWeights | None, codec: str, progress: Progress | None) -> Path:
    if official is None:
        raise UnavailableError(f"{codec} has no published weights; use weights=nano")
    if official.reason is not None:
        raise UnavailableError(f"{codec} has no official weights here: {official.reason}")
    return official.fetched(codec, progress)


def _downloaded(address: str, progress: Progress | None) -> Path:
    try:
        archive = _archive(address)
    except ValueError as error:
        raise UserError(f"weights={address}: {error}") from error
    # The checksum is the name: a file that moved to another address is not fetched again.
    name = PurePosixPath(urlsplit(archive.url).path).name
    return fetched(archive, cache_root() / str(archive.sha256) / name, progress)


def _archive(address: str) -> Archive:
    """Take an address apart.

    Raises
    ------
    ValueError
        If it is not encrypted, lacks its checksum or is not that of a weights file.
    """
    url, fragment = urldefrag(address)
    parts = urlsplit(url)
    if not is_safe_address(url):
        raise ValueError("weights are only downloaded from https:// addresses")
    checksum = _CHECKSUM.fullmatch(fragment)
    if checksum is None:
        raise ValueError(
            "an address needs its file's checksum: add #sha256= and the 64 hexadecimal digits"
        )
    name = PurePosixPath(parts.path).name
    if not _FILE_NAME.fullmatch(name) or PurePosixPath(name).suffix not in (SUFFIX, *PICKLES):
        raise ValueError(f"the address must be that of a {SUFFIX} file")
    return Archive(url, sha256=checksum[1].lower())
