"""The parts of PSCodec: attention, fusion, structural similarity, backbone, look-ahead."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from codecbench.adapters.nn.conv import Conv1d, ConvTranspose1d
from codecbench.adapters.nn.latency import measured_latency
from codecbench.adapters.nn.lookahead import lookahead_samples
from codecbench.adapters.nn.streaming import Chain
from codecbench.adapters.pscodec.attention import LocalSelfAttention
from codecbench.adapters.pscodec.backbone import BackboneConfig, BackboneEncoder, NormalizedSum
from codecbench.adapters.pscodec.disentanglement import (
    disentanglement_loss,
    structural_similarity,
)
from codecbench.adapters.pscodec.fusion import WeightedFusion
from codecbench.adapters.pscodec.prompts import Prompts

SIDES = st.integers(1, 30)


def images(seed, *shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@settings(max_examples=30, deadline=None)
@given(height=SIDES, width=SIDES, seed=st.integers(0, 99))
def test_structural_similarity_is_symmetric_bounded_and_one_for_equals(height, width, seed):
    x, y = images(seed, 2, 3, height, width)
    assert structural_similarity(x, x).numpy() == pytest.approx(1.0)
    value = structural_similarity(x, y)
    assert torch.equal(value, structural_similarity(y, x))
    assert (value.abs() <= 1 + 1e-9).all()


def test_structural_similarity_is_that_of_a_known_library():
    functional = pytest.importorskip("torchmetrics.functional.image")
    x, y = images(1, 2, 4, 40, 33)
    y = 0.6 * x + 0.4 * y
    full = functional.structural_similarity_index_measure(
        x[:, None], y[:, None], data_range=1.0, return_full_image=True, reduction="none"
    )[1]
    inside = full[:, 0, 5:-5, 5:-5].mean(dim=(1, 2))
    assert structural_similarity(x, y).numpy() == pytest.approx(inside.numpy(), abs=1e-6)


def test_maps_that_are_alike_cost_more_than_maps_that_are_not():
    x, y, z = images(3, 3, 2, 24, 20)
    alike = disentanglement_loss([x, 5 * x + 2, x]).item()
    assert alike == pytest.approx(1.0, abs=1e-6)
    assert abs(disentanglement_loss([x, y, z]).item()) < 0.2
    assert disentanglement_loss([x, 1 - x]).item() < 0
    with pytest.raises(ValueError, match="one map alone"):
        disentanglement_loss([x])


def test_a_constant_map_neither_breaks_the_loss_nor_its_gradient():
    x = images(4, 1, 12, 12).requires_grad_()
    loss = disentanglement_loss([x, torch.zeros_like(x)])
    loss.backward()
    assert x.grad.isfinite().all()


def dense(attention, x):
    """The same attention with one mask over all pairs of frames."""
    time, reach = x.shape[1], attention.reach
    queries, keys, values = (
        part.reshape(*x.shape[:2], attention.heads, -1).transpose(1, 2)
        for part in attention.query_key_value(x).chunk(3, dim=-1)
    )
    distance = torch.arange(time)[None] - torch.arange(time)[:, None]
    bias = attention.distance_bias[:, distance.clamp(-reach, reach) + reach]
    mask = bias.masked_fill(distance.abs() > reach, -math.inf)
    scores = queries @ keys.transpose(-1, -2) / queries.shape[-1] ** 0.5 + mask
    return attention.out((scores.softmax(-1) @ values).transpose(1, 2).flatten(2))


@settings(max_examples=30, deadline=None)
@given(time=st.integers(1, 40), reach=st.integers(1, 9), seed=st.integers(0, 9))
def test_attention_in_blocks_is_attention_under_a_band(time, reach, seed):
    torch.manual_seed(seed)
    attention = LocalSelfAttention(8, 2, reach).double()
    nn.init.normal_(attention.distance_bias)
    x = torch.randn(2, time, 8, dtype=torch.float64)
    assert torch.allclose(attention(x), dense(attention, x), atol=1e-12)


def test_equal_weights_add_the_prompts_to_the_stream():
    fusion = WeightedFusion(6, 4, None)
    latents = torch.randn(2, 6, 5)
    nothing = Prompts(torch.zeros(2, 4, 1), None)
    assert torch.allclose(fusion(latents, nothing)[0], latents, atol=1e-6)
    fused, (heard,) = fusion(latents, Prompts(torch.ones(2, 4, 1), None))
    assert torch.allclose(fused, latents + heard, atol=1e-6)
    with torch.no_grad():
        fusion.logits.copy_(torch.tensor([0.0, math.log(3.0)]))
    fused = fusion(latents, Prompts(torch.ones(2, 4, 1), None))[0]
    assert torch.allclose(fused, 0.5 * latents + 1.5 * heard, atol=1e-6)


def test_the_encoder_s_blocks_are_summed_and_normalized_in_turn():
    config = BackboneConfig()
    encoder = BackboneEncoder(config)
    total = next(part for part in encoder.modules() if isinstance(part, NormalizedSum))
    assert [block.branches[0].layers[1].conv.kernel_size[0] for block in total.blocks] == [11, 7, 3]
    x = torch.randn(2, 64, 50)
    with torch.no_grad():
        expected = F.group_norm(total.blocks[0](x), 4, eps=1e-6)
        expected = F.group_norm(expected + total.blocks[1](x), 4, eps=1e-6)
        expected = F.group_norm(expected + total.blocks[2](x), 4, eps=1e-6) / 3
        assert torch.allclose(total(x), expected, atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(
    kernels=st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 4), st.integers(0, 4)),
    causal=st.tuples(*[st.booleans()] * 4),
)
def test_look_ahead_read_from_layers_is_what_is_measured(kernels, causal):
    torch.manual_seed(0)
    first, second, third, fourth = kernels
    encoder = Chain(
        [
            Conv1d(1, 3, 2 + first, 2, causal=causal[0]),
            Conv1d(3, 3, 3 + second, 3, causal=causal[1]),
        ]
    ).double()
    decoder = Chain(
        [
            ConvTranspose1d(3, 3, 3 + third, 3, causal=causal[2]),
            ConvTranspose1d(3, 1, 2 + fourth, 2, causal=causal[3]),
        ]
    ).double()

    def system(waves):
        with torch.inference_mode():
            x = F.pad(torch.from_numpy(waves)[:, None], (0, -waves.shape[1] % 6))
            return decoder(encoder(x))[:, 0, : waves.shape[1]].numpy()

    measured = measured_latency(system, 6, levels=(1.0, 100.0))
    assert lookahead_samples(encoder, decoder, 6) == measured


def test_look_ahead_of_unknown_layers_is_not_guessed():
    with pytest.raises(TypeError, match="how far LSTM looks ahead"):
        lookahead_samples(Chain([nn.LSTM(2, 2)]), Chain([]), 8)


def test_a_norm_over_time_hears_everything():
    config = BackboneConfig(
        encoder_channels=(16,) * 5, decoder_channels=(4,) * 5, latent_channels=4
    )
    encoder = BackboneEncoder(config)
    assert lookahead_samples(encoder, Chain([]), config.hop_length) == np.inf
