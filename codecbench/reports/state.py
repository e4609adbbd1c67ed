"""`State`: whether a codec, metric or corpus can run here, as every command tells it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..component import Component
from ..corpora.base import Corpus
from ..errors import UnavailableError, UserError
from ..metric import Metric
from ..registry import CORPORA, component_class, load_corpus


@dataclass(frozen=True)
class State:
    """Whether something can run here.

    Parameters
    ----------
    unavailable : str or None
        Why not; None if it can.
    needs : tuple of str
        Keys that its spec must give; what they name can be tried only then.
    utterances : int or None
        Of a corpus.
    """

    unavailable: str | None = None
    needs: tuple[str, ...] = ()
    utterances: int | None = None

    @property
    def note(self) -> str:
        """What else is to be said, in words; may be empty."""
        if self.unavailable is not None:
            return self.unavailable
        if self.needs:
            return f"needs keys: {', '.join(self.needs)}"
        return "" if self.utterances is None else f"{self.utterances} utterances"


def state_of(component: Component) -> State:
    """Try a configured component; loads no model. A corpus is listed, without reading audio."""
    try:
        component.check_available()
        if isinstance(component, Corpus):
            return State(utterances=len(component.utterances()))
    except UserError as error:
        return State(str(error))
    return State()


def state_of_class(component: type[Component]) -> State:
    """Tell what can be told of a component that needs keys: are its packages there?"""
    missing = component.missing_requirements()
    hints = "; ".join(f"{item.name} is not installed: {item.hint}" for item in missing)
    return State(hints or None, component.required_keys())


def state_of_name(kind: str, name: str, data_root: Path | None = None) -> State:
    """Try what is registered under a name, as a run takes it by default.

    Parameters
    ----------
    kind : {"codecs", "metrics", "corpora"}
    name : str
    data_root : Path, optional
        Where corpora are looked for first.

    Raises
    ------
    UserError
        If there is no such name or no such data root.
    """
    try:
        component = component_class(kind, name)
    except UnavailableError as error:
        return State(str(error))
    if component.required_keys():
        return state_of_class(component)
    if kind == CORPORA:
        return state_of(load_corpus(name, data_root))
    if issubclass(component, Metric):
        return state_of(component(component.default_config()))
    return state_of(component())
