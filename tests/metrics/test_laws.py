"""The law tester itself: it passes a metric that keeps a law and fails one that breaks it."""

import numpy as np
import pytest

from codecbench.corpora.base import Utterance
from codecbench.metric import Column, Law, Metric, Score

from .laws import LAWS, check_law
from .signals import synthetic_speech

UTTERANCE = Utterance.from_audio(synthetic_speech(1.6))


class _Toy(Metric):
    """Scores by a function of the reference's and the decoded samples."""

    name = "toy"
    columns = (Column("toy", "toy", "", "lower"), Column("idle", "idle", "", None, ranked=False))
    definition = "a function of two signals"
    function = staticmethod(lambda x, y: 0.0)

    def _score(self, prepared, decoded):
        x, y = (a.samples.astype("f8") for a in (prepared.audio(), decoded.audio))
        return {"toy": Score(float(self.function(x, y))), "idle": Score(0.0)}


def _distance(x, y):
    return np.sqrt(np.mean((x - y) ** 2))


def _angle(x, y):
    return np.arccos(np.clip(abs(x @ y) / np.linalg.norm(x) / np.linalg.norm(y), 0, 1))


def _spectral(x, y):
    """Compare absolute spectra, in which a delay leaves no trace."""
    x, y = (np.abs(np.fft.rfft(wave, 2 * len(wave))) for wave in (x, y))
    return np.sqrt(np.mean((x - y) ** 2))


KEEPS = {
    "identity_is_best": _distance,
    "monotone_in_snr": _distance,
    "gain_invariant": _angle,
    "polarity_invariant": _angle,
    "delay_invariant": _spectral,
}
BREAKS = {
    "identity_is_best": lambda x, y: -_distance(x, y),
    "monotone_in_snr": lambda x, y: -_distance(x, y),
    "gain_invariant": _distance,
    "polarity_invariant": _distance,
    "delay_invariant": _distance,
}


def _toy(function):
    metric = _Toy()
    metric.function = function
    return metric


def test_every_law_is_tried_here():
    assert KEEPS.keys() == BREAKS.keys() == LAWS.keys()


@pytest.mark.parametrize("name", LAWS)
def test_passes_what_keeps_the_law(name):
    check_law(_toy(KEEPS[name]), Law(name, ("toy",), tolerance=1e-2), UTTERANCE)


@pytest.mark.parametrize("name", LAWS)
def test_fails_what_breaks_the_law(name):
    with pytest.raises(AssertionError, match="toy"):
        check_law(_toy(BREAKS[name]), Law(name, ("toy",), tolerance=1e-3), UTTERANCE)


def test_a_constant_is_not_monotone():
    with pytest.raises(AssertionError):
        check_law(_Toy(), Law("monotone_in_snr", ("toy",)), UTTERANCE)


@pytest.mark.parametrize(
    "law",
    [
        Law("is_nice", ("toy",)),
        Law("identity_is_best", ("unknown",)),
        Law("identity_is_best", ()),
        Law("identity_is_best", ("idle",)),
    ],
    ids=["unknown law", "unknown column", "no column", "column without direction"],
)
def test_wrong_declarations_fail(law):
    with pytest.raises(AssertionError):
        check_law(_Toy(), law, UTTERANCE)
