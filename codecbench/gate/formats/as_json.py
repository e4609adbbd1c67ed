"""A comparison as JSON, every number in full."""

from __future__ import annotations

import json
from typing import Any

from ..findings import ColumnComparison, Comparison, Worsening


def write(comparison: Comparison) -> str:
    """Write everything that is known."""
    record = {
        "passed": comparison.passed,
        "base": comparison.base,
        "candidate": comparison.candidate,
        "allowed_failures": comparison.allowed_failures,
        "allowed_missing": comparison.allowed_missing,
        "missing_codecs": list(comparison.missing_codecs),
        "codecs": [
            {
                "base": codec.base,
                "candidate": codec.candidate,
                "changed": codec.changed,
                "columns": [_column(column) for column in codec.columns],
            }
            for codec in comparison.codecs
        ],
        "notes": list(comparison.notes),
    }
    return json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _column(column: ColumnComparison) -> dict[str, Any]:
    found = column.difference
    interval = found.interval if found else None
    return {
        "name": column.name,
        "unit": column.column.unit,
        "better": column.column.better,
        "base": column.base,
        "candidate": column.candidate,
        "difference": interval and interval.value,
        "low": interval and interval.low,
        "high": interval and interval.high,
        "p_value": found and found.p_value,
        "detectable": found and found.detectable,
        "utterances": interval.utterances if interval else 0,
        "speakers": interval.speakers if interval else 0,
        "method": interval.method if interval else "none",
        "new_failures": column.new_failures,
        "mended": column.mended,
        "missing": column.missing,
        "extra": column.extra,
        "thresholds": [
            {"threshold": str(threshold), "broken": broken}
            for threshold, broken in column.thresholds
        ],
        "worst": [_worst(one) for one in column.worst],
    }


def _worst(one: Worsening) -> dict[str, Any]:
    return {
        "utterance": one.utterance,
        "base": one.base,
        "candidate": one.candidate,
        "reason": one.reason,
        "audio": {what: str(path) for what, path in one.sounds.listed()},
    }
