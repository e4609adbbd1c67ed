"""`SeveralRuns`: comparable run folders read as one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import combinations, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import UserError
from ..metric import Column
from ..results.comparable import (
    package_changes,
    require_same_definitions,
    require_same_measurement,
)
from ..results.recorded_audio import RecordedAudio
from ..results.results import Results
from ..results.run_folder import AUDIO_INDEX, Run, load_run
from .families import named
from .labels import short_labels

if TYPE_CHECKING:
    import pandas as pd

Value = TypeVar("Value")

_SAME_NUMBER = ["codec", "corpus", "split", "utterance", "metric"]


def load_results(paths: Sequence[str | Path]) -> Results:
    """Open one run folder, or several as one.

    Raises
    ------
    UserError
        If one is no run folder, is given twice, or was measured otherwise than the first.
    """
    runs = [load_run(path) for path in paths]
    return runs[0] if len(runs) == 1 else SeveralRuns(runs)


class SeveralRuns(Results):
    """Runs of one protocol; where two hold the same number, that of the run named first counts.

    Parameters
    ----------
    runs : sequence of Run

    Raises
    ------
    UserError
        If a run is given twice or was measured otherwise than the first, or the audio of an
        utterance that two hold differs.
    """

    def __init__(self, runs: Sequence[Run]) -> None:
        self._runs = tuple(runs)
        if len({run.path.resolve() for run in runs}) < len(runs):
            raise UserError("a run is given twice; name each run once")
        for earlier, run in combinations(runs, 2):
            require_same_measurement(earlier, run)

    @property
    def order(self) -> list[str]:
        """Canonical specs of the codecs, run by run."""
        return list(dict.fromkeys(spec for run in self._runs for spec in run.order))

    @property
    def cards(self) -> dict[str, dict[str, Any]]:
        """The card of each codec."""
        return _first_wins(run.cards for run in self._runs)

    @property
    def metric_cards(self) -> dict[str, dict[str, Any]]:
        """The definition card of each metric."""
        return _first_wins(run.metric_cards for run in self._runs)

    @cached_property
    def columns(self) -> dict[str, Column]:
        """The columns by the name under which `frame` shows them."""
        return _first_wins(run.columns for run in self._runs)

    @property
    def specs(self) -> dict[str, str]:
        """Canonical spec of the metric that each column comes from."""
        return _first_wins(run.specs for run in self._runs)

    @property
    def definitions(self) -> list[str]:
        """Metric specs that are not the metric's default."""
        return list(dict.fromkeys(spec for run in self._runs for spec in run.definitions))

    @property
    def conditions(self) -> list[str]:
        """Sentences about how all numbers were measured, and where runs overlap or differ."""
        return [*self._runs[0].conditions, *self._overlaps(), *self._package_changes()]

    def frame(
        self,
        details: bool = False,
        *,
        metrics: Collection[str] | None = None,
        codecs: Collection[str] | None = None,
    ) -> pd.DataFrame:
        """Return the results of all runs, each number once; see `Run.frame`.

        Raises
        ------
        UserError
            If a column's definition, or a codec's implementation or weights, differ between runs.
        """
        import pandas as pd

        self._require_same_columns(self.columns if metrics is None else metrics)
        self._require_same_codecs(self.order if codecs is None else codecs)
        frames = [run.frame(details, metrics=metrics, codecs=codecs) for run in self._runs]
        whole = pd.concat([frame for frame in frames if len(frame)] or frames[:1])
        once = whole.drop_duplicates(_SAME_NUMBER, keep="first")
        return once.sort_values(_SAME_NUMBER, kind="stable", ignore_index=True)

    def _require_same_columns(self, names: Collection[str]) -> None:
        for name in names:
            holders = [run for run in self._runs if name in run.columns]
            for earlier, run in pairwise(holders):
                require_same_definitions(earlier, run, [name])

    def _require_same_codecs(self, specs: Collection[str]) -> None:
        for spec in specs:
            holders = [run for run in self._runs if spec in run.manifest.codecs]
            for earlier, run in pairwise(holders):
                if earlier.manifest.codecs[spec].identity != run.manifest.codecs[spec].identity:
                    raise UserError(
                        f"{spec} has another implementation or other weights in {run.path} than in"
                        f" {earlier.path}; leave one of the runs out"
                    )

    def _overlaps(self) -> Iterator[str]:
        keys = [RecordedAudio(run.path / AUDIO_INDEX).keys() for run in self._runs]
        shared = {
            spec
            for (run, mine), (other, theirs) in combinations(zip(self._runs, keys, strict=True), 2)
            if mine & theirs
            for spec in run.manifest.codecs.keys() & other.manifest.codecs.keys()
        }
        if twice := [spec for spec in self.order if spec in shared]:
            names = named(twice, self.order, short_labels(self.order))
            yield (
                "in several of the runs; a score that two runs hold is that of the run named"
                f" first: {', '.join(names)}"
            )

    def _package_changes(self) -> Iterator[str]:
        first, *others = self._runs
        for run in others:
            if changes := package_changes(first, run):
                yield f"packages differ in {run.path.name}: {', '.join(changes)}"

    def __str__(self) -> str:
        return "these runs"


def _first_wins(mappings: Iterable[Mapping[str, Value]]) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for mapping in mappings:
        for key, value in mapping.items():
            found.setdefault(key, value)
    return found
