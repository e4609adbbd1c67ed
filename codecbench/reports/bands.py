"""Rate bands: codecs whose counted rates lie between the same edges are compared."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from ..errors import UserError
from ..results.results import RATE
from ..results.schema import REFERENCE

if TYPE_CHECKING:
    import pandas as pd

BAND = "band"
"""Key of the groups that bands make."""

UNCODED = "uncoded"
UNKNOWN = "rate unknown"


def parse_bands(text: str) -> tuple[float, ...]:
    """Read the edges of bands, such as ``1.5,3,6``; in kbit/s, rising.

    Raises
    ------
    UserError
        If they are no positive numbers or do not rise.

    Examples
    --------
    >>> parse_bands("1.5, 3")
    (1.5, 3.0)
    """
    try:
        edges = tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise UserError(f"bands are rates in kbit/s, such as 1.5,3,6; not '{text}'") from error
    rising = all(low < high for low, high in pairwise((0.0, *edges)))
    if not rising or not math.isfinite(edges[-1]):
        raise UserError(f"the edges of bands rise from above 0, such as 1.5,3,6; not '{text}'")
    return edges


def band_labels(edges: Sequence[float]) -> list[str]:
    """Name the bands between the edges, lowest first; an edge belongs to the band below it.

    Examples
    --------
    >>> band_labels([1.5, 3])
    ['≤ 1.5 kbit/s', '1.5–3 kbit/s', '> 3 kbit/s']
    """
    texts = [f"{edge:g}" for edge in edges]
    between = [f"{low}–{high} kbit/s" for low, high in pairwise(texts)]
    return [f"≤ {texts[0]} kbit/s", *between, f"> {texts[-1]} kbit/s"]


def band_of(rate: float | None, edges: Sequence[float]) -> str:
    """Return the band of a rate in kbit/s; None: it is not known."""
    return UNKNOWN if rate is None else band_labels(edges)[bisect_left(edges, rate)]


def all_bands(edges: Sequence[float]) -> list[str]:
    """Return the bands in the order in which a table shows them."""
    return [UNCODED, *band_labels(edges), UNKNOWN]


def with_bands(
    frame: pd.DataFrame, rates: pd.DataFrame, keys: Sequence[str], edges: Sequence[float]
) -> pd.DataFrame:
    """Add the column ``band`` to the rows of a table.

    Parameters
    ----------
    frame : pandas.DataFrame
        As `Run.frame` gives it.
    rates : pandas.DataFrame
        Rows of the same results, those of the counted rate among them.
    keys : sequence of str
        What groups are made of: a codec's band in a group is that of its counted bits over its
        seconds there, of all utterances that it coded.
    edges : sequence of float
        In kbit/s, rising.

    Raises
    ------
    UserError
        If the results hold no counted rate.
    """
    import pandas as pd

    counted = rates[(rates["metric"] == RATE) & (rates["denominator"] > 0)]
    if not len(counted):
        raise UserError(f"bands need the counted rate, column {RATE}, which these results lack")
    where = ["codec", *keys]
    sums = counted.groupby(where, dropna=False, observed=True)[["numerator", "denominator"]].sum()
    known = (sums["numerator"] / sums["denominator"]).rename("_rate").reset_index()
    found = frame.merge(known, how="left", on=where)["_rate"].to_numpy(float)
    names = [band_of(None if np.isnan(rate) else rate, edges) for rate in found]
    uncoded = (frame["codec"] == REFERENCE).to_numpy()
    names = [UNCODED if is_it else name for is_it, name in zip(uncoded, names, strict=True)]
    return frame.assign(**{BAND: pd.Categorical(names, all_bands(edges), ordered=True)})
