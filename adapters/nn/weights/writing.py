"""Writes a network's weights with what is to be known of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ....files import write_bytes_atomic
from .header import FORMAT, SUFFIX, read_header
from .packing import Precision, packed

if TYPE_CHECKING:
    from torch import Tensor, nn

_LENGTH_BYTES = 8


def write_weights(
    path: Path, network: nn.Module, metadata: Mapping[str, str], precision: Precision = "float32"
) -> None:
    """Write a network's state as safetensors, whole or not at all; equal content, equal bytes.

    Parameters
    ----------
    path : Path
        Must end in ``.safetensors``.
    network : Module
        Its `state_dict` is written: what only training needs belongs outside of it, or into
        buffers that are not persistent.
    metadata : mapping of str to str
        ``codec``, ``variant``, ``config`` and ``training``; ``format`` is added.
    precision : {"float32", "float16", "int8"}
        See `codecbench.adapters.nn.weights.packing.packed`.

    Raises
    ------
    UserError
        If a value is not finite, or not in float16.
    """
    if path.suffix != SUFFIX or not {"codec", "config"} <= metadata.keys():
        raise ValueError(f"{path}: weights need the suffix {SUFFIX}, a codec and a config")
    tensors: dict[str, Tensor] = {}
    for name, value in network.state_dict().items():
        tensors |= packed(name, value, precision)
    write_bytes_atomic(path, _serialized(tensors, {**metadata, "format": FORMAT}))


def add_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write tensors that are none of the network's state into a weights file.

    All else stays as it is, down to the bit; tensors of the same names are replaced.

    Parameters
    ----------
    path : Path
        Written by `write_weights`.
    tensors : mapping of str to Tensor
    """
    from safetensors.torch import load_file

    metadata = read_header(path).metadata
    content = load_file(path)
    for name, tensor in tensors.items():
        content |= packed(name, tensor, "float32")
    write_bytes_atomic(path, _serialized(content, metadata))


def _serialized(tensors: dict[str, Tensor], metadata: dict[str, str]) -> bytes:
    """Serialize with the metadata in order: safetensors itself writes it in any order."""
    from safetensors.torch import save

    data = save(tensors, metadata)
    start = _LENGTH_BYTES + int.from_bytes(data[:_LENGTH_BYTES], "little")
    header = json.loads(data[_LENGTH_BYTES:start])
    header["__metadata__"] = dict(sorted(metadata.items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % _LENGTH_BYTES)
    return len(text).to_bytes(_LENGTH_BYTES, "little") + text + data[start:]
