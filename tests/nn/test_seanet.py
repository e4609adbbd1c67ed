"""SEANet encoder and decoder, and their start as an MDCT."""

import pydantic
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from codecbench.adapters.nn.mdct import mdct_basis
from codecbench.adapters.nn.seanet import SeanetConfig, SeanetDecoder, SeanetEncoder

from .signals import split, streamed

SMALL = {"encoder_channels": (3, 4, 5), "decoder_channels": (2, 4, 6), "latent_channels": 4}


@st.composite
def configs(draw):
    """Small causal networks, some on patches of the waveform."""
    torch.manual_seed(draw(st.integers(0, 9)))
    first = draw(st.integers(1, 4))
    return SeanetConfig(
        **SMALL,
        strides=tuple(draw(st.lists(st.integers(1, 4), min_size=2, max_size=2))),
        kernel_size=draw(st.integers(first, 9)),
        first_stride=first,
        residual_kernel_size=draw(st.integers(1, 5)),
        dilations=tuple(draw(st.lists(st.integers(1, 4), max_size=2))),
        zero_start=draw(st.booleans()),
        linear_path=draw(st.sampled_from([False, True, "encoder_blocks"])),
        biases=draw(st.sampled_from(["all", "strided"])),
        frame_end=draw(st.sampled_from(["last", "first"])),
        transposed_past=draw(st.sampled_from(["silence", "repeat"])),
        output_activation=draw(st.sampled_from(["none", "tanh"])),
    )


@settings(max_examples=25, deadline=None)
@given(configs(), st.lists(st.integers(1, 5), min_size=1, max_size=5))
def test_encoder_and_decoder_in_chunks_are_what_they_are(config, sizes):
    encoder, decoder = SeanetEncoder(config).double(), SeanetDecoder(config).double()
    hop, frames = config.hop_length, sum(sizes)
    x = torch.randn(2, 1, frames * hop, dtype=torch.float64)
    with torch.no_grad():
        latents = encoder(x)
        assert latents.shape == (2, config.latent_channels, frames)
        found = streamed(encoder, split(x, [size * hop for size in sizes]))
        torch.testing.assert_close(found, latents, rtol=0, atol=1e-12)
        waves = decoder(latents)
        assert waves.shape == x.shape
        found = streamed(decoder, split(latents, sizes))
        torch.testing.assert_close(found, waves, rtol=0, atol=1e-12)


@pytest.mark.parametrize("size", [1, 2, 8, 80])
def test_the_mdct_basis_is_orthonormal_over_frames(size):
    basis = mdct_basis(size).double()
    early, late = basis[:, :size], basis[:, size:]
    eye = torch.eye(size, dtype=torch.float64)
    torch.testing.assert_close(early.T @ early + late.T @ late, eye, rtol=0, atol=1e-5)
    torch.testing.assert_close(early @ late.T, 0 * eye, rtol=0, atol=1e-5)


@pytest.mark.parametrize("size", [4, 20])
def test_outer_convolutions_started_as_an_mdct_reconstruct_with_the_declared_delay(size):
    config = SeanetConfig(
        strides=(2,),
        encoder_channels=(size, 8),
        decoder_channels=(size, 8),
        kernel_size=2 * size,
        first_stride=size,
        mdct_start=True,
    )
    first, last = SeanetEncoder(config).layers[0], SeanetDecoder(config).layers[-1]
    x = torch.randn(1, 1, 12 * size)
    with torch.no_grad():
        for module in (first, last):
            module.conv.bias.zero_()
        y = last(first(x))
    assert config.delay_samples == size
    torch.testing.assert_close(y[..., size:], x[..., :-size], rtol=0, atol=1e-5)


def test_a_wider_encoder_holds_the_mdct_in_its_first_channels():
    config = SeanetConfig(
        **{**SMALL, "encoder_channels": (6, 6, 6), "decoder_channels": (4, 4, 4)},
        strides=(2, 2),
        kernel_size=8,
        first_stride=4,
        mdct_start=True,
    )
    weight = SeanetEncoder(config).layers[0].conv.weight
    assert torch.equal(weight[:4, 0], mdct_basis(4))


def test_without_mdct_there_is_no_delay():
    assert SeanetConfig().delay_samples == 0
    assert SeanetConfig().hop_length == 320


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"strides": (2, 4)}, "2 strides need 3"),
        ({"mdct_start": True}, "kernel_size = 2"),
        ({"mdct_start": True, "first_stride": 64, "kernel_size": 128}, "at least first_stride"),
        ({"chanels": 3}, "Extra inputs"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(wrong, complaint):
    with pytest.raises(pydantic.ValidationError, match=complaint):
        SeanetConfig(**wrong)


def test_audiodec_s_networks_have_the_published_numbers_of_parameters():
    """Encoder with projector, and decoder."""
    config = SeanetConfig(
        strides=(3, 4, 5, 5), latent_channels=64, linear_path=True, biases="strided"
    )
    with torch.device("meta"):
        sizes = [
            sum(part.numel() for part in kind(config).parameters())
            for kind in (SeanetEncoder, SeanetDecoder)
        ]
    assert sizes == [3_806_368 + 98_304, 4_035_264]
