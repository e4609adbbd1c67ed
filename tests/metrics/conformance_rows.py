"""The rows of authoritative expected values, and which metric answers for each ``mode``.

The folder (see `conformance_root` in ``tests/conftest.py``) holds one folder a source, each with an
``expected.csv`` of ``ref,deg,mode,expected,tolerance,source``.
"""

from __future__ import annotations

import csv
import functools
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from codecbench.audio import Audio, read_audio
from codecbench.metric import Metric
from codecbench.registry import METRICS, component_class
from codecbench.spec import parse_spec

ANSWERS: dict[str, tuple[str, str]] = {
    # mode: (metric spec, column)
    "nb_8k_raw": ("pesq", "pesq_nb_raw"),
    "nb_mos_lqo": ("pesq:nb_rate=file", "pesq_nb"),
    "nb_raw": ("pesq:nb_rate=file", "pesq_nb_raw"),
    "wb_mos_lqo": ("pesq", "pesq_wb"),
    "wb_mos_lqo_cor2": ("pesq", "pesq_wb_cor2"),
    "pesq_wb": ("pesq", "pesq_wb"),
    "pesq_nb": ("pesq:nb_rate=file", "pesq_nb"),
    "stoi": ("stoi", "stoi"),
    "estoi": ("stoi", "estoi"),
    "si_sdr_no_zero_mean": ("si_sdr", "si_sdr"),
    "speech_lattice": ("visqol:rate=file", "visqol"),
    "speech_exponential": ("visqol:rate=file", "visqol_exp"),
    "audio": ("visqol", "visqol_audio"),
    "visqol_speech_lattice": ("visqol", "visqol"),
    "visqol_speech_exponential": ("visqol", "visqol_exp"),
    "dnsmos_ovrl": ("dnsmos", "dnsmos_ovrl"),
    "dnsmos_p808": ("dnsmos", "dnsmos_p808"),
    "dnsmos_ovrl_mos": ("dnsmos", "dnsmos_ovrl"),
    "dnsmos_sig_mos": ("dnsmos", "dnsmos_sig"),
    "dnsmos_bak_mos": ("dnsmos", "dnsmos_bak"),
    "dnsmos_p808_mos": ("dnsmos", "dnsmos_p808"),
    "f0rmse_hz_allframes_unvoiced0_harvest40-800": ("f0:definition=versa", "f0_rmse"),
    "f0corr_allframes": ("f0:definition=versa", "f0_corr"),
    "mcd_c0incl_order39_alpha.466_nodtw_5ms_lowcut70": ("mcd:definition=versa", "mcd"),
    "resemblyzer_cos": ("spk_sim", "spk_sim"),
}
"""Which metric and column a row's ``mode`` asks for."""

OPTIONAL: dict[str, str] = {"wb_mos_lqo_cor2": "pesqc2"}
"""Modes that need a package beyond the base install."""


@dataclass(frozen=True)
class Row:
    """One expected value."""

    folder: str
    ref: str
    deg: str
    mode: str
    expected: float
    tolerance: float
    source: str

    def __str__(self) -> str:
        return f"{self.mode}-{Path(self.ref).stem}-{Path(self.deg).stem}"

    def audio(self, root: Path) -> tuple[Audio, Audio]:
        """Read the pair: reference and degraded."""
        folder = root / self.folder
        return read_audio(folder / self.ref), read_audio(folder / self.deg)


def root_folder() -> Path | None:
    """Return the folder of the expected values, if it is here (known at collection time)."""
    value = os.environ.get("CODECBENCH_CONFORMANCE", "")
    if not value and os.environ.get("CODECBENCH_DATA"):
        value = str(Path(os.environ["CODECBENCH_DATA"]).parent / "conformance")
    return Path(value) if value and Path(value).is_dir() else None


def rows(folders: Iterable[str], modes: Iterable[str] | None = None) -> list[Row]:
    """Read the rows of some folders (of some modes); empty where the data is absent."""
    root = root_folder()
    found = []
    for folder in folders if root is not None else ():
        with (root / folder / "expected.csv").open(encoding="utf-8", newline="") as lines:
            for line in csv.DictReader(lines):
                numbers = {key: float(line.pop(key)) for key in ("expected", "tolerance")}
                found.append(Row(folder, **line, **numbers))
    wanted = None if modes is None else set(modes)
    return [row for row in found if wanted is None or row.mode in wanted]


@functools.lru_cache(maxsize=32)
def metric_for(mode: str) -> Metric:
    """Return the metric that answers for a mode, computing nothing but the column asked for."""
    spec, column = ANSWERS[mode]
    parsed = parse_spec(spec)
    metric: Metric = component_class(METRICS, parsed.name).from_spec(parsed, selected=[column])
    metric.setup()
    return metric


def answer(row: Row) -> float:
    """Measure a row's pair.

    Raises
    ------
    AssertionError
        If the metric gives a reason instead of a number.
    """
    reference, degraded = row.audio(root_folder())
    score = metric_for(row.mode).measure(reference, degraded)[ANSWERS[row.mode][1]]
    assert score.error is None, f"{row}: {score.error}"
    return score.value


def check(row: Row) -> None:
    """Assert that the metric gives the expected value within the row's tolerance."""
    if row.mode in OPTIONAL:
        pytest.importorskip(OPTIONAL[row.mode])
    assert answer(row) == pytest.approx(row.expected, abs=row.tolerance, rel=0)
