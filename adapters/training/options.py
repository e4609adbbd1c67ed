"""What the command line says beside the recipe: where and on what to train."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import pydantic

from .recipe import Table, validated


class Options(Table):
    """Options of a training command; none of them but `data` and `seed` changes what is learnt.

    The number of processes does, as each process draws a batch of its own.
    """

    data: tuple[str, ...] = ()
    """Corpus specs instead of the recipe's."""
    out: Path | None = None
    """Folder of the training; ``training/<codec>-<recipe>`` if None."""
    data_root: Path | None = None
    """Folder that holds the corpora."""
    max_minutes: float | None = pydantic.Field(None, gt=0)
    """Stop after this time with a checkpoint."""
    fresh: bool = False
    """Start over where there is a checkpoint."""
    device: Literal["cpu", "cuda"] = "cpu"
    devices: int = pydantic.Field(1, ge=1)
    """Processes, one a GPU under cuda."""
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    seed: int | None = pydantic.Field(None, ge=0)
    """Instead of the recipe's."""
    threads: int | None = pydantic.Field(None, ge=1)
    """Threads of torch in each process; the cores shared among the processes if None."""

    @classmethod
    def make(cls, values: Mapping[str, Any]) -> Options:
        """Validate options; raises `UserError`."""
        options: Options = validated(cls, dict(values), "train")
        return options
