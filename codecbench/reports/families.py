"""Families: the codecs of a run that differ in nothing but their rate, as points of one curve."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..errors import UserError
from ..registry import codec_of
from ..spec import Spec, expand_spec, parse_spec
from .labels import short_labels

RATE_KEYS = ("kbps", "bps")
"""Keys of specs that set nothing but the rate."""


def family_of(spec: str) -> str:
    """Return a canonical spec without its rate.

    Examples
    --------
    >>> family_of("opus:kbps=12,framesize=20")
    'opus:framesize=20'
    >>> family_of("codec2:bps=1200")
    'codec2'
    """
    parsed = parse_spec(spec)
    kept = tuple((key, value) for key, value in parsed.params if key not in RATE_KEYS)
    return str(Spec(parsed.name, kept))


def families_of(specs: Sequence[str]) -> dict[str, list[str]]:
    """Group canonical specs by family, in the order given; by the family's short label."""
    found: dict[str, list[str]] = {}
    for spec in specs:
        found.setdefault(_without_rate(spec), []).append(spec)
    labels = short_labels(specs)
    named = {_without_rate(labels[members[0]]): members for members in found.values()}
    return named if len(named) == len(found) else found


def by_family(specs: Sequence[str]) -> list[str]:
    """Put the members of a family behind each other, by their nominal rates.

    Examples
    --------
    >>> by_family(["opus:kbps=12", "codec2:bps=1200", "opus:kbps=6"])
    ['opus:kbps=6', 'opus:kbps=12', 'codec2:bps=1200']
    """
    return [spec for members in families_of(specs).values() for spec in sorted(members, key=_rate)]


def _rate(spec: str) -> float:
    """Return the rate that a spec sets, in its own unit; 0 if it sets none."""
    try:
        params = dict(parse_spec(spec).params)
        return next((float(params[key]) for key in RATE_KEYS if key in params), 0.0)
    except (UserError, ValueError):  # a stranger's spec
        return 0.0


def _without_rate(label: str) -> str:
    try:
        return family_of(label)
    except UserError:  # a title stands for a long spec, or it is a stranger's
        return label


def named(specs: Sequence[str], everything: Sequence[str], labels: Mapping[str, str]) -> list[str]:
    """Name codecs by their labels, a whole family of several by the family's.

    Parameters
    ----------
    specs : sequence of str
        Canonical specs of those to name.
    everything : sequence of str
        Canonical specs of all, which say what a whole family is.
    labels : mapping of str to str
        By canonical spec.
    """
    whole = {
        spec: family
        for family, members in families_of(everything).items()
        if len(members) > 1 and set(members) <= set(specs)
        for spec in members
    }
    return list(dict.fromkeys(whole.get(spec) or labels[spec] for spec in specs))


def chosen(specs: Sequence[str], wanted: str) -> list[str]:
    """Return the codecs of a run that a spec or sweep means.

    A value that is not given may be any: ``pscodec:variant=casan`` means all rates of that
    variant.

    Parameters
    ----------
    specs : sequence of str
        Canonical specs of the run.
    wanted : str

    Raises
    ------
    UserError
        If a spec of the sweep means no codec of the run.
    """
    found: dict[str, None] = {}
    for one in expand_spec(wanted):
        meant = [spec for spec in specs if _means(one, parse_spec(spec))]
        if not meant:
            raise UserError(f"this run has no codec '{one}' (it has {', '.join(specs)})")
        found.update(dict.fromkeys(meant))
    return list(found)


def all_chosen(specs: Sequence[str], wanted: Iterable[str]) -> list[str]:
    """Return the codecs of a run that any of several specs or sweeps means, each once.

    Raises
    ------
    UserError
        See `chosen`.
    """
    return list(dict.fromkeys(spec for text in wanted for spec in chosen(specs, text)))


def _means(wanted: Spec, spec: Spec) -> bool:
    if wanted.name != spec.name:
        return False
    codec = codec_of(wanted)
    meant, values = dict(parse_spec(codec.spec).params), dict(spec.params)
    keys = [key or codec.Config.positional or "" for key, _ in wanted.params]
    return all(values.get(key) == meant.get(key) for key in keys)
