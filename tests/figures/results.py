"""`Written`: results written out by hand, as reports and figures read them."""

from __future__ import annotations

import math

from codecbench.metric import Column
from codecbench.results.results import Results

from ..reports.frames import frame

COLUMNS = {
    column.name: column
    for column in (
        Column("kbps", "kbps", "kbit/s", "lower", (0.0, math.inf), True, False, digits=2),
        Column("pesq_wb", "PESQ-WB", "MOS", "higher", (1.0, 5.0), digits=2),
        Column("wer", "WER", "%", "lower", (0.0, math.inf), pooled=True, digits=2),
    )
}


class Written(Results):
    """Results of given rows; `cards` by codec."""

    def __init__(self, rows, cards=None, columns=COLUMNS):
        self._rows, self._cards, self._columns = list(rows), cards or {}, columns

    @property
    def order(self):
        codecs = dict.fromkeys(row["codec"] for row in self._rows)
        return [codec for codec in codecs if codec != "reference"]

    @property
    def cards(self):
        return {codec: self._cards.get(codec, {}) for codec in self.order}

    @property
    def metric_cards(self):
        return {}

    @property
    def columns(self):
        return self._columns

    @property
    def specs(self):
        return {}

    @property
    def definitions(self):
        return []

    @property
    def conditions(self):
        return []

    def frame(self, details=False, *, metrics=None, codecs=None):
        found = frame(self._rows)
        if metrics is not None:
            found = found[found["metric"].isin(metrics)]
        if codecs is not None:
            found = found[found["codec"].isin(codecs)]
        return found.assign(metric_spec="", speaker_seen_in_training=False) if details else found

    def __str__(self):
        return "these results"
