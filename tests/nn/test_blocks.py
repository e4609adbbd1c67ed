"""Residual units and feature-wise modulation."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from codecbench.adapters.nn.blocks import FeatureModulation, ResidualUnit, residual_units

from .signals import split, streamed


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.lists(st.integers(1, 20), min_size=1, max_size=5))
def test_a_residual_unit_in_chunks_is_the_unit(kernel, dilation, sizes):
    torch.manual_seed(0)
    unit = ResidualUnit(3, kernel, dilation).double()
    x = torch.randn(2, 3, sum(sizes), dtype=torch.float64)
    with torch.no_grad():
        found = streamed(unit, split(x, sizes))
        torch.testing.assert_close(found, unit(x), rtol=0, atol=1e-12)


@pytest.mark.parametrize("causal", [True, False])
def test_a_zero_start_is_the_identity_and_still_learns(causal):
    unit = ResidualUnit(3, 7, 3, causal, zero_start=True)
    x = torch.randn(2, 3, 40)
    assert torch.equal(unit(x), x)
    unit(x).square().sum().backward()
    last = unit.branch.layers[-1].conv
    assert last.weight.grad.abs().min() > 0
    assert last.bias.grad.abs().min() > 0


def test_without_zero_start_a_unit_does_something():
    x = torch.randn(2, 3, 40)
    assert (ResidualUnit(3)(x) - x).abs().max() > 1e-2


def test_one_unit_a_dilation():
    units = residual_units(3, 5, (1, 3, 9), causal=True, zero_start=False)
    pasts = [unit.branch.layers[1].past for unit in units]
    assert pasts == [4, 12, 36]


def test_modulation_starts_as_the_identity():
    x = torch.randn(2, 5, 9)
    condition = torch.tensor([[[1.0, 0.0]], [[0.0, 1.0]]])
    assert torch.equal(FeatureModulation(5)(x, condition), x)


def test_modulation_scales_and_shifts_each_channel_by_its_item_s_condition():
    film = FeatureModulation(2)
    with torch.no_grad():
        film.linear.weight[:] = torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 3.0], [0.0, 4.0]])
    x = torch.ones(2, 2, 3)
    y = film(x, torch.tensor([[[1.0, 0.0]], [[0.0, 1.0]]]))
    assert y[:, :, 0].tolist() == [[2.0, 3.0], [4.0, 5.0]]


def test_a_condition_may_change_from_frame_to_frame():
    film = FeatureModulation(1, conditions=1)
    with torch.no_grad():
        film.linear.weight[:] = torch.tensor([[0.0], [1.0]])
    y = film(torch.zeros(1, 1, 3), torch.tensor([[[0.0], [5.0], [7.0]]]))
    assert y[0, 0].tolist() == [0.0, 5.0, 7.0]
