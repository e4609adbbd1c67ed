"""How wide the terminal is, and whether it understands styles."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any

DEFAULT_WIDTH = 100


def screen() -> dict[str, Any]:
    """Return the options ``width`` and ``color`` of what is printed to stdout.

    Into a pipe or a file text goes plain and 100 columns wide, whatever the terminal is.
    """
    if not sys.stdout.isatty():
        return {"width": DEFAULT_WIDTH, "color": False}
    width = shutil.get_terminal_size((DEFAULT_WIDTH, 24)).columns
    return {"width": width, "color": "NO_COLOR" not in os.environ}


def write_result(text: str, output: Path | None = None) -> None:
    """Print a result, or write it whole into a file."""
    if output is None:
        sys.stdout.write(text)
        return
    from ..files import write_text_atomic

    write_text_atomic(output, text)
