"""``codecbench figure``."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import complete
from .options import ChosenCodecs, DataRoot

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class FigureKind(enum.StrEnum):
    """Kinds of figures."""

    rates = "rates"
    scatter = "scatter"
    violin = "violin"
    codebooks = "codebooks"
    spectrograms = "spectrograms"


_OF_SCORES = (FigureKind.rates, FigureKind.scatter, FigureKind.violin)

_EPILOG = """
Examples:

```
codecbench figure rates runs/a runs/b -m pesq_wb,stoi -o rates.pdf
codecbench figure scatter runs/a -m stoi -c opus -c lc3 -o scatter.pdf
codecbench figure violin runs/a -m pesq_wb -c opus -o violin.png
codecbench figure codebooks runs/a -c svcodec -o codebooks.pdf
codecbench figure spectrograms runs/a -c opus -c svcodec -o spectra.pdf
```
"""


def figure(
    kind: Annotated[FigureKind, typer.Argument(help="What to draw.", show_default=False)],
    runs: Annotated[
        list[Path],
        typer.Argument(help="Run folders; several are shown as one.", show_default=False),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The .pdf or .png file.", show_default=False)
    ],
    metrics: Annotated[
        list[str] | None,
        typer.Option(
            "--metrics",
            "-m",
            help="Metrics or columns, separated by commas (rates, scatter, violin).",
        ),
    ] = None,
    codec: ChosenCodecs = None,
    corpus: Annotated[
        list[str] | None,
        typer.Option(
            "--corpus",
            help="Corpus to show (rates, scatter, violin). May be repeated. [default: all]",
            autocompletion=complete.corpora,
        ),
    ] = None,
    utterance: Annotated[
        str | None,
        typer.Option(
            "--utterance",
            help="Id, or corpus/split/id (spectrograms). [default: the run's first]",
        ),
    ] = None,
    data_root: DataRoot = None,
    device: Annotated[
        str, typer.Option("--device", help="Torch device of codecs that decode.")
    ] = "cpu",
) -> None:
    """Draw a run: vector PDF or PNG, colour-blind-safe, readable in grey.

    rates: metrics over counted rate with 95 % intervals, a line a family of codecs. scatter: one
    codec against another, utterance by utterance. violin: distribution over utterances by corpus
    (dot: median, bar: quartiles).
    codebooks: use of code entries in kept bitstreams. spectrograms: an utterance and what codecs
    made of it. A codec has the same colour in every figure.
    """
    from ..errors import UserError
    from ..figures.canvas import drawing, require_figure_path, save

    require_figure_path(output)
    if kind in _OF_SCORES and utterance is not None:
        raise UserError("--utterance goes with spectrograms alone")
    if kind not in _OF_SCORES and (metrics or corpus):
        raise UserError(f"--metrics and --corpus do not go with {kind.value}")
    with drawing():
        if kind in _OF_SCORES:
            drawn = _of_scores(kind, runs, metrics or [], codec or [], corpus)
        else:
            drawn = _of_bitstreams(kind, runs, codec or [], utterance, data_root, device)
        save(drawn, output)


def _of_scores(
    kind: FigureKind,
    runs: list[Path],
    metrics: list[str],
    codec: list[str],
    corpus: list[str] | None,
) -> Figure:
    from ..errors import UserError
    from ..figures.rates import draw_rates
    from ..figures.scatter import draw_scatter
    from ..figures.violin import draw_violins
    from ..reports.selection import columns_named
    from ..reports.several_runs import load_results
    from ..spec import split_each

    if not metrics:
        raise UserError(f"{kind.value} needs a metric, as in --metrics pesq_wb")
    results = load_results(runs)
    columns = columns_named(results, split_each(metrics))
    codecs = _chosen(results.order, codec)
    if kind == FigureKind.rates:
        return draw_rates(results, columns, codecs, corpus or None)
    draw = draw_scatter if kind == FigureKind.scatter else draw_violins
    return draw(results, columns, codecs, corpus or None)


def _of_bitstreams(
    kind: FigureKind,
    runs: list[Path],
    codec: list[str],
    utterance: str | None,
    data_root: Path | None,
    device: str,
) -> Figure:
    from ..errors import UserError
    from ..figures.codebooks import draw_codebooks, token_codecs
    from ..figures.kept import only_run
    from ..figures.spectrograms import draw_spectrograms

    run = only_run(runs)
    codecs = _chosen(run.order, codec)
    if kind == FigureKind.spectrograms:
        return draw_spectrograms(run, codecs, utterance, data_root, device)
    if utterance is not None or data_root is not None:
        raise UserError("--utterance and --data-root go with spectrograms alone")
    return draw_codebooks(run, codecs if codec else token_codecs(run), device)


def _chosen(order: list[str], wanted: list[str]) -> list[str]:
    from ..reports.families import all_chosen

    return all_chosen(order, wanted) or order


figure.__doc__ = f"{figure.__doc__}\n{_EPILOG}"
