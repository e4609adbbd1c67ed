import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codecbench import codebooks
from codecbench.codebooks import CodebookCounter, CodebookReport

SIZES = (4, 2, 7)


def counted(*utterances, sizes=SIZES):
    counter = CodebookCounter(sizes)
    for codes in utterances:
        counter.add(codes)
    return counter


def codes_of(seed, frames, sizes=SIZES):
    rng = np.random.default_rng(seed)
    return np.stack([rng.integers(0, rng.integers(1, size + 1), frames) for size in sizes])


UTTERANCES = st.lists(
    st.builds(codes_of, st.integers(0, 10**6), st.integers(1, 60)), min_size=1, max_size=6
)


def test_hand_values():
    # Half, a quarter, an eighth twice: 1.75 bits; 1.5 bits over three values.
    first = counted([[0, 0, 0, 0, 1, 1, 2, 3] * 5], sizes=(4,)).usage()[0]
    assert first.plug_in_entropy == pytest.approx(1.75)
    assert first.perplexity == pytest.approx(2**1.75)
    assert first.entropy == pytest.approx(1.75 + 3 / (2 * 40 * math.log(2)))
    assert (first.frames, first.used, first.unused, first.bits) == (40, 4, 0, 2)
    second = counted([[0, 0, 5, 6] * 20], sizes=(8,)).usage()[0]
    assert second.plug_in_entropy == pytest.approx(1.5)
    assert (second.used, second.unused) == (3, 5)


@pytest.mark.parametrize(("times", "most"), [(50, 0.2), (5000, 0.003)])
def test_a_code_that_follows_from_the_one_before_costs_little_once_that_is_learned(times, most):
    usage = counted([[0, 1, 2, 3] * times], sizes=(4,)).usage()[0]
    assert usage.entropy == 2.0
    assert 0.0 <= usage.conditional_entropy <= most


def test_the_cost_of_learning_is_that_of_coding_one_code_after_the_other():
    codes = np.random.default_rng(3).integers(0, 3, 30)
    counts = np.bincount(codes, minlength=3)
    pairs, pair_counts = np.unique(codes[:-1] * 3 + codes[1:], return_counts=True)
    costs = []
    for concentration in codebooks._CONCENTRATIONS:
        urns = np.tile(concentration * counts / counts.sum(), (3, 1))
        bits = 0.0
        for previous, present in itertools.pairwise(codes):
            bits -= math.log2(urns[previous, present] / urns[previous].sum())
            urns[previous, present] += 1
        costs.append(bits / 29)
    assert codebooks.adaptive_cost(counts, pairs, pair_counts) == pytest.approx(min(costs))


def test_the_conditional_entropy_of_a_known_chain_is_found():
    # Stays with probability 0.9: H = -0.9 log2 0.9 - 0.1 log2 0.1 = 0.469 bits, unigram 1 bit.
    rng = np.random.default_rng(0)
    chain = np.cumsum(rng.random(40_000) < 0.1) % 2
    usage = counted(*chain[None].reshape(1, 40, 1000).transpose(1, 0, 2), sizes=(2,)).usage()[0]
    assert usage.conditional_entropy == pytest.approx(0.469, abs=0.01)
    assert usage.entropy == pytest.approx(1.0, abs=0.01)


def test_pairs_do_not_reach_across_utterances():
    apart = counted([[0] * 30], [[1] * 30], sizes=(2,)).usage()[0]
    joined = counted([[0] * 30 + [1] * 30], sizes=(2,)).usage()[0]
    assert apart.plug_in_entropy == joined.plug_in_entropy == 1.0
    assert apart.conditional_entropy < joined.conditional_entropy < 0.3


def test_the_correction_removes_most_of_the_bias():
    rng = np.random.default_rng(1)
    size = 256
    found = [
        counted(rng.integers(0, size, (1, codebooks.FRAMES_AN_ENTRY * size)), sizes=(size,)).usage()
        for _ in range(20)
    ]
    assert np.mean([usage.plug_in_entropy for (usage,) in found]) < 8 - 0.06
    assert np.mean([usage.entropy for (usage,) in found]) == pytest.approx(8, abs=0.01)


def test_too_few_frames_give_no_estimate():
    size = 64
    enough = codebooks.FRAMES_AN_ENTRY * size
    rng = np.random.default_rng(2)
    codes = rng.integers(0, size, (1, enough))
    assert counted(codes[:, 1:], sizes=(size,)).usage()[0].entropy is None
    usage = counted(codes, sizes=(size,)).usage()[0]
    # Nearly every pair is new, and in such chance no order is found.
    assert usage.conditional_entropy == pytest.approx(usage.entropy, abs=0.03)


@given(UTTERANCES)
@settings(max_examples=60)
def test_bounds(utterances):
    for usage in counted(*utterances).usage():
        assert 1.0 <= usage.perplexity <= usage.size
        assert usage.perplexity <= usage.used * (1 + 1e-9)
        assert 0.0 <= usage.plug_in_entropy <= math.log2(usage.size) + 1e-9
        if usage.entropy is not None:
            assert usage.plug_in_entropy <= usage.entropy + 1e-9
            assert usage.entropy <= math.log2(usage.size)
        if usage.conditional_entropy is not None:
            assert 0.0 <= usage.conditional_entropy <= usage.entropy


@given(st.integers(1, 40), st.integers(1, 30))
def test_even_use_reaches_the_bounds(size, times):
    usage = counted(np.tile(np.arange(size), times)[None], sizes=(size,)).usage()[0]
    assert usage.perplexity == pytest.approx(size)
    assert usage.plug_in_entropy == pytest.approx(math.log2(size))
    assert usage.unused == 0


@given(UTTERANCES, st.integers(0, 10**6))
@settings(max_examples=60)
def test_names_of_codes_do_not_matter(utterances, seed):
    rng = np.random.default_rng(seed)
    renamed = [rng.permutation(size) for size in SIZES]
    others = [
        np.stack([names[row] for names, row in zip(renamed, codes, strict=True)])
        for codes in utterances
    ]
    for one, other in zip(counted(*utterances).usage(), counted(*others).usage(), strict=True):
        assert other.used == one.used
        for field in ("plug_in_entropy", "entropy", "conditional_entropy"):
            assert getattr(other, field) == pytest.approx(getattr(one, field), abs=1e-9)


@given(UTTERANCES, st.integers(0, 6), st.booleans())
@settings(max_examples=60)
def test_merged_parts_equal_the_whole_in_any_order(utterances, cut, backwards):
    first, second = counted(*utterances[:cut]), counted(*utterances[cut:])
    if backwards:
        first, second = second, first
    first.merge(second)
    assert first.usage() == counted(*utterances).usage()


def test_counting_in_small_steps_changes_nothing(monkeypatch):
    utterances = [codes_of(seed, 50) for seed in range(20)]
    whole = counted(*utterances).usage()
    monkeypatch.setattr(codebooks, "_COMPACT_FROM", 1)
    assert counted(*utterances).usage() == whole


@pytest.mark.parametrize(
    "codes", [[[0], [0]], [[4], [0], [0]], [[0], [-1], [0]], [0, 0, 0]], ids=str
)
def test_codes_of_another_codec_are_refused(codes):
    with pytest.raises(ValueError, match="codebook"):
        counted(codes)


def test_counters_of_other_codebooks_do_not_merge_and_nothing_has_no_statistics():
    with pytest.raises(ValueError, match="entries"):
        counted().merge(CodebookCounter((4, 2)))
    with pytest.raises(ValueError, match="no frames"):
        counted().usage()


def test_rates_are_bits_over_seconds_of_reference():
    usage = counted([[0, 1, 2, 3] * 50, [0, 0, 0, 1] * 50], sizes=(4, 1024)).usage()
    report = CodebookReport("codec", 1, 4.0, usage)
    assert report.frames == 200
    assert report.fixed_kbps == pytest.approx(50 * (2 + 10) / 1000)
    assert report.unigram_kbps is None  # 200 frames say nothing of 1024 entries
    one = CodebookReport("codec", 1, 4.0, usage[:1])
    assert one.unigram_kbps == pytest.approx(50 * 2 / 1000)
    assert one.conditional_kbps == pytest.approx(0.0, abs=0.01)
