"""What a run is asked to do: from keyword arguments, flags or a TOML file alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pydantic

from ..component import first_fault
from ..errors import UserError
from ..packet_loss import PacketLoss
from ..spec import split_each
from ..toml_file import read_toml

DEFAULT_CORPUS = "demo"


class RunRequest(pydantic.BaseModel):
    """The fields of a run file; flags have the same names.

    Raises
    ------
    UserError
        From `read` and `make`, in one line.
    """

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    codec: tuple[str, ...] = ()
    """Codec specs; ``opus:kbps=6|12`` is a sweep."""
    corpus: tuple[str, ...] = (DEFAULT_CORPUS,)
    """Corpus specs."""
    metrics: tuple[str, ...] = ()
    """Metrics or columns; the default set if empty."""
    out: Path | None = None
    """The run folder; a name made of the corpora below ``runs/`` if not given."""
    subset: int | None = pydantic.Field(default=None, ge=1)
    """Speaker-balanced selection of this many utterances of each corpus."""
    utterances: Path | None = None
    """A list of utterances to replay."""
    rate: int | None = pydantic.Field(default=None, ge=4000, le=192000)
    """Evaluation rate in Hz; each utterance's own rate if not given."""
    packet_loss: PacketLoss | None = None
    """Share of packets lost on their way to the decoder; ``5%,burst=3,seed=1`` gives more."""
    jobs: int | None = pydantic.Field(default=None, ge=1, le=1024)
    """Worker processes; one a processor if not given."""
    device: str = "cpu"
    """Torch device for codecs and metrics that use one."""
    data_root: Path | None = None
    """Where the corpora are."""
    retry_failed: bool = False
    """Compute failed rows again."""
    keep_audio: bool = False
    """Keep the decoded audio in the run folder, as it was scored."""

    @pydantic.field_validator("metrics", mode="before")
    @classmethod
    def _split_metrics(cls, value: Any) -> Any:
        """Let an entry be a comma-separated list, as on the command line."""
        if isinstance(value, str):
            value = [value]
        if isinstance(value, list | tuple) and all(isinstance(text, str) for text in value):
            return split_each(value)
        return value

    @pydantic.field_validator("packet_loss", mode="before")
    @classmethod
    def _parse_packet_loss(cls, value: Any) -> Any:
        """Read what stands after ``--packet-loss``; a table and a `PacketLoss` are taken too."""
        return PacketLoss.parse(str(value)) if isinstance(value, str | int | float) else value

    @classmethod
    def make(cls, origin: str, values: dict[str, Any]) -> RunRequest:
        """Validate values; `origin` names their source in messages."""
        unknown = sorted(set(values) - set(cls.model_fields))
        if unknown:
            known = ", ".join(cls.model_fields)
            raise UserError(f"{origin}: unknown key '{unknown[0]}' (known: {known})")
        try:
            return cls.model_validate(values)
        except pydantic.ValidationError as error:
            where, what = first_fault(error)
            raise UserError(f"{origin}: {where}: {what}") from error

    @classmethod
    def read(cls, path: Path, overrides: dict[str, Any]) -> RunRequest:
        """Read a TOML run file; `overrides` (flags given) win over it."""
        return cls.make(str(path), {**_toml(path), **overrides})


def _toml(path: Path) -> dict[str, Any]:
    _, values = read_toml(path, "run file")
    return {key: _listed(key, value) for key, value in values.items()}


def _listed(key: str, value: Any) -> Any:
    """Let ``codec = "opus"`` stand for ``codec = ["opus"]``."""
    return [value] if key in ("codec", "corpus", "metrics") and isinstance(value, str) else value
