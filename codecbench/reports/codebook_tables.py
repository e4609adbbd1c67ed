"""The use of codebooks as text for terminals, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
import math
from typing import Any

from ..codebooks import CodebookReport, CodebookUsage
from ..errors import UserError
from .layout import NOTHING, number, one_line
from .plain_table import render_listing

FORMATS = ("rich", "csv", "json")

_HEADS = ("codebook", "entries", "used", "unused", "perplexity", "bits sent", "entropy",
          "given previous")  # fmt: skip


def render_codebooks(
    report: CodebookReport, kind: str = "rich", width: int = 100, color: bool = False
) -> str:
    """Write a report.

    Parameters
    ----------
    report : CodebookReport
    kind : {"rich", "csv", "json"}
    width : int
        Columns of the terminal (``rich`` alone).
    color : bool
        Whether the terminal understands styles (``rich`` alone).

    Raises
    ------
    UserError
        If the format is not known.
    """
    if kind == "rich":
        return _terminal(report, width, color)
    if kind == "csv":
        return _csv(report)
    if kind == "json":
        return _json(report)
    raise UserError(f"unknown format '{kind}' (known: {', '.join(FORMATS)})")


def _terminal(report: CodebookReport, width: int, color: bool) -> str:
    rows = [_row(place, one) for place, one in enumerate(report.codebooks, start=1)]
    title = f"codebooks of {one_line(report.codec)}"
    notes = [
        f"{report.utterances} utterances, {report.seconds:.1f} s, {report.frames} frames",
        *_rates(report),
        "bits a code, each codebook on its own; entropy: with the Miller–Madow correction; given"
        " previous: at most, when its code of the frame before is known",
        *report.notes,
    ]
    listing = render_listing(_HEADS, rows, title, width, color)
    return listing + "".join(f"· {one_line(note)}\n" for note in notes)


def _row(place: int, usage: CodebookUsage) -> list[str]:
    return [
        str(place),
        str(usage.size),
        f"{usage.used} ({100 * usage.used / usage.size:.1f} %)",
        str(usage.unused),
        number(usage.perplexity, 1),
        str(usage.bits),
        _bits(usage.entropy),
        _bits(usage.conditional_entropy),
    ]


def _bits(value: float | None) -> str:
    return NOTHING if value is None else number(value, 3)


def _rates(report: CodebookReport) -> list[str]:
    lines = [f"without entropy coding: {report.fixed_kbps:.3f} kbit/s"]
    for what, rate in (
        ("at the entropies", report.unigram_kbps),
        ("at the entropies given previous", report.conditional_kbps),
    ):
        if rate is not None:
            saved = 100 * (1 - rate / report.fixed_kbps) if report.fixed_kbps else 0.0
            lines.append(f"{what}: {rate:.3f} kbit/s, {saved:.1f} % less")
    return lines


def _record(report: CodebookReport, place: int, usage: CodebookUsage) -> dict[str, Any]:
    return {
        "codec": report.codec,
        "codebook": place,
        "entries": usage.size,
        "frames": usage.frames,
        "used": usage.used,
        "unused": usage.unused,
        "perplexity": usage.perplexity,
        "bits": usage.bits,
        "max_entropy": math.log2(usage.size),
        "plug_in_entropy": usage.plug_in_entropy,
        "entropy": usage.entropy,
        "conditional_entropy": usage.conditional_entropy,
    }


def _records(report: CodebookReport) -> list[dict[str, Any]]:
    return [_record(report, place, one) for place, one in enumerate(report.codebooks, start=1)]


def _csv(report: CodebookReport) -> str:
    """Write one record a codebook; an empty field is no estimate."""
    records = _records(report)
    out = io.StringIO()
    writer = csv.DictWriter(out, list(records[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return out.getvalue()


def _json(report: CodebookReport) -> str:
    document = {
        "codec": report.codec,
        "utterances": report.utterances,
        "seconds": report.seconds,
        "frames": report.frames,
        "fixed_kbps": report.fixed_kbps,
        "unigram_kbps": report.unigram_kbps,
        "conditional_kbps": report.conditional_kbps,
        "codebooks": _records(report),
        "notes": list(report.notes),
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
