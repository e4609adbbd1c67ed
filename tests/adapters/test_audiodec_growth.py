"""A vocoder that starts as the symmetric decoder of other weights."""

import pytest
import torch

from codecbench.adapters.audiodec.network import AudioDecNetwork, AudioDecNetworkConfig
from codecbench.errors import UserError

MODEL = {
    "sample_rate": 8000,
    "seanet": {
        "first_stride": 8,
        "kernel_size": 16,
        "mdct_start": True,
        "linear_path": True,
        "strides": (2, 1),
        "encoder_channels": (8, 12, 10),
        "decoder_channels": (8, 12, 10),
        "latent_channels": 6,
        "residual_kernel_size": 3,
        "dilations": (1, 3),
    },
    "companding": {"bands": 2, "exponent": 0.7},
    "quantizer": {"codebooks": 2, "codebook_size": 16},
}
VOCODER = {
    "channels": 10,
    "stage_channels": (12, 8),
    "strides": (1, 2),
    "kernel_size": 7,
    "last_stride": 8,
    "kernel_sizes": (5, 3),
    "dilations": ((1, 3), (1, 3)),
    "activation": "elu",
    "linear_path": True,
    "transposed_past": "silence",
    "output_activation": "none",
}


def built(vocoder=None):
    config = AudioDecNetworkConfig.model_validate({**MODEL, "vocoder": vocoder})
    return AudioDecNetwork(config).eval()


@pytest.fixture
def small():
    torch.manual_seed(0)
    return built()


@torch.no_grad()
def test_the_grown_vocoder_gives_what_the_decoder_gives(small):
    torch.manual_seed(1)
    large = built(VOCODER)
    latents = torch.randn(2, 6, 20)
    wanted = small.decode(latents)
    assert not torch.allclose(large.decode(latents), wanted, atol=1e-3)
    large.start_decoder_as(small.state_dict())
    torch.testing.assert_close(large.decode(latents), wanted, atol=1e-5, rtol=1e-4)


def test_all_of_the_longer_kernels_can_learn(small):
    large = built(VOCODER)
    large.start_decoder_as(small.state_dict())
    large.decode(torch.randn(1, 6, 20)).square().mean().backward()
    kernels = [p.grad for name, p in large.decoder.named_parameters() if name.endswith("weight")]
    assert all(gradient.abs().amin(dim=(0, 1)).max() > 0 for gradient in kernels)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"channels": 16}, "another form"),
        ({"stage_channels": (12, 10)}, "another form"),
        ({"strides": (2, 1)}, "another form|other activations"),
        ({"kernel_sizes": (2, 3)}, "another form"),
        ({"dilations": ((1, 3, 5), (1, 3))}, "another form"),
        ({"undilated": False}, "another form"),
        ({"dilations": ((1, 2), (1, 3))}, "other activations, dilations or paddings"),
        ({"activation": "leaky_relu"}, "other activations"),
        ({"linear_path": False}, "other activations"),
        ({"transposed_past": "repeat"}, "other activations, dilations or paddings"),
    ],
)
def test_a_vocoder_that_cannot_start_so_is_refused_in_one_line(small, change, reason):
    with pytest.raises(UserError, match=f"the vocoder has ({reason})") as told:
        built({**VOCODER, **change}).start_decoder_as(small.state_dict())
    assert "\n" not in str(told.value)


def test_a_network_without_vocoder_cannot_grow(small):
    with pytest.raises(UserError, match="needs a vocoder as decoder"):
        built().start_decoder_as(small.state_dict())
