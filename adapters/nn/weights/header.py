"""What a weights file says of itself, read without its tensors."""

from __future__ import annotations

import functools
import hashlib
import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ....errors import UserError
from .loading import COUNTS
from .packing import is_scale

FORMAT = "codecbench-weights-1"
"""What the metadata key ``format`` says in files that this version writes and reads."""
SUFFIX = ".safetensors"
_LENGTH_BYTES = 8
_MOST_DIMENSIONS, _LARGEST_SIZE = 8, 1 << 48
_LONGEST_HEADER = 16 << 20
"""Bytes; honest headers are a thousand times shorter."""


@dataclass(frozen=True)
class WeightsFile:
    """The header of a weights file.

    Parameters
    ----------
    path : Path
    sha256 : str
        Of the whole file.
    metadata : dict of str to str
        Empty for files that carry none.
    parameters : int or None
        Numbers in all tensors of the network: weights, biases, codebooks; None if the header does
        not tell.
    """

    path: Path
    sha256: str
    metadata: dict[str, str] = field(default_factory=dict)
    parameters: int | None = None

    @property
    def codec(self) -> str:
        """Registered name of the codec; empty if the file does not say."""
        return self.metadata.get("codec", "")

    @property
    def variant(self) -> str:
        """Variant of the codec; empty if it has none."""
        return self.metadata.get("variant", "")

    @property
    def config(self) -> dict[str, Any]:
        """The network's configuration.

        Raises
        ------
        UserError
            If it is missing or not a JSON object.
        """
        if "config" not in self.metadata:
            raise UserError(f"{self.path}: the weights do not say their network's configuration")
        return self._parsed("config")

    @property
    def training(self) -> dict[str, Any]:
        """How the weights were trained; empty if the file does not say."""
        return self._parsed("training") if "training" in self.metadata else {}

    @property
    def training_speakers(self) -> frozenset[tuple[str, str]]:
        """Pairs of corpus and speaker that the weights were trained on.

        Raises
        ------
        UserError
            If the list is there but malformed.
        """
        speakers = self.training.get("speakers", {})
        if not _is_speaker_list(speakers):
            raise UserError(f"{self.path}: 'speakers' must map each corpus to a list of speakers")
        return frozenset((corpus, one) for corpus, ids in speakers.items() for one in ids)

    def _parsed(self, key: str) -> dict[str, Any]:
        value = _json_object(self.metadata[key])
        if value is None:
            raise UserError(f"{self.path}: the metadata '{key}' is not a JSON object")
        return value


def read_header(path: Path) -> WeightsFile:
    """Read what a weights file says of itself; its tensors stay on the disk.

    Files other than ``.safetensors`` carry no metadata and are never opened as pickles here.

    Raises
    ------
    UserError
        If the file is missing, unreadable or not what its name says.
    """
    sha256 = file_sha256(path)
    if path.suffix != SUFFIX:
        return WeightsFile(path, sha256)
    header = _header(path)
    metadata = header.pop("__metadata__", {})
    if not (isinstance(metadata, dict) and all(map(_is_text, metadata.values()))):
        raise UserError(f"{path}: its metadata is not a table of texts")
    try:
        network = (t for name, t in header.items() if name != COUNTS and not is_scale(name))
        parameters = sum(_numel(tensor["shape"]) for tensor in network)
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path} is not a safetensors file, or is damaged") from error
    return WeightsFile(path, sha256, metadata, parameters)


def check_format(weights: WeightsFile, codec: str) -> None:
    """Refuse weights of another codec or of an unknown format.

    Raises
    ------
    UserError
    """
    form = weights.metadata.get("format")
    if form is None:
        raise UserError(
            f"{weights.path} was not written by codecbench and does not say its network;"
            f" weights of {codec} are exported by `codecbench train`"
        )
    if form != FORMAT:
        raise UserError(
            f"{weights.path} has the format '{form}', this version reads '{FORMAT}';"
            " install the version of codecbench that wrote it"
        )
    if weights.codec != codec:
        raise UserError(f"{weights.path} holds weights of '{weights.codec}', not of '{codec}'")


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, computed once a process while size and time stay.

    Raises
    ------
    UserError
        If there is no such file or it cannot be read.
    """
    try:
        status = path.stat()
        if not path.is_file():
            raise UserError(f"{path} is not a file")
        return _sha256(path.absolute(), status.st_size, status.st_mtime_ns)
    except ValueError as error:
        raise UserError(f"{str(path)!a}: no file can have this name") from error
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such weights file") from error
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error


@functools.lru_cache(maxsize=256)
def _sha256(path: Path, _size: int, _mtime_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _header(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
        text = file.read(length) if length <= _LONGEST_HEADER else b""
    header = _json_object(text) if text and len(text) == length else None
    if header is None:
        raise UserError(f"{path} is not a safetensors file, or is damaged")
    return header


def _numel(shape: list[int]) -> int:
    plain = all(type(size) is int and 0 <= size < _LARGEST_SIZE for size in shape)
    if not plain or len(shape) > _MOST_DIMENSIONS:
        raise ValueError("this is no tensor's shape")
    return math.prod(shape)


def _json_object(text: str | bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _is_text(value: object) -> bool:
    """Tell whether a value is a text that can be written: JSON allows lone surrogates."""
    return isinstance(value, str) and not any("\ud800" <= one <= "\udfff" for one in value)


def _is_speaker_list(value: object) -> bool:
    return isinstance(value, dict) and all(
        _is_text(corpus) and isinstance(ids, list) and all(map(_is_text, ids))
        for corpus, ids in value.items()
    )
