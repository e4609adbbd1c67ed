"""Chains of streaming modules."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from codecbench.adapters.nn.conv import Conv1d, ConvTranspose1d
from codecbench.adapters.nn.streaming import Chain, Pointwise

from .signals import split, streamed


@st.composite
def chains(draw):
    """A few modules that keep the rate in the end, and the hop of the way down."""
    torch.manual_seed(draw(st.integers(0, 99)))
    strides = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    layers = [Pointwise(nn.ELU())]
    for stride in strides:
        kernel = draw(st.integers(stride, 7))
        layers += [Conv1d(2, 2, kernel, stride, dilation=draw(st.integers(1, 3)))]
    for stride in strides[::-1]:
        layers += [Pointwise(nn.ELU()), ConvTranspose1d(2, 2, draw(st.integers(stride, 6)), stride)]
    hop = torch.tensor(strides).prod().item()
    return Chain(layers).double(), hop


@settings(max_examples=40, deadline=None)
@given(chains(), st.lists(st.integers(1, 6), min_size=1, max_size=6))
def test_a_chain_in_chunks_is_the_chain(chain, sizes):
    module, hop = chain
    x = torch.randn(1, 2, sum(sizes) * hop, dtype=torch.float64)
    with torch.no_grad():
        found = streamed(module, split(x, [size * hop for size in sizes]))
        torch.testing.assert_close(found, module(x), rtol=0, atol=1e-12)


def test_two_streams_of_one_chain_do_not_meet():
    torch.manual_seed(0)
    module = Chain([Conv1d(1, 1, 3), Conv1d(1, 1, 5)])
    with torch.no_grad():
        x, y = torch.randn(1, 1, 20), torch.randn(1, 1, 20)
        states = [module.initial_state(1), module.initial_state(1)]
        parts = [[], []]
        for start in range(0, 20, 5):
            for which, signal in enumerate((x, y)):
                part, states[which] = module.step(signal[..., start : start + 5], states[which])
                parts[which].append(part)
        torch.testing.assert_close(torch.cat(parts[0], -1), module(x))
        torch.testing.assert_close(torch.cat(parts[1], -1), module(y))


def test_a_state_can_be_taken_up_again():
    module = Chain([Conv1d(1, 1, 4)])
    with torch.no_grad():
        x = torch.randn(1, 1, 12)
        _, middle = module.step(x[..., :6], module.initial_state(1))
        first, _ = module.step(x[..., 6:], middle)
        again, _ = module.step(x[..., 6:], middle)
    assert torch.equal(first, again)


def test_a_chain_with_a_centred_convolution_does_not_stream():
    with pytest.raises(TypeError, match="looks ahead"):
        Chain([Conv1d(1, 1, 3), Conv1d(1, 1, 3, causal=False)]).initial_state(1)
