"""A run folder: `load_run(path)`, its rows as pandas frames, its tables."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import UserError
from ..metric import Column
from .kept_audio import KeptAudio, Key
from .manifest import CodecEntry, Manifest
from .reading import T, of_all_parts, opened
from .results import Results
from .rows import held_columns, read_rows
from .schema import BITSTREAM_KEY, FRAME_COLUMNS, ROW_KEY, TEXT_COLUMNS, parts

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

MANIFEST = "manifest.json"
ROWS = "rows"
BITSTREAMS = "bitstreams"
AUDIO_INDEX = "audio.json"
UTTERANCES = "utterances.csv"
LOCK = "run.lock"

_LATEST = """
    SELECT * EXCLUDE (filename, file_row_number)
    FROM read_parquet({files}, filename = true, file_row_number = true, union_by_name = true)
    QUALIFY row_number() OVER (
        PARTITION BY {key} ORDER BY parse_filename(filename) DESC, file_row_number DESC) = 1
"""


class Run(Results):
    """The results of a run.

    Parameters
    ----------
    path : Path
        The run folder.

    Raises
    ------
    UserError
        If it is not one.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.is_dir():
            raise UserError(f"there is no run folder {self.path}")
        self.manifest = Manifest.read(self.path / MANIFEST)

    @property
    def order(self) -> list[str]:
        """Canonical specs of the codecs, in the order in which they were first asked for."""
        return list(self.manifest.codecs)

    @property
    def cards(self) -> dict[str, dict[str, Any]]:
        """The card of each codec, as recorded; an estimated delay is among its notes."""
        return {spec: _card(entry) for spec, entry in self.manifest.codecs.items()}

    @property
    def metric_cards(self) -> dict[str, dict[str, Any]]:
        """The definition card of each metric, as recorded."""
        return {spec: entry.card for spec, entry in self.manifest.metrics.items()}

    @cached_property
    def columns(self) -> dict[str, Column]:
        """The columns by the name under which `frame` shows them."""
        found: dict[str, Column] = {}
        for (spec, name), shown in self.shown_names.items():
            for column in self.manifest.metrics[spec].card["columns"]:
                if column["name"] == name:
                    found[shown] = Column(**{**column, "bounds": _bounds(column["bounds"])})
        return found

    def frame(
        self,
        details: bool = False,
        *,
        metrics: Collection[str] | None = None,
        codecs: Collection[str] | None = None,
    ) -> pd.DataFrame:
        """Return all results, one row a number, sorted.

        Parameters
        ----------
        details : bool
            Add `metric_spec` (the metric's canonical spec) and `speaker_seen_in_training`.
        metrics : collection of str, optional
            Read only these, by the name that stands in `metric`.
        codecs : collection of str, optional
            Read only these, by canonical spec.

        Returns
        -------
        pandas.DataFrame
            Columns `codec`, `corpus`, `split`, `speaker`, `utterance`, `rate`, `metric`,
            `value`, `numerator`, `denominator`, `unit`, `error`; texts are plain strings of dtype
            `object`. Where two definitions of one column are in the run, the one that is not the
            default carries its spec in `metric`.

        Raises
        ------
        UserError
            If there are no results yet or a part of them is damaged.
        """
        frame = self._rows(metrics, codecs)
        if not details:
            return frame[list(FRAME_COLUMNS)]
        from ..reports.table import seen_in_training

        frame["speaker_seen_in_training"] = seen_in_training(frame, self.cards)
        return frame[[*FRAME_COLUMNS, "metric_spec", "speaker_seen_in_training"]]

    def texts(self, metric: str, *, codecs: Collection[str] | None = None) -> pd.DataFrame:
        """Return the texts in which a column's errors were counted, such as those of ``wer``.

        Parameters
        ----------
        metric : str
            By the name that stands in `frame`'s `metric`.
        codecs : collection of str, optional
            Read only these, by canonical spec.

        Returns
        -------
        pandas.DataFrame
            The rows and columns of `frame`, with `reference_text` and `decoded_text` after them,
            normalised as they were compared. Rows without texts are left out: those that failed,
            and those that were measured before texts were kept.

        Raises
        ------
        UserError
            If the run has no such column, no results yet, or a part of them is damaged.
        """
        if metric not in self.columns:
            known = ", ".join(self.columns)
            raise UserError(f"{self.path} has no column '{metric}' (it has {known})")
        frame = self._rows([metric], codecs, texts=True)[[*FRAME_COLUMNS, *TEXT_COLUMNS]]
        return frame[frame["decoded_text"].notna()].reset_index(drop=True)

    def _rows(
        self,
        metrics: Collection[str] | None,
        codecs: Collection[str] | None,
        texts: bool = False,
    ) -> pd.DataFrame:
        shown = self.shown_names
        columns = None if metrics is None else {key for key in shown if shown[key] in set(metrics)}
        frame = self._of_rows(lambda paths: read_rows(paths, codecs, columns, texts))
        frame["metric"] = _renamed(frame, shown)
        return frame

    def _of_rows(self, read: Callable[[list[Path]], T]) -> T:
        if not parts(self.path / ROWS):
            raise UserError(f"{self.path} holds no results yet")
        return of_all_parts(self.path / ROWS, read)

    def held_columns(self) -> set[str]:
        """Return the columns that have rows, by the name under which `frame` shows them.

        Raises
        ------
        UserError
            If there are no results yet or a part of them is damaged.
        """
        shown = self.shown_names
        return {shown.get(key, key[1]) for key in self._of_rows(held_columns)}

    @property
    def specs(self) -> dict[str, str]:
        """Canonical spec of the metric that each column comes from, by the name shown."""
        return {name: spec for (spec, _), name in self.shown_names.items()}

    @property
    def definitions(self) -> list[str]:
        """Metric specs that are not the metric's default."""
        return [spec for spec, entry in self.manifest.metrics.items() if not entry.is_default]

    @property
    def conditions(self) -> list[str]:
        """Sentences about how all numbers were measured."""
        return [loss.note] if (loss := self.manifest.packet_loss) else []

    def decoded_audio(self, codec: str, utterance: Key) -> Path | None:
        """Return the kept audio of an utterance as it was scored; None if it was not kept.

        Parameters
        ----------
        codec : str
            Canonical spec.
        utterance : (corpus, split, id)

        Raises
        ------
        KeyError
            If the codec is not in the run.
        """
        path = self._kept_audio.path(codec, utterance)
        return path if path.is_file() else None

    @cached_property
    def _kept_audio(self) -> KeptAudio:
        entries = self.manifest.codecs.items()
        return KeptAudio(self.path, {spec: entry.identity for spec, entry in entries})

    @contextmanager
    def connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open DuckDB with the views ``rows`` and ``bitstreams``, each where there are any.

        For queries of one's own; `frame` needs a fraction of the time and memory.

        Raises
        ------
        UserError
            If a part is damaged.
        """
        import duckdb

        with duckdb.connect() as database:
            database.execute("SET threads TO 2")
            for view, key in ((ROWS, ROW_KEY), (BITSTREAMS, BITSTREAM_KEY)):
                files = of_all_parts(self.path / view, _checked)
                if not files:
                    continue
                listed = "[" + ", ".join(_quoted(file) for file in files) + "]"
                query = _LATEST.format(files=listed, key=", ".join(key))
                database.execute(f"CREATE VIEW {view} AS {query}")
            yield database

    def shown_name(self, spec: str, column: str) -> str:
        """Return the name under which `frame` shows a column of a metric's canonical spec."""
        return self.shown_names[spec, column]

    def __str__(self) -> str:
        return str(self.path)

    def __repr__(self) -> str:
        return f"<Run {self.path}: {len(self.order)} codecs>"

    @property
    def shown_names(self) -> dict[tuple[str, str], str]:
        """Maps (metric spec, column) to the name shown; qualified where two specs collide."""
        owners: dict[str, list[str]] = {}
        for spec, entry in self.manifest.metrics.items():
            for column in entry.card["columns"]:
                owners.setdefault(column["name"], []).append(spec)
        return {
            (spec, name): name
            if len(specs) == 1 or self.manifest.metrics[spec].is_default
            else f"{name} ({spec})"
            for name, specs in owners.items()
            for spec in specs
        }


def _card(entry: CodecEntry) -> dict[str, Any]:
    if not entry.delay_estimates:
        return entry.card
    note = (
        f"its delay of {entry.delay_samples} samples was estimated"
        f" from {entry.delay_estimates} utterances"
    )
    return {**entry.card, "notes": [*entry.card.get("notes", ()), note]}


def _bounds(stored: Sequence[float | None]) -> tuple[float, float]:
    """Read bounds back: JSON has no infinity, so null stands for it."""
    low, high = stored
    return -math.inf if low is None else low, math.inf if high is None else high


def _renamed(frame: pd.DataFrame, shown: dict[tuple[str, str], str]) -> pd.Series[Any]:
    """Return the names under which columns are shown; rows of the same share one string."""
    import pandas as pd

    specs, all_specs = pd.factorize(frame["metric_spec"])
    names, all_names = pd.factorize(frame["metric"])
    table = np.empty((len(all_specs), len(all_names)), object)
    for row, spec in enumerate(all_specs):
        table[row] = [shown.get((spec, name), name) for name in all_names]
    return pd.Series(table[specs, names], index=frame.index, dtype=object)


def _checked(paths: list[Path]) -> list[Path]:
    for path in paths:
        with opened(path, ()):
            pass
    return paths


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def load_run(path: str | Path) -> Run:
    """Open a run folder.

    Raises
    ------
    UserError
        If it is not one.
    """
    return Run(path)
