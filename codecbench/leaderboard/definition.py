"""What a leaderboard is: a TOML file, read and validated."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic

from ..component import first_fault
from ..errors import UserError
from ..packet_loss import PacketLoss
from ..registry import column_owners
from ..results.results import RATE
from ..spec import expand_spec
from ..toml_file import read_toml
from ..utterance_list import ListedUtterance, read_list
from .properties import PROPERTIES, TIMINGS

DEFAULT_FOLDER = Path("leaderboards")
"""Where definitions are looked for by their names."""

Layout = Literal["metrics", "corpora"]
"""Tables by corpus with a column a metric, or by metric with a column a corpus."""

Text = Annotated[str, pydantic.StringConstraints(strip_whitespace=True, min_length=1)]


class _Model(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class PinnedCorpus(_Model):
    """A corpus and the utterances of it that count."""

    name: Text
    """Corpus spec."""
    utterances: Path
    """List of utterances with the hashes of their audio, beside the definition."""


class Definition(_Model):
    """A leaderboard of measurements.

    Raises
    ------
    UserError
        From `read_definition`, in one line.
    """

    path: Path
    """The TOML file."""
    title: Text
    about: Text
    """What it is for and how to read it; Markdown."""
    place: int = 0
    """Order in overviews and listings: small ones first, equal ones by name."""
    rate: int = pydantic.Field(ge=4000, le=192000)
    """Evaluation rate in Hz, of every corpus."""
    packet_loss: PacketLoss | None = None
    """Share of packets lost, as ``codecbench run --packet-loss`` takes it."""
    corpora: tuple[PinnedCorpus, ...] = pydantic.Field(min_length=1)
    codecs: tuple[Text, ...] = pydantic.Field(min_length=1)
    """Codec specs and sweeps."""
    metrics: tuple[Text, ...] = pydantic.Field(min_length=1)
    """Columns of its page, in order."""
    overview: tuple[Text, ...] = ()
    """Columns that the overview shows; all if empty."""
    properties: tuple[Text, ...] = ()
    """Columns that come from cards and timings instead of speech."""
    bands: tuple[float, ...] = ()
    """Edges in kbit/s: codecs are compared only with those between the same edges."""
    sort: Text = RATE
    """Column that rows are sorted by within a group; lowest or best first."""
    max_kbps: float | None = pydantic.Field(default=None, gt=0)
    """Counted rate above which a codec is left out."""
    causal: bool = False
    """Whether codecs must be causal."""
    layout: Layout = "metrics"
    """Tables by corpus with a column a metric, or tables by metric with a column a corpus."""

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self.path.stem

    @property
    def shown(self) -> tuple[str, ...]:
        """Columns of the overview."""
        return self.overview or self.metrics

    def listed(self, corpus: PinnedCorpus) -> list[ListedUtterance]:
        """Read the pinned utterances of a corpus.

        Raises
        ------
        UserError
            If the list cannot be read, or pins no audio.
        """
        path = self.path.parent / corpus.utterances
        listed = read_list(path)
        for row in listed:
            if row.sha256 is None or row.sample_rate is None:
                raise UserError(
                    f"{path}: {row.label} has no hash and sample rate of its audio; take the"
                    " utterances.csv of a run folder"
                )
        return listed

    @pydantic.field_validator("packet_loss", mode="before")
    @classmethod
    def _parse_packet_loss(cls, value: Any) -> Any:
        return PacketLoss.parse(str(value)) if isinstance(value, str | int | float) else value

    @pydantic.field_validator("codecs")
    @classmethod
    def _expand(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(spec) for text in value for spec in expand_spec(text))

    @pydantic.field_validator("metrics")
    @classmethod
    def _known_columns(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        known = column_owners()
        for name in value:
            if name not in known:
                raise ValueError(f"there is no column '{name}'; see `codecbench list metrics`")
        return value

    @pydantic.field_validator("properties")
    @classmethod
    def _known_properties(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if name not in PROPERTIES:
                raise ValueError(f"there is no property '{name}' (known: {', '.join(PROPERTIES)})")
        return value

    @pydantic.field_validator("corpora")
    @classmethod
    def _named_once(cls, value: tuple[PinnedCorpus, ...]) -> tuple[PinnedCorpus, ...]:
        names = [corpus.name for corpus in value]
        if len(set(names)) < len(names):
            raise ValueError("name each corpus once")
        return value

    @pydantic.field_validator("bands")
    @classmethod
    def _rising(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if not all(low < high for low, high in pairwise((0.0, *value, math.inf))):
            raise ValueError("edges rise from above 0, such as [1.5, 3, 6]")
        return value

    @pydantic.model_validator(mode="after")
    def _sorted_by_what_is_shown(self) -> Definition:
        for name in (self.sort, *self.overview):
            if name not in (*self.metrics, *self.properties):
                raise ValueError(f"'{name}' is not among the columns")
        if self.bands and self.layout == "corpora":
            raise ValueError('bands belong to tables by corpus, not to layout = "corpora"')
        return self

    @property
    def needs_timings(self) -> bool:
        """Whether a property is a real-time factor."""
        return bool(TIMINGS & set(self.properties))


class PublishedDefinition(_Model):
    """A leaderboard of numbers that papers published; nothing is measured."""

    path: Path
    title: Text
    about: Text
    place: int = 0
    published: Path
    """CSV of published numbers, beside the definition."""

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self.path.stem


def read_definition(path: Path) -> Definition | PublishedDefinition:
    """Read a definition.

    Raises
    ------
    UserError
        If the file cannot be read, a key is unknown or a value does not fit.
    """
    _, values = read_toml(path, "leaderboard definition")
    kind = PublishedDefinition if "published" in values else Definition
    unknown = sorted(set(values) - (set(kind.model_fields) - {"path"}))
    if unknown:
        known = ", ".join(key for key in kind.model_fields if key != "path")
        raise UserError(f"{path}: unknown key '{unknown[0]}' (known: {known})")
    try:
        return kind.model_validate({**values, "path": path})
    except pydantic.ValidationError as error:
        where, what = first_fault(error)
        raise UserError(f"{path}: {where + ': ' if where else ''}{what}") from error
    except UserError as error:
        raise UserError(f"{path}: {error}") from error


def find_definitions(
    names: tuple[str, ...] | list[str], folder: Path = DEFAULT_FOLDER
) -> list[Definition | PublishedDefinition]:
    """Read definitions by their names in a folder or the paths of their files; all if none.

    Raises
    ------
    UserError
        If one is not there or wrong.
    """
    if not names and not folder.is_dir():
        raise UserError(
            f"there is no folder {folder} of leaderboard definitions: run this where it is, or"
            " name a definition (a TOML file)"
        )
    paths = [_path(name, folder) for name in names] or sorted(folder.glob("*.toml"))
    if not paths:
        raise UserError(f"{folder} holds no leaderboard definition (a TOML file)")
    found = [read_definition(path) for path in paths]
    return found if names else sorted(found, key=lambda board: board.place)


def _path(name: str, folder: Path) -> Path:
    if name.endswith(".toml"):
        return Path(name)
    path = folder / f"{name}.toml"
    if not path.exists():
        known = ", ".join(found.stem for found in sorted(folder.glob("*.toml")))
        has = f"it has {known}" if known else "it has none"
        raise UserError(f"there is no leaderboard '{name}' in {folder} ({has})")
    return path


def summary(board: Definition | PublishedDefinition) -> dict[str, Any]:
    """Return what a listing says of a leaderboard."""
    found: dict[str, Any] = {"name": board.name, "title": board.title}
    if isinstance(board, PublishedDefinition):
        return {**found, "corpora": [], "codecs": [], "metrics": []}
    corpora = [corpus.name for corpus in board.corpora]
    return {**found, "corpora": corpora, "codecs": board.codecs, "metrics": board.metrics}
