"""``codecbench describe``."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from .screen import screen, write_result

if TYPE_CHECKING:
    from ..component import Component


class CardFormat(enum.StrEnum):
    """Formats of a card."""

    rich = "rich"
    markdown = "markdown"
    json = "json"


class ComponentKind(enum.StrEnum):
    """What a name may stand for."""

    codec = "codec"
    metric = "metric"
    corpus = "corpus"


def describe(
    name: Annotated[str, typer.Argument(help="Name or spec of a codec, metric, column or corpus.")],
    kind: Annotated[
        ComponentKind | None, typer.Option("--kind", "-k", help="Where a name stands for several.")
    ] = None,
    format: Annotated[  # noqa: A002 - the option's name
        CardFormat, typer.Option("--format", "-f", help="Output format.")
    ] = CardFormat.rich,
) -> None:
    """Show the card of a codec, metric or corpus: what it is, how it is defined, its keys.

    Examples:

        codecbench describe opus:kbps=12

        codecbench describe pesq_wb

        codecbench describe librispeech --format json
    """
    from ..reports.cards import render_card
    from ..reports.sheets import sheet_of

    sheet = sheet_of(_find(name, kind))
    write_result(render_card(sheet, format.value, **screen()))


def _find(name: str, kind: ComponentKind | None) -> Component:
    from ..errors import UserError
    from ..registry import (
        CODECS,
        CORPORA,
        METRICS,
        codec_of,
        column_owners,
        load_corpus,
        metric_of,
        names,
    )
    from ..spec import parse_spec

    bare = parse_spec(name).name
    makers: dict[ComponentKind, tuple[list[str], Callable[[str], Component]]] = {
        ComponentKind.codec: (names(CODECS), codec_of),
        ComponentKind.metric: (names(METRICS), metric_of),
        ComponentKind.corpus: (names(CORPORA), load_corpus),
    }
    kinds = [kind] if kind else [one for one, (known, _) in makers.items() if bare in known]
    if len(kinds) > 1:
        raise UserError(f"'{bare}' is a {' and a '.join(kinds)}: choose with --kind")
    if not kinds and bare in column_owners():
        kinds = [ComponentKind.metric]
    if not kinds:
        known = [name for group, _ in makers.values() for name in group]
        raise UserError(_unknown(bare, [*known, *column_owners()]))
    return makers[kinds[0]][1](name)


def _unknown(name: str, known: list[str]) -> str:
    import difflib

    close = difflib.get_close_matches(name, known, n=3)
    hint = f"did you mean {' or '.join(close)}?" if close else "codecbench list shows the names"
    return f"there is no codec, metric or corpus '{name}' ({hint})"
