"""Run folders with made-up contents."""

import math
from dataclasses import replace

from codecbench.results.manifest import Manifest, MetricEntry
from codecbench.results.run_folder import BITSTREAMS, MANIFEST, ROWS, Run
from codecbench.results.schema import (
    TEXT_COLUMNS,
    Row,
    StoredBitstream,
    bitstreams_schema,
    rows_schema,
    write_part,
)

COLUMNS = {"pesq": ("pesq_wb", "pesq_nb"), "stoi": ("stoi",), "stoi:long=yes": ("stoi",)}
"""Columns by metric spec; the last is another definition of the one before."""


def folder(path):
    """Make an empty run folder whose manifest names COLUMNS."""
    for name in (ROWS, BITSTREAMS):
        (path / name).mkdir(parents=True)
    card = {"title": "t", "unit": "", "better": "higher", "bounds": [None, None], "digits": 2}
    Manifest(
        metrics={
            spec: MetricEntry(
                identity=spec,
                card={"columns": [{"name": name, **card} for name in names]},
                is_default=":" not in spec,
            )
            for spec, names in COLUMNS.items()
        }
    ).write(path / MANIFEST)
    return path


def row(codec="a", utterance="u0", spec="stoi", column="stoi", value=1.0, error=None, **others):
    plain = Row(codec, "c", "s", "p", utterance, 16000, column, spec, value, None, None, "", error)
    return replace(plain, **others)


def write_rows(path, *rows):
    return write_part(path / ROWS, rows, rows_schema())


def write_rows_without_texts(path, *rows):
    """Write a part as runs did before texts were kept."""
    schema = rows_schema()
    for name in TEXT_COLUMNS:
        schema = schema.remove(schema.get_field_index(name))
    return write_part(path / ROWS, rows, schema)


def bitstream(codec="a", utterance="u0", data=b"x", seconds=1.0):
    return StoredBitstream(codec, "c", "s", utterance, seconds, data)


def write_bitstreams(path, *bitstreams):
    return write_part(path / BITSTREAMS, bitstreams, bitstreams_schema())


def values(path, **options):
    """Return value by codec, utterance and column shown; the error where there is one."""
    frame = Run(path).frame(**options)
    names = zip(frame.codec, frame.utterance, frame.metric, strict=True)
    results = zip(frame.value, frame.error, strict=True)
    return {
        name: error if math.isnan(value) else value
        for name, (value, error) in zip(names, results, strict=True)
    }
