"""codecbench: evaluate speech codecs with real bits, an honest protocol and statistics.

``load_codec(spec)``, ``load_metric(name)``, ``load_corpus(spec)``, ``run(...)``, ``load_run(path)``
and ``register(class)`` are the public functions; importing them loads nothing heavy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .audio import Audio, read_audio, write_audio
    from .bitstream import Bitstream, Packet
    from .codec import Codec, CodecCard, TokenCodec, Tokens
    from .component import Config, Requirement
    from .corpora.base import Corpus, Utterance
    from .engine.run import run
    from .errors import CodecbenchError, UnavailableError, UserError
    from .metric import Column, Decoded, Law, Metric, MetricCard, Score
    from .registry import load_codec, load_corpus, load_metric, register
    from .reports.table import Table
    from .results.run_folder import Run, load_run
    from .streaming import StreamingCodec

__version__ = "0.1.0"

_HOMES = {
    ".audio": ("Audio", "read_audio", "write_audio"),
    ".bitstream": ("Bitstream", "Packet"),
    ".codec": ("Codec", "CodecCard", "TokenCodec", "Tokens"),
    ".component": ("Config", "Requirement"),
    ".corpora.base": ("Corpus", "Utterance"),
    ".engine.run": ("run",),
    ".errors": ("CodecbenchError", "UnavailableError", "UserError"),
    ".metric": ("Column", "Decoded", "Law", "Metric", "MetricCard", "Score"),
    ".registry": ("load_codec", "load_corpus", "load_metric", "register"),
    ".reports.table": ("Table",),
    ".results.run_folder": ("Run", "load_run"),
    ".streaming": ("StreamingCodec",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [  # noqa: RUF022 - grouped as in _HOMES
    "Audio", "read_audio", "write_audio", "Bitstream", "Packet", "Codec", "CodecCard", "TokenCodec",
    "Tokens", "Corpus", "Utterance", "run", "CodecbenchError", "UnavailableError", "UserError",
    "Column", "Decoded", "Metric", "MetricCard", "Score", "load_codec", "load_corpus",
    "load_metric", "register", "load_run",
    "Config", "Law", "Requirement", "Run", "StreamingCodec", "Table",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'codecbench' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOME_OF[name], __name__), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
