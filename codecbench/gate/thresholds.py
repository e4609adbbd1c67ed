"""How much worse a column may get: ``pesq_wb<-0.02``, ``wer>0.01``, ``kbps>2%``."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

from ..errors import UserError
from ..metric import Column
from ..statistics.paired import Difference

_FORM = re.compile(
    r"""\s* (?P<column>[^<>]+?) \s* (?P<side>[<>])
    \s* (?P<amount>[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?) \s* (?P<share>%)? \s*""",
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True)
class Threshold:
    """A difference, candidate - base, beyond which the gate closes.

    Parameters
    ----------
    column : str
    side : {"<", ">"}
        Below or above the amount.
    amount : float
        In the column's unit; zero or negative with ``<``, zero or positive with ``>``.
    relative : bool
        Whether the amount is in percent of the base's value.
    """

    column: str
    side: Literal["<", ">"]
    amount: float
    relative: bool = False

    def __str__(self) -> str:
        return f"{self.column}{self.side}{self.amount:g}{'%' if self.relative else ''}"

    def require_direction(self, column: Column) -> None:
        """Refuse a threshold that closes the gate on an improvement.

        Raises
        ------
        UserError
            If better values of the column lie on the threshold's side. A column without a
            direction takes either side.
        """
        if column.better == ("lower" if self.side == "<" else "higher"):
            meant = Threshold(
                self.column, ">" if self.side == "<" else "<", 0 - self.amount, self.relative
            )
            raise UserError(
                f"the threshold '{self}' fails a candidate that is better ({column.better}"
                f" {self.column} is better); write {meant}"
            )

    def limit(self, base: float) -> float:
        """Return the difference allowed in the column's unit, given the base's value."""
        return abs(base) * self.amount / 100 if self.relative else self.amount

    def is_broken_by(self, difference: Difference, base: float) -> bool:
        """Whether the mean difference is beyond the limit and its interval excludes zero."""
        gap, limit = difference.interval.value, self.limit(base)
        beyond = gap < limit if self.side == "<" else gap > limit
        return beyond and difference.excludes_zero

    def reaches_beyond(self, difference: Difference, base: float) -> bool:
        """Whether the difference's interval reaches beyond the limit, or there is no interval."""
        low, high = difference.interval.low, difference.interval.high
        if low is None or high is None:
            return True
        return low < self.limit(base) if self.side == "<" else high > self.limit(base)


def parse_threshold(text: str) -> Threshold:
    """Read a threshold.

    Raises
    ------
    UserError
        If it is not of the form, is infinite, or would fail a candidate that did not change.

    Examples
    --------
    >>> parse_threshold("kbps > 2%")
    Threshold(column='kbps', side='>', amount=2.0, relative=True)
    """
    found = _FORM.fullmatch(text)
    if found is None or math.isinf(float(found["amount"])):
        raise UserError(
            f"cannot read the threshold '{text}'; write column, < or >, and a difference,"
            " such as pesq_wb<-0.02, wer>0.01 or kbps>2%"
        )
    amount, below = float(found["amount"]), found["side"] == "<"
    if amount > 0 if below else amount < 0:
        raise UserError(
            f"the threshold '{text}' fails a candidate that is as good as the base;"
            f" after {found['side']} belongs a {'negative' if below else 'positive'} difference"
        )
    side: Literal["<", ">"] = "<" if below else ">"
    return Threshold(found["column"], side, amount, found["share"] is not None)
