"""A run folder: `load_run(path)`, its rows as pandas frames, its tables."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UserError
from ..metric import Column
from .manifest import Manifest
from .schema import FRAME_COLUMNS, REFERENCE, parts

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

    from ..reports.table import Table

MANIFEST = "manifest.json"
ROWS = "rows"
BITSTREAMS = "bitstreams"
AUDIO_INDEX = "audio.json"
UTTERANCES = "utterances.csv"
LOCK = "run.lock"

_LATEST = """
    SELECT * EXCLUDE (filename) FROM read_parquet({files}, filename = true)
    QUALIFY row_number() OVER (
        PARTITION BY {key} ORDER BY parse_filename(filename) DESC) = 1
"""


class Run:
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
        """The card of each codec, as recorded."""
        return {spec: entry.card for spec, entry in self.manifest.codecs.items()}

    @property
    def metric_cards(self) -> dict[str, dict[str, Any]]:
        """The definition card of each metric, as recorded."""
        return {spec: entry.card for spec, entry in self.manifest.metrics.items()}

    @cached_property
    def columns(self) -> dict[str, Column]:
        """The columns by the name under which `frame` shows them."""
        found: dict[str, Column] = {}
        for (spec, name), shown in self._shown_names().items():
            for column in self.manifest.metrics[spec].card["columns"]:
                if column["name"] == name:
                    found[shown] = Column(**{**column, "bounds": _bounds(column["bounds"])})
        return found

    def frame(self, details: bool = False) -> pd.DataFrame:
        """Return all results, one row a number, sorted.

        Parameters
        ----------
        details : bool
            Add `metric_spec` (the metric's canonical spec) and `speaker_seen_in_training`.

        Returns
        -------
        pandas.DataFrame
            Columns `codec`, `corpus`, `split`, `speaker`, `utterance`, `rate`, `metric`,
            `value`, `numerator`, `denominator`, `unit`, `error`. Where two definitions of one
            column are in the run, the one that is not the default carries its spec in `metric`.
        """
        if not parts(self.path / ROWS):
            raise UserError(f"{self.path} holds no results yet")
        with self.connection() as database:
            frame: pd.DataFrame = database.execute(
                "SELECT * FROM rows ORDER BY codec, corpus, split, utterance, metric_spec, metric"
            ).df()
        shown = self._shown_names()
        names = zip(frame["metric_spec"], frame["metric"], strict=True)
        frame["metric"] = [shown.get(key, key[1]) for key in names]
        frame["error"] = frame["error"].astype(object).where(frame["error"].notna(), None)
        if not details:
            return frame[list(FRAME_COLUMNS)]
        seen = {
            (codec, *speaker.split(":", 1))
            for codec, card in self.cards.items()
            for speaker in card.get("training_speakers", ())
        }
        keys = zip(frame["codec"], frame["corpus"], frame["speaker"], strict=True)
        frame["speaker_seen_in_training"] = [key in seen for key in keys]
        return frame[[*FRAME_COLUMNS, "metric_spec", "speaker_seen_in_training"]]

    def table(
        self,
        metrics: Sequence[str] | None = None,
        by: Sequence[str] = ("codec", "corpus"),
        codecs: Sequence[str] | None = None,
        include_seen_speakers: bool = False,
    ) -> Table:
        """Aggregate into a table with intervals, counts and failures.

        Parameters
        ----------
        metrics : sequence of str, optional
            Column names; all if None.
        by : sequence of str
            What a row of the table stands for: ``codec`` and any of ``corpus``, ``split``.
        codecs : sequence of str, optional
            Canonical specs to compare; all of the run if None.
        include_seen_speakers : bool
            Keep rows whose speaker is in the codec's training list.
        """
        from ..reports.table import leaderboard

        frame = self.frame()
        order = self.order
        if codecs is not None:
            frame = frame[frame["codec"].isin([*codecs, REFERENCE])]
            order = [codec for codec in order if codec in codecs]
        return leaderboard(
            frame,
            self.columns,
            metrics=metrics,
            by=tuple(by),
            order=order,
            include_seen_speakers=include_seen_speakers,
            cards=self.cards,
            definitions=[
                spec for spec, entry in self.manifest.metrics.items() if not entry.is_default
            ],
        )

    @contextmanager
    def connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open DuckDB with the views ``rows`` and ``bitstreams``, each where there are any."""
        import duckdb

        with duckdb.connect() as database:
            database.execute("SET threads TO 2")
            for view, key in (
                (ROWS, "codec, corpus, split, utterance, metric_spec, metric"),
                (BITSTREAMS, "codec, corpus, split, utterance"),
            ):
                files = parts(self.path / view)
                if not files:
                    continue
                listed = "[" + ", ".join(_quoted(file) for file in files) + "]"
                database.execute(f"CREATE VIEW {view} AS {_LATEST.format(files=listed, key=key)}")
            yield database

    def _shown_names(self) -> dict[tuple[str, str], str]:
        """Map (metric spec, column) to the name shown; qualified where two specs collide."""
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


def _bounds(stored: Sequence[float | None]) -> tuple[float, float]:
    """Read bounds back: JSON has no infinity, so null stands for it."""
    low, high = stored
    return -math.inf if low is None else low, math.inf if high is None else high


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
