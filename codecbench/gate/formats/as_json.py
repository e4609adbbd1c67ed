"""A comparison as JSON, every number in full."""

from __future__ import annotations

import json
from typing import Any

from ..comparison import ColumnComparison, Comparison


def write(comparison: Comparison) -> str:
    """Write everything that is known."""
    record = {
        "passed": comparison.passed,
        "base": comparison.base,
        "candidate": comparison.candidate,
        "allowed_failures": comparison.allowed_failures,
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
    interval = column.difference.interval
    return {
        "name": column.name,
        "unit": column.column.unit,
        "better": column.column.better,
        "base": column.base,
        "candidate": column.candidate,
        "difference": interval.value,
        "low": interval.low,
        "high": interval.high,
        "p_value": column.difference.p_value,
        "detectable": column.difference.detectable,
        "utterances": interval.utterances,
        "speakers": interval.speakers,
        "method": interval.method,
        "new_failures": column.new_failures,
        "mended": column.mended,
        "thresholds": [
            {"threshold": str(threshold), "broken": broken}
            for threshold, broken in column.thresholds
        ],
        "worst": [
            {"utterance": one.utterance, "base": one.base, "candidate": one.candidate}
            for one in column.worst
        ],
    }
