"""Configuration keys in words: possible values with their limits, default, meaning."""

from __future__ import annotations

import types
from collections.abc import Iterable, Iterator
from typing import Any, Literal, Union, get_args, get_origin

from ..component import Component

_TYPES = {bool: "on | off", int: "whole number", float: "number", str: "text"}


def keys_of(component: type[Component]) -> Iterator[dict[str, str | bool | None]]:
    """Yield name, possible values, default, need and meaning of each configuration key."""
    for name, field in component.Config.model_fields.items():
        required = field.is_required()
        yield {
            "name": name,
            "values": _values(field.annotation, field.metadata),
            "default": None if required or field.default is None else _text(field.default),
            "required": required,
            "meaning": plain(field.description or ""),
        }


def plain(text: str) -> str:
    """Put a docstring's text on one line, its literals between single backticks."""
    return " ".join(text.replace("``", "`").split())


def _values(annotation: Any, metadata: Iterable[Any] = ()) -> str:
    limits = list(metadata)
    choices = _choices(limits)
    if choices:
        return " | ".join(map(_text, choices))
    text = _type(annotation)
    limit = _limits(limits)
    return f"{text}, {limit}" if limit else text


def _type(annotation: Any) -> str:
    origin = get_origin(annotation)
    if origin is Literal:
        return " | ".join(_text(value) for value in get_args(annotation))
    if origin in (Union, types.UnionType):
        parts = [part for part in get_args(annotation) if part is not type(None)]
        return " | ".join(_type(part) for part in parts)
    if hasattr(annotation, "__metadata__"):
        kind, *metadata = get_args(annotation)
        return _values(kind, [part for item in metadata for part in _parts(item)])
    return _TYPES.get(annotation, str(getattr(annotation, "__name__", annotation)))


def _parts(item: Any) -> list[Any]:
    """Take a pydantic field apart; anything else stays as it is."""
    parts: list[Any] = getattr(item, "metadata", [item])
    return parts


def _choices(metadata: Iterable[Any]) -> tuple[Any, ...]:
    """Return the numbers that a validator such as `one_of` admits."""
    found = (getattr(getattr(item, "func", None), "choices", ()) for item in metadata)
    return next((choices for choices in found if choices), ())


def _limits(metadata: Iterable[Any]) -> str:
    marks = (("ge", "≥"), ("gt", ">"), ("le", "≤"), ("lt", "<"))
    items = list(metadata)
    bounds = {
        name: getattr(item, name) for name, _ in marks for item in items if hasattr(item, name)
    }
    if {"ge", "le"} <= bounds.keys():
        return f"{_text(bounds['ge'])} … {_text(bounds['le'])}"
    parts = [f"{mark} {_text(bounds[name])}" for name, mark in marks if name in bounds]
    longest = next((item.max_length for item in items if getattr(item, "max_length", None)), None)
    return " and ".join([*parts, *([f"at most {longest} characters"] if longest else [])])


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:.12g}" if isinstance(value, float) else str(value)
