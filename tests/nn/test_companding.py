"""Companding of latents."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from codecbench.adapters.nn.companding import CompandingConfig, Compressor, Expander


def frames(seed, level):
    return level * torch.randn(2, 8, 5, generator=torch.Generator().manual_seed(seed))


@given(
    seed=st.integers(0, 99),
    level=st.floats(1e-6, 1e2),
    exponent=st.floats(0.2, 1.0),
    knee=st.floats(1e-4, 1.0),
    bands=st.sampled_from([None, 1, 2, 4]),
)
def test_what_is_compressed_is_expanded_to_what_it_was(seed, level, exponent, knee, bands):
    config = CompandingConfig(exponent=exponent, knee=knee, bands=bands)
    x = frames(seed, level)
    y = Expander(config)(Compressor(config)(x))
    assert torch.allclose(y, x, rtol=5e-3, atol=2e-4 * knee)


def test_far_above_the_knee_magnitudes_go_with_the_exponent():
    compress = Compressor(CompandingConfig(exponent=0.4, knee=0.01))
    x = frames(0, 1.0)
    ratio = compress(100 * x).norm() / compress(x).norm()
    assert ratio.item() == pytest.approx(100**0.4, rel=0.03)


def test_far_below_the_knee_the_map_is_linear_and_silence_stays_silent():
    compress = Compressor(CompandingConfig(exponent=0.4, knee=1.0))
    x = frames(0, 1e-2)
    assert (compress(3 * x) / compress(x)).mean().item() == pytest.approx(3, rel=0.01)
    assert not compress(torch.zeros(1, 8, 3)).any()


def test_directions_are_kept():
    x = frames(1, 1.0)
    y = Compressor(CompandingConfig())(x)
    cosines = torch.nn.functional.cosine_similarity(x, y, dim=1)
    assert torch.allclose(cosines, torch.ones_like(cosines), atol=1e-6)


def test_gradients_are_finite_in_silence():
    config = CompandingConfig()
    x = torch.zeros(1, 4, 2, requires_grad=True)
    Expander(config)(Compressor(config)(x)).sum().backward()
    assert np.isfinite(x.grad.numpy()).all()


def test_each_band_is_compressed_by_its_own_magnitude():
    compress = Compressor(CompandingConfig(exponent=0.5, knee=0.01, bands=2))
    alone = Compressor(CompandingConfig(exponent=0.5, knee=0.01))
    x = frames(2, 1.0)
    x[:, 4:] *= 1e-3
    parts = torch.cat([alone(x[:, :4]), alone(x[:, 4:])], dim=1)
    torch.testing.assert_close(compress(x), parts)
    assert not torch.allclose(compress(x), alone(x), rtol=0.1)
