"""Starts of networks from data."""

import pytest
import torch
from torch import nn

from codecbench.adapters.audiodec.network import AudioDecNetwork, AudioDecNetworkConfig
from codecbench.adapters.nn.conv import Conv1d, ConvTranspose1d
from codecbench.adapters.nn.seanet import SeanetConfig, SeanetDecoder, SeanetEncoder
from codecbench.adapters.nn.streaming import Chain
from codecbench.adapters.training.start import (
    flatten_spectrum,
    start_with_code_statistics,
    start_with_principal_components,
)
from codecbench.errors import UserError


def coloured_noise(batch, samples):
    noise = torch.randn(batch, 1, samples, generator=torch.Generator().manual_seed(0))
    kernel = torch.hann_window(13)[None, None]
    return nn.functional.conv1d(noise, kernel, padding="same")[:, 0]


def linear(causal, keep=3):
    encoder = Chain(
        [
            Conv1d(1, 8, 16, 8, causal=causal),
            Conv1d(8, 6, 4, 2, causal=causal),
            Conv1d(6, keep, 3, causal=causal),
        ]
    )
    decoder = Chain(
        [
            Conv1d(keep, 6, 7, causal=causal),
            ConvTranspose1d(6, 8, 4, 2, causal=causal),
            ConvTranspose1d(8, 1, 16, 8, causal=causal),
        ]
    )
    return encoder, decoder


def sdr(x, y):
    return (10 * torch.log10(x.square().sum() / (x - y).square().sum())).item()


@pytest.mark.parametrize("causal", [True, False])
def test_a_linear_network_loses_what_its_components_leave_out(causal):
    encoder, decoder = linear(causal)
    waves = coloured_noise(4, 3200)
    kept = start_with_principal_components(encoder, decoder, waves, keep_outer=False)
    assert kept[0] == pytest.approx(1.0)
    assert 0.5 < kept[2] < 0.999
    share = kept[0] * kept[1] * kept[2]
    expected = -10 * torch.log10(torch.tensor(1 - share))
    assert sdr(waves, decoder(encoder(waves[:, None]))[:, 0]) == pytest.approx(
        float(expected), abs=0.05
    )


def test_nothing_is_lost_when_nothing_is_left_out():
    encoder, decoder = linear(True, keep=6)
    encoder.layers[1] = Conv1d(8, 16, 4, 2)
    encoder.layers[2] = Conv1d(16, 16, 3)
    decoder.layers[0] = Conv1d(16, 16, 7)
    decoder.layers[1] = ConvTranspose1d(16, 8, 4, 2)
    waves = coloured_noise(2, 1600)
    start_with_principal_components(encoder, decoder, waves, keep_outer=False)
    assert sdr(waves, decoder(encoder(waves[:, None]))[:, 0]) > 80


SEANET = {
    "strides": (5,),
    "first_stride": 16,
    "kernel_size": 32,
    "encoder_channels": (16, 48),
    "decoder_channels": (16, 48),
    "latent_channels": 24,
    "dilations": (1,),
    "zero_start": True,
    "mdct_start": True,
}


def test_an_untrained_seanet_is_a_transform_coder():
    config = SeanetConfig(**SEANET)
    encoder, decoder = SeanetEncoder(config), SeanetDecoder(config)
    waves = 0.02 * coloured_noise(4, 4000)
    start_with_principal_components(encoder, decoder, waves, keep_outer=True)
    with torch.no_grad():
        decoded = decoder(encoder(waves[:, None]))[:, 0]
    delay = config.delay_samples
    # The overlap of the first frame has nothing before it.
    assert sdr(waves[:, 160 : 4000 - delay], decoded[:, 160 + delay : 4000]) > 10


def test_on_a_linear_path_a_transform_coder_is_not_bent_by_activations():
    config = SeanetConfig(**{**SEANET, "latent_channels": 48}, linear_path=True)
    encoder, decoder = SeanetEncoder(config), SeanetDecoder(config)
    waves = coloured_noise(4, 4000)
    start_with_principal_components(encoder, decoder, waves, keep_outer=True)
    with torch.no_grad():
        latents = encoder(waves[:, None])
        torch.testing.assert_close(encoder(-3 * waves[:, None]), -3 * latents, atol=1e-4, rtol=0)
        decoded = decoder(latents)[:, 0]
    delay = config.delay_samples
    lost = (waves[:, 160 : 4000 - delay] - decoded[:, 160 + delay : 4000]).square().sum()
    bent = SeanetConfig(**{**SEANET, "latent_channels": 48})
    encoder, decoder = SeanetEncoder(bent), SeanetDecoder(bent)
    start_with_principal_components(encoder, decoder, waves, keep_outer=True)
    with torch.no_grad():
        decoded = decoder(encoder(waves[:, None]))[:, 0]
    more = (waves[:, 160 : 4000 - delay] - decoded[:, 160 + delay : 4000]).square().sum()
    assert 10 * lost < more


def test_a_flattened_spectrum_is_given_back():
    config = SeanetConfig(**SEANET)
    encoder, decoder = SeanetEncoder(config), SeanetDecoder(config)
    waves = 0.02 * coloured_noise(4, 4000)
    for layer in (encoder.layers[0], decoder.layers[-1]):
        nn.init.zeros_(layer.conv.bias)
    flatten_spectrum(encoder, decoder, waves, 1.0, mdct=True)
    with torch.no_grad():
        bands = encoder.layers[0](waves[:, None]).square().mean(dim=(0, 2)).sqrt()
        same = decoder.layers[-1](encoder.layers[0](waves[:, None]))[:, 0]
    assert bands.std() / bands.mean() < 0.1
    delay = config.delay_samples
    assert sdr(waves[:, 160 : 4000 - delay], same[:, 160 + delay :]) > 80


def test_flattening_needs_an_mdct():
    encoder, decoder = linear(True)
    with pytest.raises(UserError, match="MDCT"):
        flatten_spectrum(encoder, decoder, coloured_noise(1, 1600), 0.5, mdct=False)


def test_a_flattened_mdct_still_reconstructs():
    config = SeanetConfig(**SEANET)
    encoder, decoder = SeanetEncoder(config), SeanetDecoder(config)
    waves = coloured_noise(2, 1600)

    def bands():
        with torch.no_grad():
            return encoder.layers[0](waves[:, None])

    def spread(x):
        magnitude = x.square().mean(dim=(0, 2)).sqrt()
        return (magnitude.max() / magnitude.min()).item()

    nn.init.zeros_(encoder.layers[0].conv.bias)
    before = spread(bands())
    nn.init.ones_(encoder.layers[0].conv.bias)  # must not be measured
    flatten_spectrum(encoder, decoder, waves, 0.5, True)
    assert spread(bands()) == pytest.approx(before**0.5, rel=1e-3)
    with torch.no_grad():
        decoded = decoder.layers[-1](bands())[:, 0]
    delay = config.delay_samples
    assert sdr(waves[:, 16 : 1600 - delay], decoded[:, 16 + delay : 1600]) > 60


def test_layers_in_nested_chains_are_found():
    encoder, decoder = linear(True)
    waves = coloured_noise(2, 1600)
    kept = start_with_principal_components(Chain([encoder]), Chain([decoder]), waves, False)
    assert len(kept) == 3


def test_a_decoder_that_is_too_narrow_is_refused():
    config = SeanetConfig(**{**SEANET, "decoder_channels": (16, 20)})
    with pytest.raises(UserError, match="as wide as the encoder"):
        start_with_principal_components(
            SeanetEncoder(config), SeanetDecoder(config), coloured_noise(1, 1600), True
        )


def test_frames_that_end_with_their_first_sample_are_refused():
    config = SeanetConfig(
        strides=(2,), encoder_channels=(4, 4), decoder_channels=(4, 4), frame_end="first"
    )
    with pytest.raises(UserError, match="needs frame_end = last"):
        start_with_principal_components(
            SeanetEncoder(config), SeanetDecoder(config), coloured_noise(1, 1600), False
        )


def test_another_kind_of_network_is_refused():
    with pytest.raises(UserError, match="SEANet"):
        start_with_principal_components(nn.Identity(), nn.Identity(), coloured_noise(1, 160), True)


def vocoder(**changes):
    torch.manual_seed(0)
    seanet = {"strides": (4,), "encoder_channels": (4, 6), "decoder_channels": (4, 6),
              "latent_channels": 6}  # fmt: skip
    config = {
        "sample_rate": 8000,
        "seanet": seanet,
        "quantizer": {"codebooks": 2, "codebook_size": 16},
        "vocoder": {"channels": 8, "strides": (4,), "kernel_sizes": (3,)},
    }
    return AudioDecNetwork(AudioDecNetworkConfig.model_validate({**config, **changes}))


@torch.no_grad()
def test_a_vocoders_input_then_has_no_mean_and_a_deviation_of_one():
    network = vocoder()
    for codebook in network.quantizer.codebooks:
        codebook.entries[:, 5] = 0.25  # a channel that never changes
    batches = [coloured_noise(2, 1600), 0.3 * coloured_noise(2, 800)]
    start_with_code_statistics(network, batches)
    codes = [network.quantizer.encode(network.encode(batch)) for batch in batches]
    latents = [network.quantizer.decode(one).transpose(1, 2).flatten(0, 1) for one in codes]
    scaled = network.decoder.layers[0](torch.cat(latents).T[None])[0]
    torch.testing.assert_close(scaled.mean(1), torch.zeros(6), atol=1e-4, rtol=0)
    torch.testing.assert_close(scaled[:5].std(1), torch.ones(5), atol=1e-4, rtol=0)
    assert network.decoder.layers[0].scale[5] == 1
    with pytest.raises(UserError, match="code_statistics needs a vocoder as decoder"):
        start_with_code_statistics(vocoder(vocoder=None), batches)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stage_channels": (4, 4)}, "1 strides need as many stage_channels"),
        ({"groups": 3, "kernel_sizes": (3, 5), "dilations": ((1,), (1,))}, "4 channels cannot be"),
        ({"channels": 7}, "7 channels cannot be halved 1 times"),
        ({"strides": (2,)}, "a hop of 2 samples is not the encoder's, 4"),
    ],
)
def test_vocoders_that_do_not_add_up(changes, message):
    with pytest.raises(ValueError, match=message):
        vocoder(vocoder={"channels": 8, "strides": (4,), "kernel_sizes": (3,), **changes})


@pytest.mark.parametrize(
    ("bands", "changes", "message"),
    [
        (None, {}, "companding needs bands"),
        (2, {"last_stride": 1, "strides": (4,)}, "a last_stride above 1"),
        (2, {"stage_channels": (5,)}, "last channels that can be split in the bands"),
        (2, {"output_activation": "tanh"}, "companding needs output_activation = none"),
    ],
)
def test_companding_and_vocoders_that_do_not_go_together(bands, changes, message):
    table = {"channels": 8, "strides": (2,), "last_stride": 2, "stage_channels": (4,),
             "kernel_sizes": (3,), "output_activation": "none"}  # fmt: skip
    with pytest.raises(ValueError, match=message):
        vocoder(companding={"bands": bands}, vocoder={**table, **changes})
