"""Whisper's published models: names, checksums, where they lie, and fetching them when asked.

``python -m codecbench.metrics.whisper_models base.en`` fetches one. Nothing else downloads.

Source: the addresses in openai-whisper's ``__init__.py``; each holds the file's SHA-256.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from ..data.fetch_models import fetch_models
from ..errors import UserError

_HOST = "https://openaipublic.azureedge.net/main/whisper/models"

SHA256 = {
    "tiny.en": "d3dd57d32accea0b295c96e26691aa14d8822fac7d9d27d5dc00b4ca2826dd03",
    "tiny": "65147644a518d12f04e32d6f3b26facc3f8dd46e5390956a9424a650c0ce22b9",
    "base.en": "25a8566e1d0c1e2231d1c762132cd20e0f96a85d16145c3a00adf5d1ac670ead",
    "base": "ed3a0b6b1c0edf879ad9b11b1af5a0e6ab5db9205f891f668f8b0e6c6326e34e",
    "small.en": "f953ad0fd29cacd07d5a9eda5624af0f6bcf2258be67c92b79389873d91e0872",
    "small": "9ecf779972d90ba49c06d968637d720dd632c55bbf19d441fb42bf17a411e794",
    "medium.en": "d7440d1dc186f76616474e0ff0b3b6b879abc9d1a4926b7adfa41db2d497ab4f",
    "medium": "345ae4da62f9b3d59415adc60127b97c714f32e89e936602e85993674d08dcb1",
    "large-v3-turbo": "aff26ae408abcba5fbf8813c21e62b0941638c5f6eebfb145be0c9839262a19a",
    "large-v1": "e4b87e7e0bf463eb8e6956e646f1e277e901512310def2c24bf0e11bd3c28e9a",
    "large-v2": "81f7c96c852ee8fc832187b0132e569d6c3065a3252ed18e56effd0b6a73e524",
    "large-v3": "e5b1a55b89c1367dacf97e3e19bfd829a01529dbfdeefa8caeb59b3f1b81dadb",
}
"""SHA-256 of each published model, from the smallest to the largest and latest."""

_ALIASES = {"large": "large-v3", "turbo": "large-v3-turbo"}


def published_name(name: str) -> str | None:
    """Return the name under which a model is published, or None if it is not."""
    name = _ALIASES.get(name, name)
    return name if name in SHA256 else None


def cached_path(name: str) -> Path:
    """Return where Whisper itself keeps a published model, whether it is there or not."""
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path("~/.cache").expanduser())
    return Path(cache) / "whisper" / f"{name}.pt"


def largest_cached() -> str | None:
    """Return the largest published model in Whisper's cache; None if there is none.

    Of two of one size the multilingual one, then the later one.
    """
    cached = [name for name in SHA256 if cached_path(name).is_file()]
    return cached[-1] if cached else None


def address(name: str) -> str:
    """Return the official address of a published model."""
    return f"{_HOST}/{SHA256[name]}/{name}.pt"


def fetch_command(name: str) -> str:
    """Return the command that fetches a published model."""
    return f"python -m codecbench.metrics.whisper_models {name}"


def fetch(name: str) -> Path:
    """Download a published model from its official address into Whisper's cache and check it.

    Raises
    ------
    UserError
        If there is no such model, or it cannot be fetched.
    """
    from ..corpora.base import Archive
    from ..data.download import download

    published = published_name(name)
    if published is None:
        raise UserError(f"Whisper has no model '{name}' (known: {', '.join(SHA256)})")
    path = cached_path(published)
    download(Archive(address(published), sha256=SHA256[published]), path)
    return path


def main(names: Sequence[str]) -> int:
    """Fetch the named models; return the exit status."""
    return fetch_models(names, fetch, f"one of {', '.join(SHA256)}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
