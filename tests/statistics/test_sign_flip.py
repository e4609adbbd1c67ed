"""The sign-flip test against scipy's permutation test and by hand."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from codecbench.statistics.paired import paired_ratio_difference
from codecbench.statistics.sign_flip import EXACT_CLUSTERS, sign_flip_p_value

SUMS = st.integers(2, 9).flatmap(
    lambda count: st.lists(
        st.tuples(st.integers(-20, 20), st.integers(1, 9), st.integers(-20, 20), st.integers(1, 9)),
        min_size=count,
        max_size=count,
    )
)


def split(sums):
    table = np.array(sums, float)
    return table[:, :2], table[:, 2:]


def ratio_gap(first, second, axis=0):
    """Pooled ratio of the first minus that of the second; complex: numerator + denominator i."""
    a, b = first.sum(axis=axis), second.sum(axis=axis)
    return a.real / a.imag - b.real / b.imag


@pytest.mark.parametrize("clusters", [2, 6, 11])
def test_all_swaps_are_those_of_scipy(clusters):
    rng = np.random.default_rng(clusters)
    errors, words = rng.poisson(4.0, (2, clusters)), rng.integers(5, 30, (2, clusters))
    expected = scipy.stats.permutation_test(
        tuple(errors + 1j * words), ratio_gap, permutation_type="samples", vectorized=True, axis=0
    )
    found = sign_flip_p_value(*(np.stack(one, axis=1) for one in zip(errors, words, strict=True)))
    # scipy doubles the smaller tail; ours counts both, and the two mirror each other.
    assert found == pytest.approx(expected.pvalue)


def test_random_swaps_agree_with_scipy_on_many_speakers():
    rng = np.random.default_rng(4)
    gaps = rng.normal(0.35, 1, 40)
    expected = scipy.stats.permutation_test(
        (gaps,), np.mean, permutation_type="samples", n_resamples=50_000, rng=rng
    )
    ones = np.ones(40)
    found = sign_flip_p_value(np.stack([gaps, ones], 1), np.stack([0 * gaps, ones], 1))
    assert found == pytest.approx(expected.pvalue, abs=0.006)


@pytest.mark.parametrize("speakers", [6, EXACT_CLUSTERS, EXACT_CLUSTERS + 1, 30])
def test_no_p_value_is_zero(speakers):
    first = np.stack([np.arange(1.0, speakers + 1), np.ones(speakers)], 1)
    found = sign_flip_p_value(first, first * [0, 1])
    assert found == pytest.approx(2 / 2**speakers, abs=2e-4)
    assert found > 0


@settings(max_examples=100)
@given(sums=SUMS)
def test_the_order_of_codecs_and_speakers_does_not_matter(sums):
    first, second = split(sums)
    p_value = sign_flip_p_value(first, second)
    assert 0 < p_value <= 1
    assert sign_flip_p_value(second, first) == pytest.approx(p_value)
    assert sign_flip_p_value(first[::-1], second[::-1]) == pytest.approx(p_value)


@settings(max_examples=50)
@given(sums=SUMS)
def test_equal_codecs_are_exchangeable(sums):
    first, _ = split(sums)
    assert sign_flip_p_value(first, first) == 1


def test_false_findings_of_ratios_are_as_rare_as_promised():
    rng = np.random.default_rng(5)
    found = 0
    for _ in range(600):
        who = np.repeat(np.arange(8), rng.integers(1, 8, 8))
        words = rng.integers(3, 30, len(who))
        hard = rng.uniform(0.05, 0.4, 8)[who]
        both = [(rng.binomial(words, hard), words) for _ in range(2)]
        p_value = paired_ratio_difference(*both, who).p_value
        found += p_value <= 0.05
    assert found / 600 < 0.07
