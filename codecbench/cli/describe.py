"""``codecbench describe``."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import complete
from .options import DataRoot
from .screen import screen, write_result

if TYPE_CHECKING:
    from ..reports.sheets import Sheet


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


_GROUPS = {
    ComponentKind.codec: "codecs",
    ComponentKind.metric: "metrics",
    ComponentKind.corpus: "corpora",
}


def describe(
    name: Annotated[
        str,
        typer.Argument(
            help="Name or spec of a codec, metric, column or corpus.",
            autocompletion=complete.anything,
        ),
    ],
    kind: Annotated[
        ComponentKind | None, typer.Option("--kind", "-k", help="Where a name stands for several.")
    ] = None,
    data_root: DataRoot = None,
    format: Annotated[  # noqa: A002 - the option's name
        CardFormat, typer.Option("--format", "-f", help="Output format.")
    ] = CardFormat.rich,
) -> None:
    """Show the card of a codec, metric or corpus: what it is, how it is defined, its keys.

    Examples:

    ```
    codecbench describe opus:kbps=12
    codecbench describe external
    codecbench describe pesq_wb
    codecbench describe librispeech --format json
    ```
    """
    from ..reports.cards import render_card

    sheet = _sheet(name, _kind_of(name, kind), data_root)
    write_result(render_card(sheet, format.value, **screen()))


def _kind_of(name: str, kind: ComponentKind | None) -> ComponentKind:
    """Find out what a name stands for."""
    from ..errors import UserError
    from ..registry import column_owners, names
    from ..spec import parse_spec

    bare = parse_spec(name).name
    known = {one: names(_GROUPS[one]) for one in ComponentKind}
    kinds = [kind] if kind else [one for one in ComponentKind if bare in known[one]]
    if len(kinds) > 1:
        raise UserError(f"'{bare}' is a {' and a '.join(kinds)}: choose with --kind")
    if not kinds and bare in column_owners():
        return ComponentKind.metric
    if not kinds:
        everything = [name for group in known.values() for name in group]
        raise UserError(_unknown(bare, [*everything, *column_owners()]))
    return kinds[0]


def _sheet(name: str, kind: ComponentKind, data_root: Path | None) -> Sheet:
    from ..registry import codec_of, component_class, load_corpus, metric_of, names
    from ..reports.sheets import sheet_of, sheet_of_class
    from ..spec import parse_spec

    parsed = parse_spec(name)
    if not parsed.params and parsed.name in names(_GROUPS[kind]):
        component = component_class(_GROUPS[kind], parsed.name)
        if component.required_keys():
            return sheet_of_class(component, kind.value)
    if kind == ComponentKind.codec:
        return sheet_of(codec_of(parsed))
    if kind == ComponentKind.metric:
        return sheet_of(metric_of(parsed))
    return sheet_of(load_corpus(parsed, data_root))


def _unknown(name: str, known: list[str]) -> str:
    import difflib

    close = difflib.get_close_matches(name, known, n=3)
    hint = f"did you mean {' or '.join(close)}?" if close else "codecbench list shows the names"
    return f"there is no codec, metric or corpus '{name}' ({hint})"
