"""Short names of codecs: canonical specs without the values that say nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from ..errors import UserError
from ..registry import codec_of
from ..spec import Spec, format_spec, parse_spec

LONG = 32
"""A label with more signs gives way to the title on the codec's card."""


def short_labels(specs: Iterable[str], titles: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return a short label for each canonical spec; two specs never share one.

    A codec's first value is kept, and every other one that is not the codec's default or that
    tells two of these specs apart. What is still long (a command, a folder) becomes
    ``name:title``.

    Parameters
    ----------
    specs : iterable of str
    titles : mapping of str to str, optional
        Titles of the codecs' cards by canonical spec.

    Examples
    --------
    >>> short_labels(["identity", "reference"])
    {'identity': 'identity', 'reference': 'reference'}
    """
    parsed = {spec: _parsed(spec) for spec in dict.fromkeys(specs)}
    labels = {spec: _short(spec, found, parsed.values()) for spec, found in parsed.items()}
    shorter = {
        spec: format_spec(found.name, [("", titles[spec])])
        for spec, found in parsed.items()
        if found and titles and titles.get(spec) and len(labels[spec]) > LONG
    }
    merged = labels | shorter
    shared = {label for label, count in Counter(merged.values()).items() if count > 1}
    return {spec: labels[spec] if merged[spec] in shared else merged[spec] for spec in labels}


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
