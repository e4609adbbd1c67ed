"""Spec strings: ``name:key=value,key=value`` names a configured codec, metric or corpus.

Values that contain ``, : = |`` or a double quote stand in double quotes, where ``\\"`` and
``\\\\`` are escapes. ``opus:kbps=6|12|24`` is a sweep and expands to three specs. A single
value without a key (``folder:/data/mine``) belongs to the key its owner declares for that.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .errors import UserError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[,|=]|[^",|=]+')
_SPECIAL = set(',:=|"')

MAX_SWEEP = 10_000
"""Specs that a sweep may expand to."""

POSITIONAL = ""
"""The key under which a value without a key is kept."""


@dataclass(frozen=True)
class Spec:
    """A parsed spec string.

    Parameters
    ----------
    name : str
    params : tuple of (key, value)
        As written, in the order written; the key of a bare value is empty.
    """

    name: str
    params: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return format_spec(self.name, self.params)


def format_spec(name: str, params: Iterable[tuple[str, str]]) -> str:
    """Write a spec string, quoting where the grammar needs it."""
    parts = [f"{key}={quote(value)}" if key else quote(value) for key, value in params]
    return f"{name}:{','.join(parts)}" if parts else name


def quote(value: str) -> str:
    """Quote a value if it holds a character that the grammar uses."""
    if value and not _SPECIAL & set(value) and value == value.strip():
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def parse_spec(text: str) -> Spec:
    """Parse one spec; a sweep (``|``) is refused.

    Raises
    ------
    UserError
        If the text is not of the grammar or is a sweep.
    """
    name, params = _parsed(text)
    if any(len(values) > 1 for _, values in params):
        # Told before it is expanded: a stranger's bitstream may hold the text.
        raise UserError(f"'{text}' is a sweep of {_sweep_size(params)} specs where one is needed")
    return Spec(name, tuple((key, value) for key, (value,) in params))


def expand_spec(text: str) -> list[Spec]:
    """Parse a spec or a sweep into its specs, the last key varying fastest.

    Raises
    ------
    UserError
        If the text is not of the grammar or stands for more than `MAX_SWEEP` specs.

    Examples
    --------
    >>> [str(spec) for spec in expand_spec("opus:kbps=6|12")]
    ['opus:kbps=6', 'opus:kbps=12']
    """
    name, params = _parsed(text)
    if math.prod(len(values) for _, values in params) > MAX_SWEEP:
        raise UserError(f"'{text}' is a sweep of {_sweep_size(params)} specs")
    keys = [key for key, _ in params]
    combinations = itertools.product(*(values for _, values in params))
    return [Spec(name, tuple(zip(keys, values, strict=True))) for values in combinations]


def _parsed(text: str) -> tuple[str, list[tuple[str, list[str]]]]:
    """Return name and parameters, each with its values."""
    name, colon, rest = text.strip().partition(":")
    if not _NAME.fullmatch(name):
        raise UserError(f"'{text}': a spec starts with a name, as in opus or opus:kbps=12")
    if not colon:
        return name, []
    params = [_parse_param(text, tokens) for tokens in _split(text, _tokens(text, rest), ",")]
    for key, count in Counter(key for key, _ in params).items():
        if count > 1:
            raise UserError(f"'{text}': {key or 'a value without a key'} is given twice")
    return name, params


def _sweep_size(params: Iterable[tuple[str, list[str]]]) -> str:
    size = math.prod(len(values) for _, values in params)
    return str(size) if size <= MAX_SWEEP else f"more than {MAX_SWEEP}"


def split_specs(text: str) -> list[str]:
    """Split a comma-separated list of specs, such as ``pesq,mcd:dtw=on,order=13,stoi``.

    A part of the form ``key=value`` belongs to the spec before it.

    Examples
    --------
    >>> split_specs("pesq,mcd:dtw=on,order=13,stoi")
    ['pesq', 'mcd:dtw=on,order=13', 'stoi']
    """
    specs: list[str] = []
    for tokens in _split(text, _tokens(text, text), ","):
        part = "".join(tokens)
        continues = "=" in tokens and ":" not in tokens[0]
        if continues and specs:
            specs[-1] += "," + part
        elif part.strip():
            specs.append(part.strip())
    return specs


def split_each(texts: Iterable[str] | None) -> list[str]:
    """Split several lists, as a repeated option gives them; nothing where none was given.

    Examples
    --------
    >>> split_each(["pesq,stoi", "mcd"])
    ['pesq', 'stoi', 'mcd']
    """
    return [spec for text in texts or () for spec in split_specs(text)]


def _tokens(text: str, rest: str) -> list[str]:
    tokens: list[str] = []
    position = 0
    while position < len(rest):
        # One at a time: looking on behind a quote that is not closed takes quadratic time.
        token = _TOKEN.match(rest, position)
        if token is None:
            raise UserError(f"'{text}': a double quote is not closed")
        tokens.append(token[0])
        position = token.end()
    return tokens


def _split(text: str, tokens: Sequence[str], separator: str) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for token in tokens:
        if token == separator:
            parts.append([])
        else:
            parts[-1].append(token)
    if any(not part for part in parts):
        raise UserError(f"'{text}': nothing stands on one side of a '{separator}'")
    return parts


def _parse_param(text: str, tokens: Sequence[str]) -> tuple[str, list[str]]:
    key = POSITIONAL
    if len(tokens) > 1 and tokens[1] == "=":
        key, tokens = tokens[0].strip(), tokens[2:]
        if not _KEY.fullmatch(key):
            raise UserError(f"'{text}': '{key}' is not a key; write key=value")
        if not tokens:
            raise UserError(f"'{text}': {key}= has no value")
    return key, [_value(text, part) for part in _split(text, tokens, "|")]


def _value(text: str, tokens: Sequence[str]) -> str:
    if len(tokens) != 1 or tokens[0] == "=":
        raise UserError(f"'{text}': put a value that holds , : = | or quotes in double quotes")
    token = tokens[0]
    if token.startswith('"'):
        return re.sub(r"\\(.)", r"\1", token[1:-1])
    return token.strip()
