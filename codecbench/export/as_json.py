"""A tidy table as JSON, with what its codecs and metrics are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..reports.formats.long_form import column_facts
from ..statistics.clusters import LEVEL
from .selection import Selection
from .tidy import notes_of

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT = 1
"""Version of the document; raised when a reader must know."""

_CARD = ("title", "sample_rate", "nominal_kbps", "parameters", "weights", "weights_sha256")


def write_json(table: pa.Table, selection: Selection, level: str) -> str:
    """Return a tidy table as a JSON document without NaN or infinity.

    Parameters
    ----------
    table : pyarrow.Table
        As `tidy_table` gives it.
    selection : Selection
    level : {"rows", "summary"}
    """
    manifest = selection.run.manifest
    metrics = table.column("metric").unique().to_pylist()
    document = {
        "format": FORMAT,
        "level": level,
        "codecbench": __version__,
        "protocol": manifest.protocol,
        "rate": manifest.rate,
        "packet_loss": str(manifest.packet_loss) if manifest.packet_loss else None,
        "confidence": LEVEL,
        "codecs": {
            spec: _codec(selection, spec)
            for spec in table.column("codec").unique().to_pylist()
            if selection.identity(spec) is not None
        },
        "metrics": {name: column_facts(selection.run.columns[name]) for name in metrics},
        "records": table.to_pylist(),
        "notes": notes_of(selection, level),
    }
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _codec(selection: Selection, spec: str) -> dict[str, Any]:
    entry = selection.run.manifest.codecs[spec]
    card = {key: entry.card.get(key) for key in _CARD}
    return {"identity": entry.identity, "version": entry.version, **card}
