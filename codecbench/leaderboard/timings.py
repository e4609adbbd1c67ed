"""Real-time factors of the codecs of leaderboards, kept in one file beside their results."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pydantic
from filelock import FileLock

from ..component import first_fault
from ..engine.run import Progress
from ..engine.speed_process import SpeedRequest, measure_apart
from ..errors import UserError
from ..files import write_text_atomic
from .results import RESULTS, canonical, identity_of

TIMED_CORPUS = "demo"
"""What is timed: speech that everyone has."""

LOCK = "speed.lock"


class _Timing(pydantic.BaseModel, extra="allow"):
    """`Speed.as_dict` of a codec, and the codec's identity."""

    codec: str
    identity: str
    rtf_encode: float
    rtf_decode: float
    encode: dict[str, Any]
    utterances: int
    hardware: dict[str, Any]
    notes: list[str]


_TIMINGS = pydantic.TypeAdapter(dict[str, _Timing])


def timings_file(folder: Path) -> Path:
    """Return the file of timings of a folder of definitions."""
    return folder / RESULTS / "speed.json"


def read_timings(folder: Path) -> dict[str, dict[str, Any]]:
    """Read the timings by canonical spec; none if there is no file.

    Raises
    ------
    UserError
        If the file is damaged.
    """
    path = timings_file(folder)
    try:
        found = _TIMINGS.validate_json(path.read_bytes())
    except FileNotFoundError:
        return {}
    except pydantic.ValidationError as error:
        where, what = first_fault(error)
        raise UserError(
            f"{path} is damaged ({where + ': ' if where else ''}{what}); delete it to time anew"
        ) from error
    return {spec: timing.model_dump() for spec, timing in found.items()}


def untimed(codecs: Sequence[str], timings: dict[str, dict[str, Any]]) -> list[str]:
    """Return the canonical specs that were never timed, or with another implementation."""
    known = {spec: timing["identity"] for spec, timing in timings.items()}
    return [spec for spec in canonical(codecs) if known.get(spec) != identity_of(spec)]


def time_codecs(codecs: Sequence[str], folder: Path, progress: Progress) -> None:
    """Time codecs, each in a process of its own, and write them down one by one."""
    missing = untimed(codecs, read_timings(folder))
    progress.stage("timing", len(missing))
    for spec in missing:
        found = measure_apart(SpeedRequest(spec, TIMED_CORPUS))
        for note in found["notes"]:
            progress.note(f"{spec}: {note}")
        _add(folder, spec, {"identity": identity_of(spec), **found})
        progress.advance()


def _add(folder: Path, spec: str, timing: dict[str, Any]) -> None:
    """Write one timing down, whatever another process writes meanwhile."""
    with FileLock(folder / RESULTS / LOCK):
        timings = {**read_timings(folder), spec: timing}
        text = json.dumps(dict(sorted(timings.items())), indent=1)
        write_text_atomic(timings_file(folder), text + "\n")
