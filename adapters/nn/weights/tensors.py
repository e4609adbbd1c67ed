"""Reads the tensors of a weights file without running anything that it holds."""

from __future__ import annotations

import pickle
import re
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ....errors import UserError
from .header import SUFFIX
from .packing import unpacked

if TYPE_CHECKING:
    from torch import Tensor

PICKLES = (".pt", ".pth", ".pkl", ".ckpt")
"""Suffixes of files that `torch.save` writes."""
_DEEPEST = 16
_MOST_VALUES = 100_000
_LARGEST_GROWTH = 4
"""Tensors may share storage (tied weights), but not fill the memory from a small file."""
_BROKEN = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
"""What torch's readers raise at damaged files; an unpickler obeys whatever bytes come."""
_GLOBAL = re.compile(r"GLOBAL `?([A-Za-z_][\w.]*)")


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a file onto the CPU, real numbers as float32.

    ``.safetensors`` holds nothing but numbers. ``.pt``, ``.pth``, ``.pkl`` and ``.ckpt`` are
    pickles, programs in disguise: they are read by torch's restricted unpickler, which knows
    tensors and plain containers only; nested tables become names with dots
    (``generator.encoder.weight``) and values that are no tensors are left out.

    Raises
    ------
    UserError
        If the file is missing, damaged, of another kind, or a pickle that asks to run code.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such weights file")
    if path.suffix == SUFFIX:
        tensors = _read_safetensors(path)
    elif path.suffix in PICKLES:
        tensors = _read_pickle(path)
    else:
        known = ", ".join((SUFFIX, *PICKLES))
        raise UserError(f"{path} is no weights file: its name must end in one of {known}")
    if not tensors:
        raise UserError(f"{path} holds no tensors")
    _check_growth(path, tensors)
    plain = unpacked(tensors) if path.suffix == SUFFIX else tensors
    return {name: _as_float32(tensor) for name, tensor in plain.items()}


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    import safetensors
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (safetensors.SafetensorError, *_BROKEN) as error:
        raise UserError(
            f"{path} is not a safetensors file, or is damaged ({_one_line(error)})"
        ) from error


def _read_pickle(path: Path) -> dict[str, Tensor]:
    import torch

    try:
        _check_zip(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # The error that follows says it in one line.
            content = torch.load(path, map_location="cpu", weights_only=True, mmap=False)
    except pickle.UnpicklingError as error:
        raise UserError(_refusal(path, str(error))) from error
    except _BROKEN as error:
        raise UserError(f"{path}: cannot be read as weights ({_one_line(error)})") from error
    return dict(_named_tensors(path, content))


def _refusal(path: Path, message: str) -> str:
    """Word why the restricted unpickler stopped: something to call, or unknown instructions."""
    asked = _GLOBAL.search(message)
    what = f"wants to run code ({asked[1][:80]})" if asked else "holds more than tensors"
    return f"{path} {what} and was not loaded; ask its author for a {SUFFIX} file"


def _check_zip(path: Path) -> None:
    """Refuse archives that unpack to more than themselves: `torch.save` never compresses."""
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        unpacked = sum(member.file_size for member in archive.infolist())
    size = path.stat().st_size
    if unpacked > size:
        raise ValueError(f"{size} bytes claim to hold {unpacked}")


def _named_tensors(path: Path, content: object) -> Iterator[tuple[str, Tensor]]:
    """Walk nested tables in order; every name must come once."""
    seen: set[str] = set()
    for name, tensor in _walked(path, content):
        if name in seen:
            raise UserError(f"{path}: two tensors have the name {_shown(name)}")
        if not _is_plain(tensor):
            raise UserError(f"{path}: {_shown(name)} is sparse, quantized or without values")
        seen.add(name)
        yield name, tensor


def _walked(path: Path, content: object) -> Iterator[tuple[str, Tensor]]:
    from torch import Tensor

    stack, visited = [("", content, 0)], 0
    while stack:
        prefix, value, depth = stack.pop()
        visited += 1
        if depth > _DEEPEST or visited > _MOST_VALUES:
            raise UserError(f"{path}: its tables are nested too deeply or are too many")
        if isinstance(value, Tensor):
            yield prefix, value
        elif isinstance(value, dict):
            children = [(f"{prefix}.{key}" if prefix else str(key), value[key]) for key in value]
            stack.extend((name, child, depth + 1) for name, child in reversed(children))


def _is_plain(tensor: Tensor) -> bool:
    import torch

    plain = tensor.layout is torch.strided and not tensor.is_quantized
    return plain and tensor.device.type == "cpu"


def _check_growth(path: Path, tensors: dict[str, Tensor]) -> None:
    claimed = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    size = path.stat().st_size
    if claimed > _LARGEST_GROWTH * size:
        raise UserError(f"{path}: {size} bytes claim to hold tensors of {claimed} bytes")


def _as_float32(tensor: Tensor) -> Tensor:
    return tensor.detach().float() if tensor.is_floating_point() else tensor.detach()


def _shown(name: str) -> str:
    return ascii(name if len(name) <= 120 else name[:120] + "…")


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return ascii(text[:160])[1:-1] or type(error).__name__
