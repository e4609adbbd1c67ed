"""TOML files that users write: run files and recipes."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from .errors import UserError


def read_toml(path: Path, what: str) -> tuple[str, dict[str, Any]]:
    """Read a TOML file.

    Parameters
    ----------
    path : Path
    what : str
        What the file is, for messages: ``run file``.

    Returns
    -------
    text : str
    values : dict

    Raises
    ------
    UserError
        If it is not there, cannot be read, or is not TOML.
    """
    try:
        text = path.read_text(encoding="utf-8")
        return text, tomllib.loads(text)
    except FileNotFoundError as error:
        raise UserError(f"there is no {what} {path}") from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 text") from error
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{path} is not valid TOML: {error}") from error
