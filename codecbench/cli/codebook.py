"""``codecbench codebook``."""

from __future__ import annotations

import enum
from typing import Annotated

import typer

from . import complete
from .options import Corpora, DataRoot, Utterances
from .screen import screen, write_result


class CodebookFormat(enum.StrEnum):
    """Formats of the table."""

    rich = "rich"
    csv = "csv"
    json = "json"


_EPILOG = """
Examples:

```
codecbench codebook svcodec --corpus librispeech
codecbench codebook soundstream --corpus librispeech --subset 60
codecbench codebook svcodec:kbps=2 --corpus ljspeech --format json
```
"""


def codebook(
    spec: Annotated[
        str,
        typer.Argument(
            help="Spec of a codec that sends codes, such as svcodec:kbps=2.",
            autocompletion=complete.codecs,
        ),
    ],
    corpus: Corpora = None,
    subset: Annotated[
        int | None,
        typer.Option("--subset", min=1, help="Speaker-balanced selection of this many utterances."),
    ] = None,
    utterances: Utterances = None,
    device: Annotated[str, typer.Option("--device", help="Torch device of the codec.")] = "cpu",
    data_root: DataRoot = None,
    format: Annotated[  # noqa: A002 - the option's name
        CodebookFormat, typer.Option("--format", "-f", help="Output format.")
    ] = CodebookFormat.rich,
) -> None:
    """Count how a codec uses its codebooks, and how many bits entropy coding could save.

    For each codebook: entries that occurred, perplexity, entropy of a code, and entropy when the
    code of the frame before is known. Entropies of few frames are too low; an estimate is printed
    only where there are ten frames for each entry.
    """
    from ..engine.codebook_usage import measure_codebooks
    from ..engine.request import DEFAULT_CORPUS
    from ..engine.selection import select_utterances
    from ..registry import load_codec
    from ..reports.codebook_tables import render_codebooks
    from .progress import ProgressBar

    codec = load_codec(spec, device)
    chosen = select_utterances(corpus or [DEFAULT_CORPUS], data_root, subset, utterances)
    with ProgressBar() as progress:
        report = measure_codebooks(codec, chosen, progress)
    write_result(render_codebooks(report, format.value, **screen()))


codebook.__doc__ = f"{codebook.__doc__}\n{_EPILOG}"
