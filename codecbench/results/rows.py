"""The rows of a run as a pandas frame."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .codes import Codes, Integers, joined_keys, last_of_equal
from .reading import opened, read_row_group, row_groups
from .schema import ROW_KEY, TEXT_COLUMNS

if TYPE_CHECKING:
    import pandas as pd

TEXT = (*ROW_KEY, "speaker", "unit", "error")
NUMBERS = ("rate", "value", "numerator", "denominator")
_ASKED = ("codec", "metric_spec", "metric")


def read_rows(
    paths: Sequence[Path],
    codecs: Collection[str] | None = None,
    columns: Collection[tuple[str, str]] | None = None,
    texts: bool = False,
) -> pd.DataFrame:
    """Read the rows of all parts, the latest of equal keys, sorted by key.

    Equal texts are one object each, so that a column costs eight bytes a row, and columns have
    the plain type `object`: categoricals would take part in `groupby` with categories that no
    row has.

    Parameters
    ----------
    paths : sequence of Path
        Oldest first.
    codecs : collection of str, optional
        Read only these.
    columns : collection of (metric spec, column), optional
        Read only these.
    texts : bool
        Read the texts that were compared too.

    Raises
    ------
    FileNotFoundError, UserError
        See `codecbench.results.reading.opened`.
    """
    import pandas as pd

    rows = _Rows(codecs, columns, TEXT_COLUMNS if texts else ())
    for path in paths:
        rows.add_part(path)
    columns_of_frame = {
        name: pd.Series(values, dtype=values.dtype, copy=False)
        for name, values in rows.columns().items()
    }
    return pd.DataFrame(columns_of_frame, copy=False)


def held_columns(paths: Sequence[Path]) -> set[tuple[str, str]]:
    """Return metric spec and column of all rows, without reading the rows themselves.

    Parameters
    ----------
    paths : sequence of Path

    Raises
    ------
    FileNotFoundError, UserError
        See `codecbench.results.reading.opened`.
    """
    names = ("metric_spec", "metric")
    found: set[tuple[str, str]] = set()
    for _, _, table in row_groups(paths, names, names):
        pairs = table.group_by(list(names)).aggregate([])
        found.update(zip(*(pairs[name].to_pylist() for name in names), strict=True))
    return found


class _Rows:
    """Rows as they come, texts as codes."""

    def __init__(
        self,
        codecs: Collection[str] | None,
        columns: Collection[tuple[str, str]] | None,
        texts: Sequence[str],
    ) -> None:
        self._wanted_codecs = None if codecs is None else frozenset(codecs)
        self._wanted_columns = columns
        self._codes = {name: Codes() for name in (*TEXT, *texts)}
        self._names = (*self._codes, *NUMBERS)
        self._found: dict[str, list[npt.NDArray[Any]]] = {name: [] for name in self._names}

    def add_part(self, path: Path) -> None:
        """Read the wanted rows of a part, one row group after another."""
        with opened(path, (*TEXT, *NUMBERS), TEXT) as file:
            for number in range(file.num_row_groups):
                wanted = self._wanted(file, number)
                if wanted is None or wanted.any():
                    self._add(read_row_group(file, number, self._names), wanted)

    def _wanted(self, file: Any, number: int) -> npt.NDArray[np.bool_] | None:
        """Return which rows of a row group are wanted; None for all."""
        if self._wanted_codecs is None and self._wanted_columns is None:
            return None
        table = file.read_row_group(number, columns=list(_ASKED))
        codec, spec, metric = (self._codes[name].of(table[name]) for name in _ASKED)
        codecs, specs, metrics = (self._codes[name].texts for name in _ASKED)
        wanted = np.ones(len(table), bool)
        if self._wanted_codecs is not None:
            wanted &= np.array([text in self._wanted_codecs for text in codecs], bool)[codec]
        if self._wanted_columns is not None:
            asked = [[(a, b) in self._wanted_columns for b in metrics] for a in specs]
            wanted &= np.array(asked, bool)[spec, metric]
        return wanted

    def _add(self, table: Any, wanted: npt.NDArray[np.bool_] | None) -> None:
        for name, found in self._found.items():
            codes = self._codes.get(name)
            # Null becomes NaN here, and an integer column with nulls one of floats.
            values = table[name].to_numpy() if codes is None else codes.of(table[name])
            found.append(values if wanted is None else values[wanted])

    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """Return the columns of the frame; what was collected is given up meanwhile."""
        joined: dict[str, npt.NDArray[Any]] = {}
        for name in self._names:
            pieces = self._found.pop(name)
            joined[name] = np.concatenate(pieces) if pieces else np.empty(0, np.int64)
        order = self._order(joined)
        result: dict[str, npt.NDArray[Any]] = {}
        for name in self._names:
            values = joined.pop(name)[order]
            result[name] = self._codes[name].strings()[values] if name in self._codes else values
        return result

    def _order(self, joined: dict[str, npt.NDArray[Any]]) -> Integers:
        ranks = [self._codes[name].ranks() for name in ROW_KEY]
        return last_of_equal(
            joined_keys(
                [(rank[joined[name]], len(rank)) for name, rank in zip(ROW_KEY, ranks, strict=True)]
            )
        )
