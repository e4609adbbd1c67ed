"""Packages that a target needs and codecbench does not install by itself."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence

from ..errors import UnavailableError


def require_packages(target: str, packages: Sequence[str], extra: str) -> None:
    """Refuse if a package is missing, without importing it.

    Raises
    ------
    UnavailableError
        With the command that installs it.
    """
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        raise UnavailableError(
            f"export to {target} needs {' and '.join(missing)}: pip install 'codecbench[{extra}]'"
        )
