"""Speed measured in a fresh process with one thread, away from what else this one does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import CodecbenchError, CodecError, UserError
from ..processes import describe_exit, die_with_parent, python_command, python_environment

DEFAULT_SUBSET = 5


@dataclass(frozen=True)
class SpeedRequest:
    """What to time.

    Parameters
    ----------
    codec, corpus : str
        Specs.
    subset : int
        Utterances.
    repeats, warm_up : int
        Passes over them.
    data_root : str or None
    """

    codec: str
    corpus: str = "demo"
    subset: int = DEFAULT_SUBSET
    repeats: int = 5
    warm_up: int = 1
    data_root: str | None = None


def measure_apart(request: SpeedRequest) -> dict[str, Any]:
    """Run a request in a process of its own and return `Speed.as_dict` of it.

    Raises
    ------
    UserError
        If the request is wrong.
    CodecError
        If the codec fails or takes its process down.
    """
    with tempfile.TemporaryDirectory(prefix="codecbench-speed-") as folder:
        answer = Path(folder) / "answer.json"
        child = subprocess.run(
            python_command(__name__, str(answer)),
            input=json.dumps(asdict(request)),
            text=True,
            env=python_environment(),
            check=False,
        )
        if not answer.exists():
            raise CodecError(f"{request.codec}: timing it {describe_exit(child.returncode)}")
        found: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
    if "error" in found:
        raise (UserError if found["wrong_use"] else CodecError)(found["error"])
    return found


def measure_here(request: SpeedRequest) -> dict[str, Any]:
    """Run a request in this process."""
    from ..registry import load_codec, load_corpus
    from ..subset import subset
    from .speed import measure_speed

    codec = load_codec(request.codec)
    root = Path(request.data_root) if request.data_root else None
    utterances = subset(load_corpus(request.corpus, root).utterances(), request.subset)
    return measure_speed(codec, utterances, request.repeats, request.warm_up).as_dict()


def _answer(request: SpeedRequest) -> dict[str, Any]:
    try:
        return measure_here(request)
    except CodecbenchError as error:
        return {"error": str(error), "wrong_use": isinstance(error, UserError)}


if __name__ == "__main__":
    die_with_parent()
    # A codec may print; stdout belongs to the command's result.
    os.dup2(2, 1)
    _found = _answer(SpeedRequest(**json.loads(sys.stdin.read())))
    Path(sys.argv[1]).write_text(json.dumps(_found), encoding="utf-8")
