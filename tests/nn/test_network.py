"""Networks: training and coding agree, chunks bound memory and change nothing."""

import pytest
import torch

from codecbench.adapters.nn.network import (
    SeanetNetwork,
    SeanetNetworkConfig,
    in_eval_mode,
    parameter_count,
)
from codecbench.adapters.soundstream.network import SoundStreamConfig, SoundStreamNetwork

SEANET = {
    "strides": (2, 4),
    "encoder_channels": (3, 4, 5),
    "decoder_channels": (3, 4, 5),
    "latent_channels": 4,
    "dilations": (1, 3),
}
MDCT = {**SEANET, "first_stride": 3, "kernel_size": 6, "mdct_start": True}
QUANTIZER = {"codebooks": 3, "codebook_size": 16}


def network_of(seanet=SEANET, **more):
    torch.manual_seed(0)
    config = {"sample_rate": 8_000, "seanet": seanet, "quantizer": QUANTIZER, **more}
    return SeanetNetwork(SeanetNetworkConfig.model_validate(config))


def switchable():
    torch.manual_seed(0)
    network = SoundStreamNetwork(
        SoundStreamConfig.model_validate(
            {
                "sample_rate": 8_000,
                "seanet": SEANET,
                "quantizer": QUANTIZER,
                "denoising_switch": True,
            }
        )
    )
    torch.nn.init.normal_(network.encoder.layers[-1].modulation.linear.weight)
    return network


def waves(batch=2, samples=83):
    return 0.1 * torch.randn(batch, samples, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("seanet", [SEANET, MDCT, {**SEANET, "causal": False}])
@pytest.mark.parametrize("samples", [1, 7, 24, 83])
def test_a_reconstruction_has_the_input_s_length_and_the_coded_latents(seanet, samples):
    network, x = network_of(seanet), waves(samples=samples)
    result = network(x)
    assert result.waves.shape == x.shape
    hop, delay = network.hop_length, network.delay_samples
    frames = -(-(samples + delay) // hop)
    assert result.latents.shape == (2, 4, frames)
    decoded = network.decode(result.quantized.latents)
    torch.testing.assert_close(result.waves, decoded[:, delay : delay + samples])
    padded = torch.nn.functional.pad(x, (0, frames * hop - samples))
    torch.testing.assert_close(result.latents, network.encode(padded))


def test_the_quantizer_can_be_passed_by():
    network, x = network_of(), waves()
    result = network(x, quantize=False)
    assert result.quantized is None
    torch.testing.assert_close(result.waves, network.decode(result.latents)[:, : x.shape[1]])


def test_layers_of_each_item_reach_the_quantizer():
    result = network_of()(waves(), torch.tensor([1, 3]))
    assert result.quantized.used.sum(1).tolist() == [1, 3]


def test_gradients_reach_encoder_and_decoder_through_the_quantizer():
    network = network_of()
    result = network(waves())
    (result.waves.square().sum() + result.quantized.commitment.sum()).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


@pytest.mark.parametrize("seanet", [SEANET, MDCT, {**SEANET, "causal": False}])
@pytest.mark.parametrize("chunk_frames", [1, 3, 1_000])
def test_chunks_change_nothing(seanet, chunk_frames):
    network, x = network_of(seanet), waves(samples=203)
    with torch.no_grad():
        latents = network.encode(x)
        torch.testing.assert_close(network.encode_in_chunks(x, chunk_frames), latents)
        decoded = network.decode(latents)
        torch.testing.assert_close(network.decode_in_chunks(latents, chunk_frames), decoded)


def test_trained_values_are_counted_once_with_codebooks_of_either_kind():
    counts = [
        parameter_count(network_of(quantizer={**QUANTIZER, "update": update}))
        for update in ("ema", "gradient")
    ]
    assert counts[0] == counts[1]
    network = switchable()
    stored = sum(tensor.numel() for tensor in network.state_dict().values())
    assert parameter_count(network) == stored
    assert stored == counts[0] + 2 * 2 * 4 + 2 * 4


def test_inference_needs_no_gradients():
    network = in_eval_mode(network_of(), "cpu")
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_the_switch_changes_what_comes_back_item_by_item():
    network, x = switchable(), waves(samples=80)
    with torch.no_grad():
        plain, asked = network(x, denoise=None), network(x, denoise=torch.tensor([False, True]))
    assert torch.equal(plain.latents[0], asked.latents[0])
    assert (plain.latents[1] - asked.latents[1]).abs().max() > 1e-3


def test_the_switch_streams_exactly():
    network, x = switchable().double(), waves(samples=80).double()
    network.set_denoising(True)
    with torch.no_grad():
        whole = network.encode(x)
        chunked = network.encode_in_chunks(x, 2)
        torch.testing.assert_close(chunked, whole, rtol=0, atol=1e-12)
        network.set_denoising(False)
        assert (network.encode(x) - whole).abs().max() > 1e-3


def test_a_network_without_a_switch_refuses_to_denoise():
    with pytest.raises(ValueError, match="without a denoising switch"):
        network_of()(waves(), denoise=torch.tensor([True, False]))


def test_bands_are_companded_behind_the_first_convolution_and_before_the_last():
    network = network_of(MDCT, companding={"bands": 3, "exponent": 0.5})
    names = [
        [type(layer).__name__ for layer in part.layers]
        for part in (network.encoder, network.decoder)
    ]
    assert names[0][:2] == ["Conv1d", "Compressor"]
    assert names[1][-2:] == ["Expander", "ConvTranspose1d"]


def test_channels_that_bands_do_not_divide_are_refused():
    with pytest.raises(ValueError, match="3 channels cannot be split in 2 bands"):
        network_of(MDCT, companding={"bands": 2})
