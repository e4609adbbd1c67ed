"""How often intervals and rankings hold the truth, by benchmarks/interval_coverage.py.

Bounds lie three Monte-Carlo errors below what the benchmark measured; each test shows that a
worse procedure falls below them.
"""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from codecbench.statistics.clusters import clusters_of, t_estimate
from codecbench.statistics.intervals import ratio


@pytest.fixture(scope="module")
def simulation():
    path = Path(__file__).parents[2] / "benchmarks" / "interval_coverage.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # where its dataclasses look for their types
    spec.loader.exec_module(module)
    yield module
    del sys.modules[path.stem]


@pytest.mark.parametrize(("speakers", "trials", "least"), [(5, 800, 0.93), (13, 800, 0.93)])
@pytest.mark.parametrize("unequal", [False, True])
def test_few_speakers(simulation, speakers, trials, least, unequal):
    found, naive = simulation.coverage(simulation.normal, speakers, unequal=unequal, trials=trials)
    assert least <= found <= 0.99
    assert naive < 0.8 < least, "utterances as if independent give far too narrow intervals"


@pytest.mark.parametrize("model", ["normal", "skewed", "errors"])
def test_many_speakers(simulation, model):
    found, naive = simulation.coverage(getattr(simulation, model), 40, unequal=False, trials=150)
    assert found >= 0.89
    assert naive < found


def test_one_speaker_covers_that_speaker_alone(simulation):
    found, _ = simulation.coverage(simulation.normal, 1, unequal=False, trials=800)
    assert 0.925 <= found <= 0.975


def test_speakers_less_one_would_be_too_many_degrees_of_freedom(simulation):
    """Five unequal speakers: why degrees of freedom are approximated."""
    rng, held = np.random.default_rng(5), np.zeros(2)
    for _ in range(1000):
        one = simulation.normal(rng, simulation.speakers_of(rng, 5, unequal=True))
        clusters = clusters_of(one.speakers)
        sums = clusters.sums(np.stack([one.numerators, one.denominators], axis=1))
        for at, freedom in enumerate((clusters.degrees_of_freedom, 4)):
            found = t_estimate(sums, ratio, freedom)
            held[at] += found.low <= one.truth <= found.high
    assert held[0] / 1000 > 0.94
    assert held[1] / 1000 < 0.935


@pytest.mark.parametrize("skew", [False, True])
def test_tables_of_equal_codecs_have_few_findings(simulation, skew):
    max_t, holm = simulation.false_findings(13, 300, equal=6, skew=skew)
    assert max_t <= 0.05 + 3 * 0.0126
    assert holm <= 0.05 + 3 * 0.0126


def test_ranks_hold_together(simulation):
    assert simulation.coverage_of_ranks(13, 100) >= 0.92
