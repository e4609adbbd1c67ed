"""Small frames of results, written out by hand or drawn with a fixed seed."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import pandas as pd

from codecbench.metric import Column

FIELDS = (
    "codec", "corpus", "split", "speaker", "utterance", "rate", "metric", "value", "numerator",
    "denominator", "unit", "error",
)  # fmt: skip

COLUMNS = {
    column.name: column
    for column in (
        Column("pesq_wb", "PESQ-WB", "MOS", "higher", (1.0, 5.0), digits=2),
        Column("kbps", "kbps", "kbit/s", "lower", (0.0, math.inf), True, False, digits=2),
        Column("wer", "WER", "%", "lower", (0.0, math.inf), pooled=True, digits=2),
        Column("delay_ms", "delay", "ms", None, digits=1),
    )
}


def row(codec, metric, value, utterance, speaker="s0", corpus="c", error=None, **parts):
    """Make one row; `parts` may give numerator and denominator."""
    return {
        "codec": codec, "corpus": corpus, "split": "test", "speaker": speaker,
        "utterance": utterance, "rate": 16000, "metric": metric, "value": value,
        "numerator": parts.get("numerator"), "denominator": parts.get("denominator"),
        "unit": COLUMNS[metric].unit, "error": error,
    }  # fmt: skip


def failure(codec, metric, reason, utterance, **where):
    """Make a failure row."""
    return row(codec, metric, math.nan, utterance, error=reason, **where)


def frame(rows: Iterable[dict]) -> pd.DataFrame:
    """Make a frame such as `Run.frame` gives."""
    return pd.DataFrame(list(rows), columns=list(FIELDS))


def speech(codecs: dict[str, float], speakers=6, utterances=4, seed=1, corpus="c"):
    """Yield PESQ and rate rows of codecs of given quality; speakers differ, codecs agree."""
    rng = np.random.default_rng(seed)
    for speaker in range(speakers):
        voice = rng.normal(0, 0.3)
        for number in range(utterances):
            text = rng.normal(0, 0.2)
            seconds = 2.0 + number
            for codec, quality in codecs.items():
                where = {"utterance": f"u{speaker}-{number}", "speaker": f"s{speaker}"}
                where["corpus"] = corpus
                value = quality + voice + text + rng.normal(0, 0.02)
                yield row(codec, "pesq_wb", value, **where)
                kilobits = 12 * seconds
                yield row(codec, "kbps", 12.0, **where, numerator=kilobits, denominator=seconds)
