"""Cuts a piece out of an ONNX network, without the onnx package.

An ONNX file is a protocol-buffers message. Only its outer layers are taken apart here: which
field of the graph is a node, an initialiser, an input or an output; the pieces that are kept are
copied byte by byte.

Source: the field numbers of ``onnx.proto3`` (ONNX, Apache-2.0).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

_MODEL_GRAPH = 7
_GRAPH_NODE, _GRAPH_INITIALIZER, _GRAPH_VALUE_INFO = 1, 5, 13
_GRAPH_INPUT, _GRAPH_OUTPUT = 11, 12
_NODE_INPUT, _NODE_OUTPUT = 1, 2
_TENSOR_NAME = 8
_VALUE_NAME, _VALUE_TYPE, _TYPE_TENSOR, _TENSOR_ELEMENT, _FLOAT = 1, 2, 1, 1, 1

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


@dataclass(frozen=True)
class _Field:
    number: int
    payload: bytes
    """Content of a length-delimited field; empty for the other kinds."""
    raw: bytes
    """The whole field with its tag."""


def cut(model: bytes, start: str, end: str) -> bytes:
    """Return the part of a network that computes one tensor from another.

    Parameters
    ----------
    model : bytes
        A serialised ``ModelProto``.
    start : str
        Tensor that becomes the only input (float32, shape left open).
    end : str
        Tensor that becomes the only output.

    Raises
    ------
    ValueError
        If the network does not compute `end` from `start` alone.
    """
    parts = []
    for field in _fields(model):
        if field.number == _MODEL_GRAPH:
            parts.append(_delimited(_MODEL_GRAPH, _cut_graph(field.payload, start, end)))
        else:
            parts.append(field.raw)
    return b"".join(parts)


def _cut_graph(graph: bytes, start: str, end: str) -> bytes:
    fields = list(_fields(graph))
    nodes = [field for field in fields if field.number == _GRAPH_NODE]
    initializers = {
        name: field
        for field in fields
        if field.number == _GRAPH_INITIALIZER
        for name in _names(field.payload, _TENSOR_NAME)
    }
    kept, needed = _ancestors(nodes, start, end)
    missing = needed - {start} - set(initializers)
    if start not in needed or missing:
        raise ValueError(f"the network does not compute '{end}' from '{start}' alone")
    dropped = (
        _GRAPH_NODE, _GRAPH_INITIALIZER, _GRAPH_VALUE_INFO, _GRAPH_INPUT, _GRAPH_OUTPUT,
    )  # fmt: skip
    parts = [node.raw for node in kept]
    parts += [initializers[name].raw for name in sorted(needed - {start})]
    parts += [field.raw for field in fields if field.number not in dropped]
    parts += [_delimited(_GRAPH_INPUT, _float_tensor(start))]
    parts += [_delimited(_GRAPH_OUTPUT, _float_tensor(end))]
    return b"".join(parts)


def _ancestors(nodes: list[_Field], start: str, end: str) -> tuple[list[_Field], set[str]]:
    """Return the nodes from `start` to `end` in order, and the names that none of them computes."""
    kept: list[_Field] = []
    needed = {end}
    for node in reversed(nodes):
        outputs = set(_names(node.payload, _NODE_OUTPUT))
        if outputs & needed and start not in outputs:
            kept.append(node)
            needed = (needed - outputs) | set(_names(node.payload, _NODE_INPUT))
    return kept[::-1], needed


def _names(message: bytes, number: int) -> list[str]:
    return [field.payload.decode() for field in _fields(message) if field.number == number]


def _float_tensor(name: str) -> bytes:
    element = _varint(_TENSOR_ELEMENT << 3 | _VARINT) + _varint(_FLOAT)
    kind = _delimited(_TYPE_TENSOR, element)
    return _delimited(_VALUE_NAME, name.encode()) + _delimited(_VALUE_TYPE, kind)


def _delimited(number: int, payload: bytes) -> bytes:
    return _varint(number << 3 | _BYTES) + _varint(len(payload)) + payload


def _fields(message: bytes) -> Iterator[_Field]:
    position = 0
    while position < len(message):
        first = position
        tag, position = _read_varint(message, position)
        payload = b""
        match tag & 7:
            case 0:
                _, position = _read_varint(message, position)
            case 1:
                position += 8
            case 2:
                size, position = _read_varint(message, position)
                payload = message[position : position + size]
                position += size
            case 5:
                position += 4
            case kind:
                raise ValueError(f"not an ONNX network (wire type {kind})")
        if position > len(message):
            raise ValueError("the ONNX network is cut off")
        yield _Field(tag >> 3, payload, message[first:position])


def _varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _read_varint(message: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while position < len(message):
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return value, position
    raise ValueError("the ONNX network is cut off")
