"""Checkpoints: everything that training needs to go on as if it had not been interrupted."""

from __future__ import annotations

import pickle
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from ...errors import UserError
from ...files import atomic_path

FORMAT = "codecbench-checkpoint-1"
LAST, BEST = "last.pt", "best.pt"


@dataclass
class Progress:
    """Where a training stands.

    Parameters
    ----------
    stage : int
    step : int
        Steps done of the stage.
    seconds : float
        Spent on training, over all commands.
    latent_power : float or None
        Variance of the latents when quantizing started.
    best : float or None
        Of the column that decides.
    best_step : int or None
        Steps done when it was found, over all stages.
    figures : dict
        Figures of the best weights, or of the last ones before any are the best.
    """

    stage: int = 0
    step: int = 0
    seconds: float = 0.0
    latent_power: float | None = None
    best: float | None = None
    best_step: int | None = None
    figures: dict[str, dict[str, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Origin:
    """What a checkpoint belongs to.

    Parameters
    ----------
    recipe, data : str
        Fingerprints.
    """

    recipe: str
    data: str


def save(path: Path, origin: Origin, progress: Progress, states: dict[str, Any]) -> None:
    """Write a checkpoint, whole or not at all."""
    with atomic_path(path) as temporary:
        torch.save(
            {
                "format": FORMAT,
                "origin": asdict(origin),
                "progress": asdict(progress),
                "states": states,
            },
            temporary,
        )


def load(path: Path, origin: Origin) -> tuple[Progress, dict[str, Any]]:
    """Read a checkpoint.

    Raises
    ------
    UserError
        If it cannot be read, or belongs to another recipe or other data.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise UserError(f"{path} cannot be read; --fresh starts over") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise UserError(f"{path} is no checkpoint of this version; --fresh starts over")
    for part, here in asdict(origin).items():
        if content["origin"][part] != here:
            raise UserError(
                f"the {part} changed since {path} was written; --fresh starts over,"
                " another --out keeps both"
            )
    return Progress(**content["progress"]), content["states"]
