"""Prints expected and measured values of every row of the conformance data.

    CODECBENCH_CONFORMANCE=/data/conformance python tools/conformance.py

Audio rows are measured as ``codecbench measure REF DEG --metrics …`` measures them; the rows of
transcripts go through the same normalised pooling as WER.
"""

from __future__ import annotations

import csv
import functools
import importlib.util
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from codecbench.audio import Audio, read_audio
from codecbench.engine.measure import FileMetrics, MeasureOptions, measure_pair, metrics_for_files
from codecbench.metrics.text import word_errors

EXPONENTIAL_SCALE = 5.0 / 4.015861169223797
"""The exponential mapper is scaled so that identity gives 5."""

ASKED = {
    "nb_8k_raw": "pesq_nb_raw",
    "nb_raw": "pesq_nb_raw",
    "nb_mos_lqo": "pesq_nb",
    "wb_mos_lqo": "pesq_wb",
    "wb_mos_lqo_cor2": "pesq_wb_cor2",
    "speech_lattice": "visqol",
    "speech_exponential": "visqol_exp",
    "speech_exponential_unscaled": "visqol_exp",
    "audio": "visqol_audio",
    "visqol_speech_lattice": "visqol",
    "visqol_speech_exponential": "visqol_exp",
    "visqol_audio_resample_poly_3_1": "visqol_audio",
    "si_sdr_no_zero_mean": "si_sdr",
    "resemblyzer_cos": "spk_sim",
    "dnsmos_ovrl_mos": "dnsmos_ovrl",
    "dnsmos_sig_mos": "dnsmos_sig",
    "dnsmos_bak_mos": "dnsmos_bak",
    "dnsmos_p808_mos": "dnsmos_p808",
    "mcd_c0incl_order39_alpha.466_nodtw_5ms_lowcut70": "mcd:definition=versa",
    "f0rmse_hz_allframes_unvoiced0_harvest40-800": "f0_rmse:definition=versa",
    "f0corr_allframes": "f0_corr:definition=versa",
}
"""What is asked of `measure` for a row's mode, where that is not the mode itself."""

OPTIONAL = {"wb_mos_lqo_cor2": "pesqc2"}
"""Modes that need a package beyond the base install."""


@dataclass(frozen=True)
class Row:
    """One expected value."""

    folder: Path
    ref: str
    deg: str
    mode: str
    expected: float
    tolerance: float


def rows(root: Path) -> Iterator[Row]:
    """Read every ``expected.csv`` below a folder."""
    for table in sorted(root.glob("*/expected.csv")):
        with table.open(encoding="utf-8", newline="") as lines:
            for line in csv.DictReader(lines):
                expected, tolerance = float(line["expected"]), float(line["tolerance"])
                yield Row(table.parent, line["ref"], line["deg"], line["mode"], expected, tolerance)


def measured(row: Row) -> float:
    """Measure a row's pair."""
    if row.mode == "wer_corpus":
        return corpus_wer(row.folder / row.ref, row.folder / row.deg)
    pair = [read_audio(row.folder / name) for name in (row.ref, row.deg)]
    if row.mode.endswith("resample_poly_3_1"):
        pair = [resampled_by_three(audio) for audio in pair]
    asked = ASKED.get(row.mode, row.mode)
    scores = measure_pair(pair[0], pair[1], loaded(asked), MeasureOptions())
    score = scores[asked.partition(":")[0]]
    if score.error:
        raise SystemExit(f"{row.mode} of {row.ref}, {row.deg}: {score.error}")
    return score.value / (EXPONENTIAL_SCALE if row.mode.endswith("unscaled") else 1.0)


@functools.cache
def loaded(asked: str) -> FileMetrics:
    """Load a metric once."""
    return metrics_for_files([asked])


def resampled_by_three(audio: Audio) -> Audio:
    """Resample as the row's name says, not as codecbench does."""
    from scipy.signal import resample_poly

    return Audio(resample_poly(audio.samples.astype("f8"), 3, 1), 3 * audio.sample_rate)


def corpus_wer(reference: Path, hypothesis: Path) -> float:
    """Pool word errors over two tables of id and text."""
    texts = [
        dict(line.split("\t")[:2] for line in path.read_text(encoding="utf-8").splitlines())
        for path in (reference, hypothesis)
    ]
    counts = [word_errors(text.strip(), texts[1][name].strip()) for name, text in texts[0].items()]
    return sum(errors for errors, _ in counts) / sum(words for _, words in counts)


def main() -> None:
    """Print the table; exit status 1 if a row misses its tolerance."""
    folder = os.environ.get("CODECBENCH_CONFORMANCE", "")
    if not Path(folder).is_dir() or not folder:
        sys.exit("set CODECBENCH_CONFORMANCE to the folder of the conformance data")
    missed = total = 0
    print("| pair | mode | expected | got | difference | tolerance | |\n|" + "---|" * 7)
    for row in rows(Path(folder)):
        name = f"{row.folder.name}/{Path(row.ref).stem} {Path(row.deg).stem}"
        package = OPTIONAL.get(row.mode)
        if package and importlib.util.find_spec(package) is None:
            print(f"| {name} | {row.mode} | {row.expected:.6f} | – | | | needs {package} |")
            continue
        got = measured(row)
        good = abs(got - row.expected) <= row.tolerance
        total, missed = total + 1, missed + (not good)
        difference = f"{got - row.expected:+.1e}"
        print(
            f"| {name} | {row.mode} | {row.expected:.6f} | {got:.6f} | {difference} |"
            f" {row.tolerance:g} | {'ok' if good else 'MISSED'} |"
        )
    print(f"\n{total - missed} of {total} rows within tolerance")
    sys.exit(bool(missed))


if __name__ == "__main__":
    main()
