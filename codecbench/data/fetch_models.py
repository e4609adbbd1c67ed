"""The command line of modules that fetch a model: ``python -m MODULE NAME …``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from ..errors import CodecbenchError


def fetch_models(names: Sequence[str], fetch: Callable[[str], Path], such_as: str) -> int:
    """Fetch models and print where they are; return the exit status.

    Parameters
    ----------
    names : sequence of str
    fetch : callable
        Takes a name and returns where the model is then.
    such_as : str
        Says which names there are, if none was given.
    """
    if not names:
        sys.stderr.write(f"which model? {such_as}\n")
        return 2
    try:
        for name in names:
            sys.stdout.write(f"{fetch(name)}\n")
    except CodecbenchError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0
