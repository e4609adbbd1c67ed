"""Short names of codecs: canonical specs without the values that say nothing."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import UserError
from ..registry import codec_of
from ..spec import Spec, format_spec, parse_spec


def short_labels(specs: Iterable[str]) -> dict[str, str]:
    """Return a short label for each canonical spec.

    A codec's first value is kept, and every other one that is not the codec's default or that
    tells two of these specs apart.

    Examples
    --------
    >>> short_labels(["identity", "reference"])
    {'identity': 'identity', 'reference': 'reference'}
    """
    parsed = {spec: _parsed(spec) for spec in dict.fromkeys(specs)}
    return {spec: _short(spec, found, parsed.values()) for spec, found in parsed.items()}


def _short(text: str, spec: Spec | None, others: Iterable[Spec | None]) -> str:
    if spec is None:
        return text
    defaults = _defaults(spec.name)
    siblings = [other for other in others if other is not None and other.name == spec.name]
    kept = [
        (key, value)
        for place, (key, value) in enumerate(spec.params)
        if place == 0
        or defaults.get(key) != value
        or any(dict(other.params).get(key) != value for other in siblings)
    ]
    return format_spec(spec.name, kept)


def _parsed(text: str) -> Spec | None:
    try:
        return parse_spec(text)
    except UserError:
        return None


def _defaults(name: str) -> dict[str, str]:
    """Return the default values of a codec; none if it is not installed or has required keys."""
    try:
        return dict(parse_spec(codec_of(name).spec).params)
    except UserError:
        return {}
