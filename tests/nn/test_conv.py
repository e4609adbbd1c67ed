"""Convolutions: lengths, causality, and chunks that give what the whole gives."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from codecbench.adapters.nn.conv import Conv1d, ConvTranspose1d

from .signals import split, streamed

EXACT = {"rtol": 0, "atol": 1e-12}


@st.composite
def shapes(draw):
    """A kernel that covers its stride, and a dilation."""
    stride = draw(st.integers(1, 6))
    return {"kernel_size": draw(st.integers(stride, 14)), "stride": stride}


def convolution(shape, causal=True, dilation=1, groups=1, bias=True, **manner):
    torch.manual_seed(0)
    return Conv1d(
        2, 4, **shape, dilation=dilation, groups=groups, bias=bias, causal=causal, **manner
    ).double()


def transposed(shape, causal=True, groups=1, bias=True, **manner):
    torch.manual_seed(0)
    return ConvTranspose1d(
        2, 4, **shape, groups=groups, bias=bias, causal=causal, **manner
    ).double()


def noise(samples, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, 2, samples, generator=generator, dtype=torch.float64)


@settings(max_examples=40, deadline=None)
@given(shapes(), st.integers(1, 5), st.integers(1, 80), st.booleans())
def test_a_convolution_gives_one_frame_a_stride(shape, dilation, samples, causal):
    frames = convolution(shape, causal, dilation)(noise(samples)).shape
    assert frames == (2, 4, -(-samples // shape["stride"]))


@settings(max_examples=40, deadline=None)
@given(shapes(), st.integers(1, 30), st.booleans())
def test_a_transposed_convolution_gives_a_stride_a_frame(shape, frames, causal):
    assert transposed(shape, causal)(noise(frames)).shape == (2, 4, frames * shape["stride"])


@settings(max_examples=40, deadline=None)
@given(shapes(), st.integers(1, 5), st.integers(0, 59))
def test_a_causal_convolution_hears_a_frame_s_last_sample_and_nothing_later(shape, dilation, time):
    module, x = convolution(shape, dilation=dilation), noise(60)
    changed = x.clone()
    changed[..., time:] = noise(60, seed=2)[..., time:]
    before, after = module(x), module(changed)
    first = time // shape["stride"]
    torch.testing.assert_close(before[..., :first], after[..., :first], **EXACT)
    assert (before[..., first] - after[..., first]).abs().max() > 1e-9


@settings(max_examples=40, deadline=None)
@given(shapes(), st.integers(0, 19))
def test_a_causal_transposed_convolution_starts_with_its_frame(shape, frame):
    module, x = transposed(shape), noise(20)
    changed = x.clone()
    changed[..., frame:] += 1.0
    before, after = module(x), module(changed)
    start = frame * shape["stride"]
    torch.testing.assert_close(before[..., :start], after[..., :start], **EXACT)
    assert (before[..., start] - after[..., start]).abs().max() > 1e-9


@settings(max_examples=40, deadline=None)
@given(shapes(), st.integers(1, 5), st.integers(0, 59))
def test_frames_that_end_with_their_first_sample_hear_it_and_nothing_later(shape, dilation, time):
    module = convolution(shape, dilation=dilation, frame_end="first")
    x = noise(60)
    changed = x.clone()
    changed[..., time:] = noise(60, seed=2)[..., time:]
    before, after = module(x), module(changed)
    assert before.shape[-1] == -(-60 // shape["stride"])
    first = -(-time // shape["stride"])
    torch.testing.assert_close(before[..., :first], after[..., :first], **EXACT)
    if first < before.shape[-1]:
        assert (before[..., first] - after[..., first]).abs().max() > 1e-9


@settings(max_examples=40, deadline=None)
@given(shapes(), st.integers(1, 12), st.booleans())
def test_a_repeated_past_is_a_first_frame_that_has_always_been_there(shape, frames, bias):
    module, x = transposed(shape, bias=bias, past="repeat"), noise(frames)
    before = 14
    lasting = torch.cat([x[..., :1].expand(-1, -1, before), x], dim=-1)
    whole = transposed(shape, bias=bias)(lasting)[..., before * shape["stride"] :]
    torch.testing.assert_close(module(x), whole, **EXACT)


@pytest.mark.parametrize(
    ("kind", "manner"), [(Conv1d, {"frame_end": "first"}), (ConvTranspose1d, {"past": "repeat"})]
)
def test_what_is_centred_has_no_such_past(kind, manner):
    with pytest.raises(ValueError, match=r"causal|centred"):
        kind(1, 1, 4, 2, causal=False, **manner)


def test_a_centred_convolution_is_centred():
    module = Conv1d(1, 1, 5, bias=False, causal=False)
    with torch.no_grad():
        module.conv.weight[:] = torch.tensor([0.0, 0.0, 1.0, 0.0, 0.0])
        x = torch.randn(1, 1, 20)
        assert torch.equal(module(x), x)


def test_centred_ones_around_each_other_do_not_shift():
    torch.manual_seed(0)
    down = Conv1d(1, 1, 8, 4, bias=False, causal=False)
    up = ConvTranspose1d(1, 1, 8, 4, bias=False, causal=False)
    kernel = torch.hann_window(9, periodic=False)[None, None, :-1]
    symmetric = (kernel + kernel.flip(-1)) / 2
    with torch.no_grad():
        down.conv.weight[:], up.conv.weight[:] = symmetric, symmetric
        x = torch.randn(1, 1, 64)
        torch.testing.assert_close(up(down(x)).flip(-1), up(down(x.flip(-1))))


@settings(max_examples=40, deadline=None)
@given(shapes(), st.integers(1, 4), st.sampled_from([1, 2]), st.booleans(), st.data())
def test_a_convolution_in_chunks_is_the_convolution(shape, dilation, groups, bias, data):
    end = data.draw(st.sampled_from(["last", "first"]))
    module = convolution(shape, dilation=dilation, groups=groups, bias=bias, frame_end=end)
    sizes = data.draw(st.lists(st.integers(1, 9), min_size=1, max_size=8))
    x = noise(sum(sizes) * shape["stride"])
    chunks = split(x, [size * shape["stride"] for size in sizes])
    torch.testing.assert_close(streamed(module, chunks), module(x), **EXACT)


@settings(max_examples=40, deadline=None)
@given(shapes(), st.sampled_from([1, 2]), st.booleans(), st.data())
def test_a_transposed_convolution_in_chunks_is_the_same(shape, groups, bias, data):
    past = data.draw(st.sampled_from(["silence", "repeat"]))
    module = transposed(shape, groups=groups, bias=bias, past=past)
    sizes = data.draw(st.lists(st.integers(1, 9), min_size=1, max_size=8))
    x = noise(sum(sizes))
    torch.testing.assert_close(streamed(module, split(x, sizes)), module(x), **EXACT)


def test_a_step_leaves_the_state_it_was_given_alone():
    for module in (
        convolution({"kernel_size": 5, "stride": 1}),
        transposed({"kernel_size": 5, "stride": 2}),
    ):
        state = module.initial_state(2)
        kept = state.clone()
        module.step(noise(6), state)
        assert torch.equal(state, kept)


@pytest.mark.parametrize("kind", [Conv1d, ConvTranspose1d])
def test_a_kernel_shorter_than_its_stride_is_refused(kind):
    with pytest.raises(ValueError, match="a kernel of 3 does not cover a stride of 4"):
        kind(1, 1, 3, 4)


@pytest.mark.parametrize("module", [convolution, transposed])
def test_what_looks_ahead_does_not_stream(module):
    with pytest.raises(TypeError, match="cannot stream"):
        module({"kernel_size": 8, "stride": 2}, causal=False).initial_state(1)
