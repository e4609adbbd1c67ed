"""``codecbench bench-speed``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from .formats import PlainFormat, write_json
from .options import DataRoot
from .screen import screen, write_result


def bench_speed(
    spec: Annotated[str, typer.Argument(help="Codec spec, such as opus:kbps=12; may be a sweep.")],
    corpus: Annotated[str, typer.Option("--corpus", help="Corpus spec.")] = "demo",
    subset: Annotated[int, typer.Option("--subset", min=1, help="Utterances to time.")] = 5,
    repeats: Annotated[
        int, typer.Option("--repeats", min=5, help="Passes over them; the median counts.")
    ] = 5,
    data_root: DataRoot = None,
    format: Annotated[  # noqa: A002 - the option's name
        PlainFormat, typer.Option("--format", "-f", help="Output format.")
    ] = PlainFormat.rich,
) -> None:
    """Measure real-time factors: processor seconds per second of audio, encoding and decoding.

    Each codec runs in a fresh process with one thread. Below 1 is faster than real time.

    Examples:

    ```
    codecbench bench-speed opus:kbps=12
    codecbench bench-speed "opus:complexity=0|5|10" --repeats 9 --format json
    ```
    """
    from ..engine.speed_process import SpeedRequest, measure_apart
    from ..spec import expand_spec

    root = None if data_root is None else str(data_root)
    found = [
        measure_apart(SpeedRequest(str(one), corpus, subset, repeats, data_root=root))
        for one in expand_spec(spec)
    ]
    if format == PlainFormat.json:
        write_json(found)
    else:
        write_result(_text(found))


def _text(found: list[dict[str, Any]]) -> str:
    from ..reports.labels import short_labels
    from ..reports.plain_table import render_listing

    labels = short_labels([item["codec"] for item in found])
    heads = ("codec", "RTF encode ↓", "RTF decode ↓", "elapsed: encode", "decode")
    rows = [
        (
            labels[item["codec"]],
            *(f"{item[way]['rtf']:.4f}" for way in ("encode", "decode")),
            *(f"{item[way]['rtf_wall']:.4f}" for way in ("encode", "decode")),
        )
        for item in found
    ]
    first = found[0]
    machine = first["hardware"]
    notes = [
        f"{first['utterances']} utterances, {first['audio_seconds']:.1f} s;"
        f" median of {len(first['encode']['repeats'])}; one process, one thread",
        f"{machine['cpu']}, {machine['cpu_count']} CPUs, {machine['memory_gb']} GB,"
        f" Python {machine['python']}",
        *dict.fromkeys(
            f"{labels[item['codec']]}: {note}" for item in found for note in item["notes"]
        ),
    ]
    return render_listing(heads, rows, **screen()) + "".join(f"· {note}\n" for note in notes)
