"""`Results`: what reports read, whether one run folder holds it or several together."""

from __future__ import annotations

import abc
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from ..metric import Column
from .schema import REFERENCE

if TYPE_CHECKING:
    import pandas as pd

    from ..reports.table import Table

RATE = "kbps"
"""Column of the counted rate."""


class Results(abc.ABC):
    """Numbers of codecs, with what must be known to show them; its text names where they are."""

    @property
    @abc.abstractmethod
    def order(self) -> list[str]:
        """Canonical specs of the codecs, in the order in which they were first asked for."""

    @property
    @abc.abstractmethod
    def cards(self) -> dict[str, dict[str, Any]]:
        """The card of each codec, as recorded."""

    @property
    @abc.abstractmethod
    def metric_cards(self) -> dict[str, dict[str, Any]]:
        """The definition card of each metric, as recorded."""

    @property
    @abc.abstractmethod
    def columns(self) -> dict[str, Column]:
        """The columns by the name under which `frame` shows them."""

    @property
    @abc.abstractmethod
    def specs(self) -> dict[str, str]:
        """Canonical spec of the metric that each column comes from, by the name shown."""

    @property
    @abc.abstractmethod
    def definitions(self) -> list[str]:
        """Metric specs that are not the metric's default."""

    @property
    @abc.abstractmethod
    def conditions(self) -> list[str]:
        """Sentences about how all numbers were measured."""

    @abc.abstractmethod
    def frame(
        self,
        details: bool = False,
        *,
        metrics: Collection[str] | None = None,
        codecs: Collection[str] | None = None,
    ) -> pd.DataFrame:
        """Return all results, one row a number, sorted; see `Run.frame`."""

    def table(
        self,
        metrics: Sequence[str] | None = None,
        by: str | Sequence[str] = ("codec", "corpus"),
        codecs: Sequence[str] | None = None,
        include_seen_speakers: bool = False,
        corpora: Sequence[str] | None = None,
        bands: Sequence[float] = (),
    ) -> Table:
        """Aggregate into a table with intervals, counts and failures.

        Parameters
        ----------
        metrics : sequence of str, optional
            Column names; all if None.
        by : str or sequence of str
            What groups are made of: any of ``corpus``, ``split``, ``speaker``, ``rate``.
        codecs : sequence of str, optional
            Canonical specs to compare; all if None.
        include_seen_speakers : bool
            Keep rows whose speaker is in the codec's training list.
        corpora : sequence of str, optional
            Names of the corpora to show; all if None.
        bands : sequence of float
            Edges in kbit/s: codecs are compared only with those between the same edges.

        Raises
        ------
        UserError
            If a corpus, column or key is not there, or nothing is left to show.
        """
        from ..reports.selection import of_corpora
        from ..reports.table import leaderboard

        wanted = None if codecs is None else [*codecs, REFERENCE]
        read = metrics if metrics is None or not bands else [*metrics, RATE]
        frame = of_corpora(self.frame(metrics=read, codecs=wanted), corpora)
        order = [codec for codec in self.order if codecs is None or codec in codecs]
        return leaderboard(
            frame,
            self.columns,
            metrics=metrics,
            by=(by,) if isinstance(by, str) else tuple(by),
            order=order,
            include_seen_speakers=include_seen_speakers,
            cards=self.cards,
            conditions=self.conditions,
            definitions=self.definitions,
            specs=self.specs,
            bands=bands,
        )
