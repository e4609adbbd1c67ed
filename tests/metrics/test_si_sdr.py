"""SI-SDR: its formula, cap and invariance."""

import numpy as np
import pytest

from codecbench.audio import Audio
from codecbench.errors import MetricError
from codecbench.metrics.si_sdr import CAP_DB, SiSdr, si_sdr

from .conformance_rows import check, rows
from .signals import synthetic_speech


@pytest.mark.parametrize("row", rows(["versa"], {"si_sdr_no_zero_mean"}), ids=str)
def test_conforms(row):
    check(row)


@pytest.mark.parametrize("snr", [-20.0, 0.0, 13.0, 60.0])
@pytest.mark.parametrize("gain", [1.0, -0.01, 30.0])
def test_is_the_ratio_of_what_is_along_the_reference_to_what_is_not(snr, gain):
    rng = np.random.default_rng(0)
    x, noise = rng.standard_normal((2, 16000))
    noise -= (noise @ x) / (x @ x) * x
    noise *= np.linalg.norm(x) / np.linalg.norm(noise) * 10 ** (-snr / 20)
    assert si_sdr(x, gain * (x + noise)) == pytest.approx(snr, abs=1e-6)


def test_means_are_not_removed():
    x = np.random.default_rng(0).standard_normal(16000)
    assert si_sdr(x, x + 1.0) == pytest.approx(0.0, abs=0.1)


def test_identical_signals_have_the_cap():
    speech = synthetic_speech(1.0)
    assert SiSdr().measure(speech, speech)["si_sdr"].value == CAP_DB
    x = np.random.default_rng(0).standard_normal(100)
    assert si_sdr(x, x + 1e-9) == CAP_DB


def test_nothing_in_common_is_a_reason():
    left, right = np.zeros(1000), np.zeros(1000)
    left[:500], right[500:] = 0.1, 0.1
    with pytest.raises(MetricError, match="nothing of the reference"):
        SiSdr().measure(Audio(left, 16000), Audio(right, 16000))


def test_is_never_ranked():
    assert [column.ranked for column in SiSdr.columns] == [False]
