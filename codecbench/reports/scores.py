"""`Scores`: the rows of one metric as arrays over codecs and utterances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..metric import Column
from ..results.schema import REFERENCE

if TYPE_CHECKING:
    import pandas as pd

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Scores:
    """The scores of one metric in one group.

    Parameters
    ----------
    codecs : list of str
    scored : array of bool, shape (codecs, utterances)
    parts : array, shape (codecs, utterances, 2)
        Numerators and denominators; value and 1 for means.
    speakers : array of int, shape (utterances,)
    """

    codecs: list[str]
    scored: npt.NDArray[np.bool_]
    parts: Array
    speakers: npt.NDArray[np.int64]

    def common(self) -> npt.NDArray[np.bool_]:
        """Return which utterances all codecs scored that scored any; the reference has no say."""
        ranked = self.ranked()
        rows = self.scored[ranked] if ranked else self.scored
        return np.asarray(rows.all(axis=0), bool)

    def ranked(self) -> list[int]:
        """Return which codecs take part in the comparison."""
        return [
            index
            for index, codec in enumerate(self.codecs)
            if codec != REFERENCE and self.scored[index].any()
        ]


def usable_rows(frame: pd.DataFrame, column: Column) -> npt.NDArray[np.bool_]:
    """Return which rows hold a number; a row that holds neither number nor reason has failed."""
    usable = np.array(frame["error"].isna(), bool)
    usable &= np.isfinite(frame["value"].to_numpy(float))
    if column.pooled:
        usable &= np.isfinite(frame["numerator"].to_numpy(float))
        usable &= frame["denominator"].to_numpy(float) > 0
    return usable


def aligned(frame: pd.DataFrame, usable: npt.NDArray[np.bool_], column: Column) -> Scores:
    """Bring the rows of one metric in one group onto common axes.

    Parameters
    ----------
    frame : pandas.DataFrame
        As `Run.frame` gives it.
    usable : array of bool, shape (rows,)
        As `usable_rows` gives it.
    column : Column

    Raises
    ------
    ValueError
        If an utterance has two rows of one codec.
    """
    import pandas as pd

    codec, codecs = pd.factorize(frame["codec"].astype(str))
    # Sorted, so that neither the order of rows nor of files decides which draws a speaker gets.
    names, utterance = np.unique(
        _codes(frame, "corpus", "split", "utterance", "rate"), return_inverse=True
    )
    _, speaker = np.unique(_codes(frame, "corpus", "speaker"), return_inverse=True)
    shape = len(codecs), len(names)
    if len(np.unique(codec * shape[1] + utterance)) < len(frame):
        raise ValueError(f"{column.name}: an utterance has several rows of one codec")
    scored = np.zeros(shape, bool)
    scored[codec[usable], utterance[usable]] = True
    parts = np.ones((*shape, 2))
    parts[codec, utterance, 0] = frame["numerator" if column.pooled else "value"].to_numpy(float)
    if column.pooled:
        parts[codec, utterance, 1] = frame["denominator"].to_numpy(float)
    speakers = np.zeros(shape[1], np.int64)
    speakers[utterance] = speaker
    return Scores(list(codecs), scored, parts, speakers)


def _codes(frame: pd.DataFrame, *names: str) -> npt.NDArray[np.int64]:
    """Number the rows by their values of some columns, in the order of the values.

    An unknown value (the rate of audio that cannot be read) is a value like others.
    """
    import pandas as pd

    codes = np.zeros(len(frame), np.int64)
    for name in names:
        part, values = pd.factorize(frame[name], sort=True)
        codes = codes * (len(values) + 1) + part + 1
    return codes
