"""Published numbers: rows of papers beside rows that were measured here, marked and never ranked.

The file is CSV with a head line and the columns

- ``system``, ``variant``: what was tested; the variant may be empty,
- ``bitrate_kbps``: the rate that the source claims, in kbit/s; empty where it states none,
- ``dataset``: its first word names the corpus (``LibriSpeech test-clean``: ``librispeech``),
- ``metric``: name or title of a column, its unit behind it or not (``WER %``: ``wer``); a number
  of another metric is not shown, nor one whose definition its name leaves open (``PESQ``),
- ``value``: shown with the decimals it was published with, at most those of the column,
- ``source``: where the number was read, in words,
- ``arxiv_id``: or ``doi:…``; may be empty,
- ``table``: table or figure of the paper.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import UserError
from ..metric import Column

BUNDLED = "bundled"
"""Stands for the file that comes with codecbench, ``leaderboards/published.csv``."""

FIELDS = ("system", "variant", "bitrate_kbps", "dataset", "metric", "value", "source", "arxiv_id",
          "table")  # fmt: skip


@dataclass(frozen=True)
class PublishedNumber:
    """One number of one source; the fields are those of the file.

    Parameters
    ----------
    system, variant : str
    kbps : float or None
        Rate that the source claims, in kbit/s.
    dataset, metric : str
    value : float
    digits : int
        Decimals that it was published with.
    source, arxiv_id, table : str
    """

    system: str
    variant: str
    kbps: float | None
    dataset: str
    metric: str
    value: float
    digits: int
    source: str
    arxiv_id: str
    table: str

    @property
    def corpus(self) -> str:
        """Name of the corpus: the first word of the dataset in small letters and digits."""
        return _plain(self.dataset.partition(" ")[0])

    @property
    def paper(self) -> str:
        """Name of the paper, as a note gives it; the source where there is none."""
        if not self.arxiv_id:
            return self.source
        return self.arxiv_id if ":" in self.arxiv_id else f"arXiv {self.arxiv_id}"

    def column(self, columns: Mapping[str, Column]) -> str | None:
        """Return the column that its metric names, if one does."""
        for name, column in columns.items():
            known = {_plain(name), _plain(column.title)}
            metric = self.metric.removesuffix(f" {column.unit}") if column.unit else self.metric
            if _plain(metric) in known:
                return name
        return None


def read_published(path: str | Path) -> list[PublishedNumber]:
    """Read a file of published numbers.

    Parameters
    ----------
    path : str or Path
        ``bundled`` is the file that comes with codecbench.

    Raises
    ------
    UserError
        If it cannot be read, lacks a column, or a number is none.
    """
    file = Path(__file__).with_name("published.csv") if str(path) == BUNDLED else Path(path)
    try:
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise UserError(
            f"there is no file {file} of published numbers ({BUNDLED}: those of codecbench)"
        ) from error
    except UnicodeDecodeError as error:
        raise UserError(f"{file} is not UTF-8 text") from error
    reader = csv.DictReader(io.StringIO(text, newline=""), restval="")
    missing = [name for name in FIELDS if name not in (reader.fieldnames or ())]
    if missing:
        raise UserError(f"{file} lacks columns of published numbers: {', '.join(missing)}")
    return [_number(row, f"{file}, line {reader.line_num}") for row in reader]


def of_systems(numbers: Sequence[PublishedNumber], systems: Sequence[str]) -> list[PublishedNumber]:
    """Return the numbers of some systems, whatever the case of their names.

    Raises
    ------
    UserError
        If there are none of one of them.
    """
    known = {number.system.casefold(): number.system for number in numbers}
    for system in systems:
        if system.casefold() not in known:
            listed = ", ".join(sorted(known.values()))
            raise UserError(f"there are no published numbers of '{system}' (known: {listed})")
    wanted = {system.casefold() for system in systems}
    return [number for number in numbers if number.system.casefold() in wanted]


def _number(row: dict[str, str], where: str) -> PublishedNumber:
    rate = row["bitrate_kbps"].strip()
    value = row["value"].strip()
    return PublishedNumber(
        system=row["system"].strip(),
        variant=row["variant"].strip(),
        kbps=_finite(rate, "bitrate_kbps", where) if rate else None,
        dataset=row["dataset"].strip(),
        metric=row["metric"].strip(),
        value=_finite(value, "value", where),
        digits=len(value.partition(".")[2]) if re.fullmatch(r"[-+]?\d+(\.\d*)?", value) else 3,
        source=row["source"].strip(),
        arxiv_id=row["arxiv_id"].strip(),
        table=row["table"].strip(),
    )


def _finite(text: str, name: str, where: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise UserError(f"{where}: {name} '{text}' is no number")
    return number


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.casefold())
