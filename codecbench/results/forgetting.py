"""Takes codecs and metrics out of a run folder, so that they can be measured anew."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from .manifest import Manifest
from .reading import row_groups
from .run_folder import AUDIO_INDEX, BITSTREAMS, LOCK, MANIFEST, ROWS, UTTERANCES
from .schema import (
    TEXT_COLUMNS,
    bitstreams_schema,
    part_number,
    part_path,
    parts,
    rows_schema,
    write_table_part,
)

if TYPE_CHECKING:
    import pyarrow as pa


def forget(path: Path, codecs: Collection[str] = (), metrics: Collection[str] = ()) -> None:
    """Remove the results of codecs (their bitstreams, too) and of metrics.

    The manifest is written last: killed before, the same call removes the rest.

    Parameters
    ----------
    path : Path
        The run folder.
    codecs, metrics : collection of str
        Canonical specs.

    Raises
    ------
    UserError
        If a part is damaged.
    """
    with FileLock(path / LOCK):
        unwanted = {"codec": codecs, "metric_spec": metrics}
        for part in parts(path / ROWS):
            _rewrite(part, rows_schema(), unwanted)
        for part in parts(path / BITSTREAMS):
            _rewrite(part, bitstreams_schema(), {"codec": codecs})
        manifest = Manifest.read(path / MANIFEST)
        for spec in codecs:
            manifest.codecs.pop(spec, None)
        for spec in metrics:
            manifest.metrics.pop(spec, None)
        manifest.write(path / MANIFEST)


def forget_everything(path: Path) -> None:
    """Remove all results of a run folder and its manifest, which goes last.

    Parameters
    ----------
    path : Path
        The run folder.
    """
    with FileLock(path / LOCK):
        for part in [*parts(path / ROWS), *parts(path / BITSTREAMS)]:
            part.unlink()
        (path / AUDIO_INDEX).unlink(missing_ok=True)
        (path / UTTERANCES).unlink(missing_ok=True)
        (path / MANIFEST).unlink(missing_ok=True)


def _rewrite(part: Path, schema: pa.Schema, unwanted: dict[str, Collection[str]]) -> None:
    """Write a part anew without some rows; the new one takes its place among the others."""
    kept = [table for table in _kept(part, schema, unwanted) if len(table)]
    if kept:
        write_table_part(part_path(part.parent, part_number(part)), kept, schema)
    part.unlink()


def _kept(
    part: Path, schema: pa.Schema, unwanted: dict[str, Collection[str]]
) -> Iterator[pa.Table]:
    import pyarrow as pa
    import pyarrow.compute as pc

    for _, _, table in row_groups([part], schema.names, optional=TEXT_COLUMNS):
        for column, values in unwanted.items():
            gone = pc.is_in(table[column], pa.array(sorted(values), pa.string()))
            table = table.filter(pc.invert(gone))
        yield table
