"""`leaderboard`: the rows of a run, aggregated into a table that every report format shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import UserError
from ..metric import Column
from ..registry import METRICS, speakers_corpus, unknown_name
from ..results.schema import REFERENCE
from .bands import BAND, with_bands
from .cells import Cell, cells_of
from .labels import short_labels

if TYPE_CHECKING:
    import pandas as pd

GROUP_KEYS = ("corpus", "split", "speaker", "rate")
"""What rows may be grouped by besides the codec."""

RATE_UNIT = "kbit/s"


@dataclass(frozen=True)
class Row:
    """One codec in one group.

    Parameters
    ----------
    codec : str
        Canonical spec, or ``reference``.
    group : tuple of str
        Values of the table's keys, such as a corpus and a split.
    cells : dict of str to Cell
        One for each column of the table.
    source : str
        Where the numbers were published, if they were not measured here; such rows are never
        ranked.
    """

    codec: str
    group: tuple[str, ...]
    cells: dict[str, Cell]
    source: str = ""

    @property
    def is_reference(self) -> bool:
        """Whether this is the ceiling: the reference's own scores, which are never ranked."""
        return self.codec == REFERENCE


@dataclass(frozen=True)
class Table:
    """Aggregated results, ready for every format.

    Parameters
    ----------
    keys : tuple of str
        What groups are made of; codecs are compared within a group.
    columns : dict of str to Column
        By the name under which the frame shows them, in the order of the table.
    rows : tuple of Row
        Group by group, the reference first.
    notes : tuple of str
        Sentences that must stand under the numbers.
    labels : dict of str to str
        Short names of the codecs by canonical spec.
    specs : dict of str to str
        Canonical spec of the metric that each column comes from, where it is known.
    """

    keys: tuple[str, ...]
    columns: dict[str, Column]
    rows: tuple[Row, ...]
    notes: tuple[str, ...]
    labels: dict[str, str]
    specs: dict[str, str] = field(default_factory=dict)

    def groups(self) -> dict[tuple[str, ...], list[Row]]:
        """Return the rows of each group."""
        found: dict[tuple[str, ...], list[Row]] = {}
        for row in self.rows:
            found.setdefault(row.group, []).append(row)
        return found

    def cell(self, codec: str, metric: str, *group: str) -> Cell:
        """Return one cell; `group` may be left out if the table has a single group.

        Raises
        ------
        KeyError
            If there is no such row or column.
        """
        for row in self.rows:
            if row.codec == codec and group in ((), row.group):
                return row.cells[metric]
        raise KeyError((codec, *group))

    def frame(self) -> pd.DataFrame:
        """Return the cells as a pandas frame, one row for each codec, group and column.

        Returns
        -------
        pandas.DataFrame
            Columns `codec`, `label` (its short name), the keys of the groups, `metric`, `title`,
            `definition`, `unit`, `better`, `value`, `low` and `high` (95 % interval), `n`
            (utterances), `speakers`, `scored`, `failures`, `reason`, `interval` (how it was
            computed), `mark` (``best``, ``second``), `published` (source of a published number).
            Where there is no number it is NaN.
        """
        import pandas as pd

        from .formats.long_form import records_of

        numbers = dict.fromkeys(("value", "low", "high"), float)
        frame = pd.DataFrame(records_of(self)).astype(numbers)
        frame.insert(1, "label", frame["codec"].map(self.labels))
        return frame

    def __str__(self) -> str:
        return self.render("rich")

    def render(self, kind: str = "markdown", width: int = 100) -> str:
        """Return the table as text, in one of `formats.FORMATS`."""
        from .formats import render

        return render(self, kind, width=width)


def leaderboard(
    frame: pd.DataFrame,
    columns: Mapping[str, Column],
    metrics: Sequence[str] | None = None,
    by: Sequence[str] = ("codec", "corpus"),
    order: Sequence[str] | None = None,
    include_seen_speakers: bool = False,
    cards: Mapping[str, Mapping[str, Any]] | None = None,
    definitions: Sequence[str] = (),
    conditions: Sequence[str] = (),
    specs: Mapping[str, str] | None = None,
    bands: Sequence[float] = (),
) -> Table:
    """Aggregate the rows of a run.

    In each group and for each metric, codecs are compared on the utterances that all of them
    scored; a codec that scored none takes no part, and its failures are shown.

    Parameters
    ----------
    frame : pandas.DataFrame
        As `Run.frame` gives it.
    columns : mapping of str to Column
        By the name that stands in ``metric``.
    metrics : sequence of str, optional
        Columns wanted, in this order. If None: all that are present, rates first, those that are
        never ranked last.
    by : sequence of str
        ``codec`` and any of ``corpus``, ``split``, ``speaker``, ``rate``.
    order : sequence of str, optional
        Canonical specs in the order wanted; further codecs follow.
    include_seen_speakers : bool
        Keep rows whose speaker the codec's weights were trained on.
    cards : mapping of str to dict, optional
        `CodecCard.as_dict` by canonical spec.
    definitions : sequence of str
        Metric specs that are not the metric's default; named under the table.
    conditions : sequence of str
        Sentences about how all numbers were measured; they stand under the table.
    specs : mapping of str to str, optional
        Canonical spec of the metric that each column comes from.
    bands : sequence of float
        Edges in kbit/s, rising: within each group, codecs are compared with those of the same band
        alone (see `bands.with_bands`).

    Raises
    ------
    UserError
        If a metric or key is not known, or nothing is left to show.
    ValueError
        If an utterance has two scores of one metric through one codec.
    """
    from .notes import notes_of

    keys = _group_keys(by)
    wanted = _wanted_columns(frame, columns, metrics)
    kept = frame[frame["metric"].isin(list(wanted))]
    if bands:
        kept, keys = with_bands(kept, frame, keys, bands), (*keys, BAND)
    if not include_seen_speakers:
        seen = seen_in_training(kept, cards or {})
        left_out, kept = kept[seen], kept[~seen]
    else:
        left_out = kept.iloc[:0]
    codecs = _codec_order(frame, order or ())
    anchors = frozenset(codec for codec, card in (cards or {}).items() if card.get("anchor"))
    rows = tuple(
        row
        for group, part in _split(kept, left_out, keys)
        for row in _rows_of(group, part, wanted, codecs, anchors)
    )
    if not rows:
        raise UserError("there are no results to show")
    titles = {codec: str(card.get("title", "")) for codec, card in (cards or {}).items()}
    labels = short_labels([row.codec for row in rows], titles)
    notes = notes_of(rows, wanted, kept, left_out, cards or {}, definitions, conditions, labels)
    known = {name: spec for name, spec in (specs or {}).items() if name in wanted}
    return Table(keys, wanted, rows, notes, labels, known)


def _group_keys(by: Sequence[str]) -> tuple[str, ...]:
    for key in by:
        if key not in ("codec", *GROUP_KEYS):
            raise UserError(f"cannot group by '{key}' (known: codec, {', '.join(GROUP_KEYS)})")
    return tuple(dict.fromkeys(key for key in by if key != "codec"))


def _wanted_columns(
    frame: pd.DataFrame, columns: Mapping[str, Column], metrics: Sequence[str] | None
) -> dict[str, Column]:
    if metrics is not None:
        for name in metrics:
            if name not in columns:
                raise UserError(f"{unknown_name(METRICS, name, columns)} in these results")
        return {name: columns[name] for name in metrics}
    present = set(frame["metric"].unique())
    names = [name for name in columns if name in present]
    return {name: columns[name] for name in sorted(names, key=lambda name: _place(columns[name]))}


def _place(column: Column) -> int:
    """Return 0 for rates, 2 for diagnostics, 1 for all others."""
    if column.unit == RATE_UNIT:
        return 0
    return 1 if column.ranked and column.better else 2


def seen_in_training(
    frame: pd.DataFrame, cards: Mapping[str, Mapping[str, Any]]
) -> pd.Series[bool]:
    """Return which rows are of a speaker whom the codec's weights were trained on."""
    import pandas as pd

    seen = pd.Series(False, index=frame.index)
    known = {codec: card.get("training_speakers") or () for codec, card in cards.items()}
    if not any(known.values()):
        return seen
    homes = {corpus: speakers_corpus(str(corpus)) for corpus in frame["corpus"].unique()}
    names = frame["corpus"].map(homes) + ":" + frame["speaker"].astype(str)
    for codec, trained in known.items():
        parted = (speaker.split(":", 1) for speaker in trained)
        speakers = {f"{speakers_corpus(corpus)}:{speaker}" for corpus, speaker in parted}
        seen |= (frame["codec"] == codec) & names.isin(speakers)
    return seen


def _codec_order(frame: pd.DataFrame, order: Sequence[str]) -> list[str]:
    present = [str(codec) for codec in frame["codec"].unique()]
    asked = [codec for codec in order if codec in present]
    codecs = dict.fromkeys([*asked, *present])
    reference = [REFERENCE] if codecs.pop(REFERENCE, "") is None else []
    return [*reference, *codecs]


def _split(
    kept: pd.DataFrame, left_out: pd.DataFrame, keys: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], pd.DataFrame]]:
    """Yield the groups; a codec whose rows were all left out still gets its (empty) row."""
    import pandas as pd

    emptied = left_out.assign(left_out=True)
    everything = pd.concat([kept.assign(left_out=False), emptied])
    if not keys:
        if len(everything):
            yield (), everything
        return
    for group, part in everything.groupby(list(keys), dropna=False, observed=True, sort=True):
        yield tuple(_text(value) for value in group), part


def _text(value: object) -> str:
    return f"{value:.0f}" if isinstance(value, float) else str(value)


def _rows_of(
    group: tuple[str, ...],
    part: pd.DataFrame,
    columns: Mapping[str, Column],
    codecs: list[str],
    anchors: frozenset[str],
) -> Iterator[Row]:
    of_metric = dict(iter(part.groupby("metric", sort=False, observed=True)))
    by_metric = {
        name: cells_of(of_metric.get(name, part.iloc[:0]), column, anchors)
        for name, column in columns.items()
    }
    present = set(part["codec"].unique())
    for codec in codecs:
        if codec in present:
            cells = {name: cells.get(codec, Cell()) for name, cells in by_metric.items()}
            yield Row(codec, group, cells)
