"""Vocoders that start from codes that are there already."""

import pytest
import torch

from codecbench.adapters.audiodec.network import AudioDecNetwork, AudioDecNetworkConfig
from codecbench.adapters.nn.companding import Compressor
from codecbench.adapters.training.vocoder_start import (
    start_with_code_statistics,
    start_with_least_squares,
    vocoder_of,
)
from codecbench.errors import UserError

VOCODER = {
    "channels": 12,
    "narrowing": False,
    "strides": (1, 1),
    "kernel_size": 3,
    "last_stride": 8,
    "zero_start": True,
    "linear_path": True,
    "kernel_sizes": (3,),
    "dilations": ((1, 3),),
    "output_activation": "none",
}


def built(vocoder=VOCODER, companding=None):
    torch.manual_seed(0)
    seanet = {
        "first_stride": 8,
        "kernel_size": 16,
        "mdct_start": True,
        "strides": (1,),
        "encoder_channels": (8, 8),
        "decoder_channels": (8, 8),
        "latent_channels": 8,
    }
    config = AudioDecNetworkConfig(
        sample_rate=8000,
        seanet=seanet,
        quantizer={"codebooks": 3, "codebook_size": 64},
        companding=companding,
        vocoder=vocoder,
    )
    network = AudioDecNetwork(config).eval()
    torch.nn.init.zeros_(network.encoder.layers[0].conv.bias)  # as the autoencoder's own start does
    return network


@pytest.fixture
def waves():
    return 0.1 * torch.randn(4, 1600, generator=torch.Generator().manual_seed(1))


def scaled_latents(network, waves):
    latents = network.quantizer.decode(network.quantizer.encode(network.encode(waves)))
    return network.decoder.layers[0](latents)


def test_the_scaled_input_has_no_mean_and_a_deviation_of_one(waves):
    network = built()
    start_with_code_statistics(network, waves)
    scaled = scaled_latents(network, waves)
    torch.testing.assert_close(scaled.mean((0, 2)), torch.zeros(8), atol=1e-4, rtol=0)
    torch.testing.assert_close(scaled.std((0, 2)), torch.ones(8), atol=1e-4, rtol=0)


@torch.no_grad()
def test_latents_reach_the_last_convolution_unchanged(waves):
    network = built()
    start_with_code_statistics(network, waves)
    start_with_least_squares(network, waves)
    latents = x = scaled_latents(network, waves)
    for layer in network.decoder.layers[1:-2]:
        x = layer(x)
    torch.testing.assert_close(x[:, :8], latents)


@pytest.mark.parametrize("companding", [None, {"bands": 2, "exponent": 0.6}])
@torch.no_grad()
def test_no_change_of_the_last_convolution_fits_the_first_frames_better(waves, companding):
    network = built(companding=companding)
    start_with_code_statistics(network, waves)
    left = start_with_least_squares(network, waves)
    wanted = network.encoder.layers[0](waves[:, None])
    if companding:
        wanted = Compressor(network.config.companding)(wanted)
    features = scaled_latents(network, waves)
    inner = [layer for layer in network.decoder.layers[1:-1] if not hasattr(layer, "config")]
    for layer in inner[:-1]:
        features = layer(features)

    def share():
        return float((inner[-1](features) - wanted).square().sum() / wanted.square().sum())

    assert share() == pytest.approx(left, rel=1e-4)
    assert 0 < left < 1
    for parameter in inner[-1].parameters():
        for _ in range(5):
            change = 0.05 * parameter.abs().mean() * torch.randn_like(parameter)
            parameter += change
            assert share() > left
            parameter -= change


@torch.no_grad()
def test_the_patches_undo_the_encoders_first_convolution(waves):
    """An MDCT that has learnt, so that its transposed basis is no longer its inverse."""
    network = built()
    first = network.encoder.layers[0]
    first.conv.weight *= torch.linspace(0.5, 2, 8)[:, None, None]
    start_with_code_statistics(network, waves)
    start_with_least_squares(network, waves)
    out = network.decoder.layers[-1](first(waves[:, None]))[:, 0]
    torch.testing.assert_close(out[:, 8:], waves[:, :-8], atol=1e-3, rtol=0)


@torch.no_grad()
def test_the_started_vocoder_gives_back_what_the_codes_hold(waves):
    """The MDCT keeps angles: as much is missing of the signal, on time, as of the frames."""
    network = built()
    start_with_code_statistics(network, waves)
    left = start_with_least_squares(network, waves)
    out = network(waves).waves
    correlation = torch.corrcoef(torch.stack([out.flatten(), waves.flatten()]))[0, 1]
    assert left < 0.97
    assert float(correlation**2) == pytest.approx(1 - left, abs=0.02)


def test_vocoders_that_cannot_start_so_are_named():
    with pytest.raises(UserError, match="code_statistics needs a vocoder as decoder"):
        vocoder_of(built(vocoder=None), "code_statistics")
    other = {**VOCODER, "linear_path": False}
    assert vocoder_of(built(vocoder=other), "code_statistics").channels == 12
    with pytest.raises(UserError, match=r"needs a vocoder with linear_path.* of the hop, 8,"):
        vocoder_of(built(vocoder=other), "least_squares")
