"""`Sheet`: what ``codecbench describe`` says of one codec, metric or corpus."""

from __future__ import annotations

import inspect
import json
import math
import shlex
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from ..codec import CodecBase
from ..component import Component
from ..corpora.base import Corpus
from ..metric import Column, Metric
from .keys import keys_of, plain
from .state import State, state_of, state_of_class

Kind = Literal["codec", "metric", "corpus"]


@dataclass(frozen=True)
class Sheet:
    """A card with what surrounds it.

    Parameters
    ----------
    kind : {"codec", "metric", "corpus"}
    spec : str
        Canonical spec.
    card : dict
        The card as data.
    facts : tuple of (str, str)
        What a reader is told, in order.
    keys : tuple of dict
        Configuration keys: ``name``, ``values``, ``default``, ``required``, ``meaning``.
    columns : tuple of Column
        Of a metric; the one that it was asked for by comes first.
    state : State
        Whether it can run here.
    example : str or None
        A command that uses it, where it was described without a spec.
    """

    kind: Kind
    spec: str
    card: dict[str, Any]
    facts: tuple[tuple[str, str], ...]
    keys: tuple[dict[str, str | bool | None], ...] = ()
    columns: tuple[Column, ...] = ()
    state: State = field(default_factory=State)
    example: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return a form that is valid JSON: no NaN, infinities as ``"inf"`` and ``"-inf"``."""
        return {
            "kind": self.kind,
            "spec": self.spec,
            "unavailable": self.state.unavailable,
            "needs": list(self.state.needs),
            "utterances": self.state.utterances,
            "keys": list(self.keys),
            "card": json_ready(self.card),
        }


def sheet_of(component: Component) -> Sheet:
    """Describe a codec, a metric or a corpus; loads no model and reads no audio.

    Raises
    ------
    TypeError
        If it is none of these.
    """
    if isinstance(component, CodecBase):
        card, facts, kind = component.card.as_dict(), _codec_facts(component), "codec"
    elif isinstance(component, Metric):
        card, facts, kind = component.card.as_dict(), _metric_facts(component), "metric"
    elif isinstance(component, Corpus):
        card, facts, kind = asdict(component.card), _corpus_facts(component), "corpus"
    else:
        raise TypeError(f"a codec, metric or corpus is needed, not {type(component).__name__}")
    return Sheet(
        kind=kind,  # type: ignore[arg-type]
        spec=component.spec,
        card=card,
        facts=tuple(facts),
        keys=tuple(keys_of(type(component))),
        columns=_columns(component) if isinstance(component, Metric) else (),
        state=state_of(component),
    )


def sheet_of_class(component: type[Component], kind: Kind) -> Sheet:
    """Describe a component that needs keys, without a spec that gives them."""
    description = plain(inspect.getdoc(component) or "")
    example = component.example or _pattern(component)
    state = state_of_class(component)
    facts = [
        ("description", description),
        ("needs keys", ", ".join(state.needs)),
    ]
    readme = Path(inspect.getfile(component)).with_name("README.md")
    if readme.is_file():
        facts.append(("more", str(readme)))
    return Sheet(
        kind=kind,
        spec=component.name,
        card={"name": component.name, "description": description, "example": example},
        facts=tuple(facts),
        keys=tuple(keys_of(component)),
        state=state,
        example=f"codecbench run {_OPTIONS[kind]} {shlex.quote(example)}",
    )


_OPTIONS = {
    "codec": "--codec",
    "metric": "--codec opus --metrics",
    "corpus": "--codec opus --corpus",
}


def _pattern(component: type[Component]) -> str:
    """Show the form of a spec where the component gives no example."""
    return (
        f"{component.name}:{','.join(f'{key}={key.upper()}' for key in component.required_keys())}"
    )


def _columns(metric: Metric) -> tuple[Column, ...]:
    """List the columns; the one that the metric was named by comes first."""
    if len(metric.selected) != 1:
        return metric.columns
    return tuple(sorted(metric.columns, key=lambda column: column.name not in metric.selected))


def _codec_facts(codec: CodecBase) -> Iterator[tuple[str, str]]:
    card = codec.card
    yield "title", card.title
    yield "description", plain(card.description)
    yield "reference", card.paper or "–"
    yield "licence", card.licence
    yield "sample rate", f"{card.sample_rate} Hz" if card.sample_rate else "that of the speech"
    if card.frame_rate:
        yield "frame rate", f"{card.frame_rate:g} frames/s"
    if card.codebook_sizes:
        yield "codebooks", " + ".join(map(str, card.codebook_sizes)) + " entries"
    if card.bandwidth_hz:
        yield "bandwidth", f"{card.bandwidth_hz:g} Hz"
    yield "causal", {True: "yes", False: "no", None: "not stated"}[card.causal]
    yield "delay", _delay(codec)
    yield "algorithmic latency", _latency(card.algorithmic_latency_ms)
    if card.nominal_kbps is not None:
        yield "nominal rate", f"{card.nominal_kbps:g} kbit/s (a label; tables show counted bits)"
    if card.parameters is not None:
        yield "parameters", f"{card.parameters:,}"
    if card.weights:
        yield "weights", f"{card.weights}, SHA-256 {card.weights_sha256 or 'not known'}"
        yield "training speakers", _training_speakers(len(card.training_speakers))
    yield "identity", codec.identity
    for note in card.notes:
        yield "note", plain(note)


def _delay(codec: CodecBase) -> str:
    samples = codec.card.delay_samples
    if samples is None:
        return "not known; a run estimates one for the codec"
    rate = codec.card.sample_rate
    return f"{samples} samples" + (f" ({1000 * samples / rate:.2f} ms)" if rate else "")


def _latency(milliseconds: float | None) -> str:
    if milliseconds is None:
        return "not stated"
    return "the whole utterance" if math.isinf(milliseconds) else f"{milliseconds:g} ms"


def _training_speakers(count: int) -> str:
    return f"{count} of registered corpora" if count else "none of registered corpora is stated"


def _metric_facts(metric: Metric) -> Iterator[tuple[str, str]]:
    card = metric.card
    rate = card.evaluation_rate
    if len(metric.selected) == 1 and len(metric.columns) > 1:
        column = _columns(metric)[0]
        yield "column", f"{column.name} ({column.title})"
    yield "definition", plain(card.definition)
    yield "compared at", f"{rate} Hz" if rate else "the rate of the run"
    yield "reference", card.paper or "–"
    yield "computed by", card.package or "codecbench"
    if card.laws:
        yield "laws", "; ".join(f"{law.name}: {', '.join(law.columns)}" for law in card.laws)
    yield "identity", card.identity


def _corpus_facts(corpus: Corpus) -> Iterator[tuple[str, str]]:
    card = corpus.card
    yield "title", card.title
    yield "description", card.description
    yield "languages", ", ".join(card.languages) or "not stated"
    yield "sample rate", f"{card.sample_rate} Hz" if card.sample_rate else "that of the files"
    yield "splits", ", ".join(card.splits) or "–"
    yield "default", ", ".join(card.default_splits) or "–"
    yield "licence", card.licence
    yield "homepage", card.homepage or "–"
    if card.folder:
        yield "folder", f"{card.folder}, below the data root"
    for archive in card.archives:
        size = f" ({archive.size / 1e6:,.0f} MB)" if archive.size else ""
        yield "archive", archive.url + size


def json_ready(value: Any) -> Any:
    """Replace what JSON lacks: NaN by null, infinities by the strings that `float` reads."""
    if isinstance(value, dict):
        return {str(key): json_ready(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_ready(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted(json_ready(item) for item in value)
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    json.dumps(value)
    return value
