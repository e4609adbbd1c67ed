"""`Selection`: what of a run is exported, chosen as tables choose it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ..errors import UserError
from ..reports.families import all_chosen
from ..reports.notes import about_seen_speakers
from ..reports.selection import columns_named, of_corpora
from ..reports.table import Table
from ..results.results import RATE
from ..results.run_folder import Run
from ..results.schema import REFERENCE

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Selection:
    """A run and what of it is wanted.

    Parameters
    ----------
    run : Run
    metrics : tuple of str
        Columns by the names that frames show; all if empty.
    codecs : tuple of str
        Canonical specs; all if empty.
    corpora : tuple of str
        Names; all if empty.
    by : tuple of str
        What groups of the table are made of, besides the codec.
    include_seen_speakers : bool
        Keep utterances of speakers that a codec's weights were trained on.
    """

    run: Run
    metrics: tuple[str, ...] = ()
    codecs: tuple[str, ...] = ()
    corpora: tuple[str, ...] = ()
    by: tuple[str, ...] = ("corpus",)
    include_seen_speakers: bool = False

    @classmethod
    def of(
        cls,
        run: Run,
        metrics: Sequence[str] = (),
        codecs: Sequence[str] = (),
        corpora: Sequence[str] = (),
        by: Sequence[str] = ("corpus",),
        include_seen_speakers: bool = False,
    ) -> Selection:
        """Choose by names as users write them.

        Parameters
        ----------
        run : Run
        metrics : sequence of str
            Metrics or columns.
        codecs : sequence of str
            Specs or sweeps; values not given may be any.
        corpora, by, include_seen_speakers
            See the class.

        Raises
        ------
        UserError
            If the run has no such metric or codec.
        """
        columns = columns_named(run, metrics) if metrics else []
        specs = all_chosen(run.order, codecs)
        return cls(
            run, tuple(columns), tuple(specs), tuple(corpora), tuple(by), include_seen_speakers
        )

    @cached_property
    def table(self) -> Table:
        """The table of the selection; its numbers are those of ``codecbench table``.

        Raises
        ------
        UserError
            If a corpus is not there or nothing is left to show.
        """
        return self._table(self.metrics)

    @cached_property
    def counted_kbps(self) -> dict[tuple[str, tuple[str, ...]], float | None]:
        """The counted rate of each codec in each group, whatever metrics are selected."""
        if RATE not in self.run.columns:
            return {}
        rows = self._table((RATE,)).rows
        return {(row.codec, row.group): row.cells[RATE].value for row in rows}

    def _table(self, metrics: tuple[str, ...]) -> Table:
        return self.run.table(
            metrics=metrics or None,
            by=("codec", *self.by),
            codecs=self.codecs or None,
            corpora=self.corpora or None,
            include_seen_speakers=self.include_seen_speakers,
        )

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The rows of the selection, as `Run.frame` gives them with details.

        Failures are among them; rows of training speakers only if they are wanted.

        Raises
        ------
        UserError
            If a corpus is not there or no rows are left.
        """
        seen = self._everything["speaker_seen_in_training"].to_numpy(bool)
        kept = self._everything if self.include_seen_speakers else self._everything[~seen]
        if not len(kept):
            raise UserError("there are no results to export")
        return kept.reset_index(drop=True)

    @cached_property
    def _everything(self) -> pd.DataFrame:
        frame = self.run.frame(
            details=True,
            metrics=self.metrics or None,
            codecs=(*self.codecs, REFERENCE) if self.codecs else None,
        )
        return of_corpora(frame, self.corpora or None)

    @property
    def left_out(self) -> tuple[str, ...]:
        """Sentences on the utterances of training speakers that `frame` lacks."""
        if self.include_seen_speakers:
            return ()
        seen = self._everything["speaker_seen_in_training"].to_numpy(bool)
        return tuple(about_seen_speakers(self._everything[seen], {}))

    def identity(self, codec: str) -> str | None:
        """Return the hash of a codec's spec, version and weights; None for the reference."""
        entry = self.run.manifest.codecs.get(codec)
        return None if entry is None else entry.identity

    def exported_codecs(self) -> list[str]:
        """Return the codecs of the table, without the reference."""
        present = dict.fromkeys(row.codec for row in self.table.rows if not row.is_reference)
        return list(present)
