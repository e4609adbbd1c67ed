"""Short-time spectra and their cheap gradient."""

import pytest
import torch

from codecbench.adapters.nn.spectrum import Resolution, real_fft, stft, window_norm


@pytest.mark.parametrize(
    "resolution", [Resolution(512, 128, 512), Resolution(512, 50, 240), Resolution(64, 10, 33)]
)
def test_spectra_and_gradients_are_those_of_torch_stft(resolution):
    generator = torch.Generator().manual_seed(0)
    signal = torch.randn(2, 1000, generator=generator, dtype=torch.float64, requires_grad=True)
    window = torch.hann_window(resolution.window, dtype=torch.float64)
    expected = torch.stft(
        signal,
        resolution.fft,
        resolution.hop,
        resolution.window,
        window,
        return_complex=True,
    ) / window_norm(window)
    found = stft(signal, resolution, window)
    torch.testing.assert_close(found, expected)
    weights = torch.randn(expected.shape, generator=generator, dtype=torch.complex128)
    gradients = [
        torch.autograd.grad((weights * spectrum).real.sum(), signal)[0]
        for spectrum in (found, expected)
    ]
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("size", [1, 2, 7, 8])
def test_gradient_of_the_real_transform_is_exact(size):
    frames = torch.randn(3, size, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(real_fft, frames)
