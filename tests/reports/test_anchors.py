import numpy as np
import pandas as pd

from codecbench.metric import Column
from codecbench.reports.table import leaderboard


def frame_of(means):
    generator = np.random.default_rng(0)
    return pd.DataFrame(
        [
            {"codec": codec, "corpus": "c", "split": "s", "speaker": f"s{n % 8}",
             "utterance": f"u{n}", "rate": 16000, "metric": "m", "unit": "", "error": None,
             "value": mean + 0.01 * generator.standard_normal(), "numerator": np.nan,
             "denominator": np.nan}
            for codec, mean in means.items()
            for n in range(24)
        ]
    )  # fmt: skip


def test_an_anchor_is_shown_and_never_marked():
    frame = frame_of({"identity": 5.0, "good": 4.0, "bad": 3.0})
    columns = {"m": Column("m", "M", "", "higher")}
    plain = leaderboard(frame, columns)
    assert plain.cell("identity", "m").mark == "best"
    table = leaderboard(frame, columns, cards={"identity": {"anchor": True}})
    assert table.cell("identity", "m").mark is None
    assert table.cell("identity", "m").n == 24
    assert table.cell("good", "m").mark == "best"
    assert any("anchors" in note and "identity" in note for note in table.notes)
