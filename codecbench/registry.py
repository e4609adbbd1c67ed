"""Finds codecs, metrics and corpora by name, through entry points.

Groups: ``codecbench.codecs``, ``codecbench.metrics``, ``codecbench.corpora``. Other people's
packages register theirs in the same way. `register` makes a class known without a package, to this
process and to the workers of its runs: for notebooks and scripts.
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .devices import check_device
from .errors import UnavailableError, UserError
from .spec import Spec, parse_spec

if TYPE_CHECKING:
    from .codec import CodecBase
    from .component import Component
    from .corpora.base import Corpus
    from .metric import Metric

CODECS, METRICS, CORPORA = "codecs", "metrics", "corpora"

registered: dict[str, dict[str, Any]] = {CODECS: {}, METRICS: {}, CORPORA: {}}
"""Classes that `register` was given, by kind and name."""


@functools.cache
def _entries(kind: str) -> dict[str, EntryPoint]:
    found = entry_points(group=f"codecbench.{kind}")
    return {entry.name: entry for entry in sorted(found, key=lambda entry: entry.name)}


def names(kind: str) -> list[str]:
    """List the registered names of a kind: ``codecs``, ``metrics`` or ``corpora``."""
    return [*_entries(kind), *registered[kind]]


def register(component: type[Component]) -> None:
    """Make a codec or metric known by its `name`, to this process and the workers of its runs.

    The class may stand in a notebook or a script: workers get a copy of it and of what it uses
    from there. Registered again under its name, it takes the place of the one before; results that
    a run folder holds stay as they are unless its `version` differs. The command line knows it
    only through an entry point.

    Parameters
    ----------
    component : type
        A concrete subclass of `Codec` or `Metric`.

    Raises
    ------
    UserError
        If it is no such class, or its name, or that of a column, is one that a package has.

    Examples
    --------
    >>> from codecbench import load_codec
    >>> from codecbench.adapters.mulaw import MulawCodec
    >>> class Telephone(MulawCodec):
    ...     name = "telephone"
    >>> register(Telephone)
    >>> load_codec("telephone").spec
    'telephone'
    """
    kind = _kind_of(component)
    if fault := _fault_of(kind, component):
        raise UserError(f"{component.__name__} cannot be registered: {fault}")
    registered[kind][component.name] = component
    column_owners.cache_clear()


def _kind_of(component: Any) -> str:
    from .codec import CodecBase
    from .metric import Metric

    for kind, base in ((CODECS, CodecBase), (METRICS, Metric)):
        if isinstance(component, type) and issubclass(component, base):
            return kind
    raise UserError(
        f"{component!r} cannot be registered: a class is needed that derives from Codec or Metric"
    )


def _fault_of(kind: str, component: Any) -> str | None:
    missing = sorted(component.__abstractmethods__)
    if missing:
        return f"it lacks {', '.join(missing)}"
    name = getattr(component, "name", None)
    if name is None:
        return "it has no `name`"
    if parse_spec(name).name != name:
        return f"a spec cannot begin with the name '{name}'"
    columns = {column.name for column in getattr(component, "columns", ())}
    owners = column_owners()
    taken = {column for column in columns if owners.get(column, name) != name}
    taken |= {name} & set(_entries(kind))
    return f"'{min(taken)}' is taken by a package; choose another name" if taken else None


def component_class(kind: str, name: str) -> Any:
    """Import and return the class registered under a name.

    Raises
    ------
    UserError
        If there is none; close names are suggested.
    UnavailableError
        If it cannot be imported.
    """
    if name in registered[kind]:
        return registered[kind][name]
    entries = _entries(kind)
    if name not in entries:
        raise UserError(unknown_name(kind, name, names(kind)))
    try:
        return entries[name].load()
    except (ImportError, AttributeError) as error:
        raise UnavailableError(f"{name} cannot be imported: {error}") from error


def unknown_name(kind: str, name: str, known: Iterable[str]) -> str:
    """Word the message for a name that is not registered."""
    known = list(known)
    close = difflib.get_close_matches(name, known, n=3)
    hint = f"did you mean {' or '.join(close)}?" if close else f"known: {', '.join(known)}"
    return f"unknown {_SINGULAR[kind]} '{name}' ({hint})"


_SINGULAR = {CODECS: "codec", METRICS: "metric", CORPORA: "corpus"}


def _parsed(spec: str | Spec) -> Spec:
    return parse_spec(spec) if isinstance(spec, str) else spec


def load_codec(spec: str | Spec, device: str = "cpu") -> CodecBase:
    """Return the codec that a spec names, ready to use on `device`.

    Parameters
    ----------
    spec : str
        Such as ``opus:kbps=12``.
    device : str
        A torch device for codecs that use one.

    Raises
    ------
    UserError
        If the spec is wrong.
    UnavailableError
        If the codec cannot run here.
    """
    check_device(device)
    codec = codec_of(spec)
    codec.check_available()
    codec.setup(device)
    return codec


def codec_of(spec: str | Spec) -> CodecBase:
    """Return the codec that a spec names without loading its models."""
    parsed = _parsed(spec)
    codec: CodecBase = component_class(CODECS, parsed.name).from_spec(parsed)
    return codec


def load_metric(name: str | Spec, device: str = "cpu") -> Metric:
    """Return the metric that a spec or a column names, ready to use on `device`.

    Parameters
    ----------
    name : str
        A metric (``pesq``), a column (``pesq_wb``) or a spec (``mcd:dtw=on``).
    device : str
        A torch device for metrics that use one.

    Raises
    ------
    UserError, UnavailableError
    """
    check_device(device)
    metric = metric_of(name)
    metric.check_available()
    metric.setup(device)
    return metric


def metric_of(name: str | Spec) -> Metric:
    """Return the metric that a spec or a column names without loading its models.

    A metric's name means its default columns; a name that is both (``stoi``) the column alone.
    """
    parsed = _parsed(name)
    entries, columns = names(METRICS), column_owners()
    selected: tuple[str, ...] | None
    if parsed.name in columns:
        owner, selected = columns[parsed.name], (parsed.name,)
    elif parsed.name in entries:
        owner, selected = parsed.name, None
    else:
        known = dict.fromkeys([*entries, *columns])
        raise UserError(unknown_name(METRICS, parsed.name, known))
    metric: Metric = component_class(METRICS, owner).from_spec(
        Spec(owner, parsed.params), selected=selected
    )
    return metric


@functools.cache
def column_owners() -> dict[str, str]:
    """Map every column to the metric that gives it."""
    owners: dict[str, str] = {}
    for name in names(METRICS):
        try:
            columns = component_class(METRICS, name).columns
        except UnavailableError:
            continue  # It is named when it is asked for; the other metrics still have names.
        owners |= {column.name: name for column in columns}
    return owners


def load_corpus(spec: str | Spec, data_root: str | Path | None = None) -> Corpus:
    """Return the corpus that a spec names.

    Parameters
    ----------
    spec : str
        Such as ``librispeech:split=test-clean``.
    data_root : path, optional
        Where its folder is; looked for before ``CODECBENCH_DATA`` and the user's cache.

    Raises
    ------
    UserError
    """
    parsed = _parsed(spec)
    if data_root is not None and not Path(data_root).expanduser().is_dir():
        raise UserError(f"there is no data root {data_root}")
    roots = None if data_root is None else (Path(data_root),)
    corpus: Corpus = component_class(CORPORA, parsed.name).from_spec(parsed, data_roots=roots)
    return corpus


@functools.cache
def speakers_corpus(corpus: str) -> str:
    """Return the corpus under whose name the speakers of a corpus are known.

    LibriTTS has LibriSpeech's readers under the same numbers, so that a codec trained on the one
    has seen speakers of the other.
    """
    if corpus not in _entries(CORPORA):
        return corpus
    card = component_class(CORPORA, corpus).card
    return card.speakers_of or corpus
