"""Writes a network's weights with what is to be known of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ....errors import UserError
from ....files import write_bytes_atomic
from .header import FORMAT, SUFFIX, read_header

if TYPE_CHECKING:
    from torch import Tensor, nn

_LENGTH_BYTES = 8


def write_weights(
    path: Path, network: nn.Module, metadata: Mapping[str, str], half: bool = False
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
    half : bool
        Store real numbers as float16 instead of float32.

    Raises
    ------
    UserError
        If a value is not finite, or not in float16.
    """
    if path.suffix != SUFFIX or not {"codec", "config"} <= metadata.keys():
        raise ValueError(f"{path}: weights need the suffix {SUFFIX}, a codec and a config")
    tensors = {name: _stored(name, value, half) for name, value in network.state_dict().items()}
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
    added = {name: _stored(name, tensor, half=False) for name, tensor in tensors.items()}
    write_bytes_atomic(path, _serialized({**load_file(path), **added}, metadata))


def _stored(name: str, tensor: Tensor, half: bool) -> Tensor:
    import torch

    # A copy of its own: safetensors refuses tensors that share storage.
    stored = tensor.detach().cpu().contiguous().clone()
    if stored.is_floating_point():
        stored = stored.to(torch.float16 if half else torch.float32)
    if not torch.isfinite(stored).all():
        reason = "beyond float16" if torch.isfinite(tensor).all() else "not finite"
        raise UserError(f"the weights cannot be written: {name} holds values that are {reason}")
    return stored


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
