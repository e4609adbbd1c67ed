"""Real-time factors of the codecs of leaderboards, kept in one file beside their results."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..engine.run import Progress
from ..engine.speed_process import SpeedRequest, measure_apart
from ..errors import UserError
from ..files import write_text_atomic
from .results import RESULTS, canonical, identity_of

TIMED_CORPUS = "demo"
"""What is timed: speech that everyone has."""


def timings_file(folder: Path) -> Path:
    """Return the file of timings of a folder of definitions."""
    return folder / RESULTS / "speed.json"


def read_timings(folder: Path) -> dict[str, dict[str, Any]]:
    """Read the timings; none if there is no file.

    Raises
    ------
    UserError
        If the file is damaged.
    """
    path = timings_file(folder)
    try:
        found: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise UserError(
            f"{path} is damaged: {error}; remove it and time the codecs again"
        ) from error
    return found


def untimed(codecs: Sequence[str], timings: dict[str, dict[str, Any]]) -> list[str]:
    """Return the canonical specs that were never timed, or with another implementation."""
    known = {spec: timing["identity"] for spec, timing in timings.items()}
    return [spec for spec in canonical(codecs) if known.get(spec) != identity_of(spec)]


def time_codecs(codecs: Sequence[str], folder: Path, progress: Progress) -> None:
    """Time codecs, each in a process of its own, and write them down one by one."""
    timings = read_timings(folder)
    missing = untimed(codecs, timings)
    progress.stage("timing", len(missing))
    for spec in missing:
        found = measure_apart(SpeedRequest(spec, TIMED_CORPUS))
        for note in found["notes"]:
            progress.note(f"{spec}: {note}")
        timings[spec] = {"identity": identity_of(spec), **found}
        text = json.dumps(dict(sorted(timings.items())), indent=1)
        write_text_atomic(timings_file(folder), text + "\n")
        progress.advance()
