"""Where a corpus's folder is: given roots, then ``CODECBENCH_DATA``, then the user's cache."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ..errors import UnavailableError
from .base import CorpusCard

ENVIRONMENT = "CODECBENCH_DATA"
"""Environment variable: one folder, or several separated as in ``PATH``."""


def cache_root() -> Path:
    """Return the data folder in the user's cache (it need not exist)."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("codecbench")) / "data"


def environment_roots() -> list[Path]:
    """List the folders that ``CODECBENCH_DATA`` names."""
    values = os.environ.get(ENVIRONMENT, "").split(os.pathsep)
    return [Path(value).expanduser() for value in values if value.strip()]


def data_roots(given: Sequence[Path] | None = None) -> list[Path]:
    """List the folders that corpora are looked for in, first come first served.

    Parameters
    ----------
    given : sequence of Path, optional
        Roots that the user named; looked at first.
    """
    roots = [Path(root).expanduser() for root in given or ()]
    roots += [*environment_roots(), cache_root()]
    return list(dict.fromkeys(roots))


def candidates(card: CorpusCard, given: Sequence[Path] | None = None) -> list[Path]:
    """List the folders that may be the corpus: below a root, or the root itself if so named."""
    if card.folder is None:
        raise ValueError(f"{card.name} has no folder of its own")
    found = []
    for root in data_roots(given):
        found += [root / card.folder, *([root] if root.name == card.folder else [])]
    return found


def locate(
    card: CorpusCard,
    given: Sequence[Path] | None = None,
    split: str | None = None,
    member: str | None = None,
) -> Path:
    """Return the corpus's folder, or the first one that holds a split's sub-folder.

    Parameters
    ----------
    card : CorpusCard
    given : sequence of Path, optional
        Roots to look at first.
    split : str, optional
        A split that has a folder of its own.
    member : str, optional
        That folder below the corpus's; the split's name if None.

    Raises
    ------
    UnavailableError
        If it is nowhere; the message names the searched folders and the command to fetch it.
    """
    wanted = member or split or "."
    searched = candidates(card, given)
    for folder in searched:
        if (folder / wanted).is_dir():
            return folder
    places = ", ".join(str(folder / wanted) for folder in searched)
    what = card.name if split is None else f"split {split} of {card.name}"
    raise UnavailableError(f"{what} is not here: looked for {places}; {how_to_fetch(card, split)}")


def how_to_fetch(card: CorpusCard, split: str | None = None) -> str:
    """Word the advice on how to get a corpus."""
    apart = any(split in archive.splits for archive in card.archives)
    option = f" --split {split}" if apart else ""
    return (
        f"get it with `codecbench data fetch {card.name}{option}`"
        f" or name its parent folder with --data-root or {ENVIRONMENT}"
    )
