"""Discriminators: shapes, sizes from the papers, and whether they learn."""

import itertools

import pytest
import torch

from codecbench.adapters.nn.discriminators import (
    DiscriminatorsConfig,
    MultiPeriodConfig,
    MultiPeriodDiscriminator,
    MultiScaleConfig,
    MultiScaleDiscriminator,
    StftConfig,
    StftDiscriminator,
    build_discriminators,
)
from codecbench.adapters.nn.losses import (
    discriminator_loss,
    feature_matching_loss,
    generator_loss,
)
from codecbench.errors import UserError

HIFIGAN = {
    "channels": 128,
    "widths": [1, 1, 2, 4, 8, 8, 8],
    "kernel_sizes": [15, 41, 41, 41, 41, 41, 5],
    "strides": [1, 2, 2, 4, 4, 1, 1],
    "groups": [1, 4, 16, 16, 16, 16, 1],
    "slope": 0.1,
    "first_norm": "spectral",
}
TINY = {
    "multi_scale": {"channels": 4, "widths": [1, 2, 4, 4, 4, 4], "groups": [1, 2, 4, 4, 4, 1]},
    "multi_period": {"channels": 4},
    "stft": {"channels": 4},
    "multi_scale_stft": {"channels": 2},
    "multi_resolution": {"channels": 2},
}
VIEWS = {
    "multi_scale": 3,
    "multi_period": 5,
    "stft": 1,
    "multi_scale_stft": 5,
    "multi_resolution": 3,
}
LAYERS = {
    "multi_scale": 6,
    "multi_period": 5,
    "stft": 7,
    "multi_scale_stft": 4,
    "multi_resolution": 5,
}
KINDS = list(TINY)


def build(tables, sample_rate=16000):
    return build_discriminators(DiscriminatorsConfig.model_validate(tables), sample_rate)


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


@pytest.mark.parametrize("samples", [4000, 4001, 16000])
@pytest.mark.parametrize("kind", KINDS)
def test_every_view_gives_finite_logits_and_its_layers_features(kind, samples):
    outputs = build({kind: TINY[kind]})(torch.randn(2, 1, samples))
    assert len(outputs) == VIEWS[kind]
    for output in outputs:
        assert output.logits.shape[:2] == (2, 1)
        assert output.logits.isfinite().all()
        assert len(output.features) == LAYERS[kind]
        assert all(len(feature) == 2 and feature.numel() for feature in output.features)


@pytest.mark.parametrize("kind", KINDS)
def test_items_are_judged_alone(kind):
    discriminators = build({kind: TINY[kind]}).eval()
    waves = torch.randn(3, 1, 4000)
    together, alone = discriminators(waves), discriminators(waves[1:2])
    for a, b in zip(together, alone, strict=True):
        assert torch.allclose(a.logits[1:2], b.logits, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_at_silence_are_finite_and_reach_input_and_parameters(kind):
    discriminators = build({kind: TINY[kind]})
    waves = torch.zeros(2, 1, 4000, requires_grad=True)
    generator_loss(discriminators(waves), "hinge").backward()
    assert waves.grad.isfinite().all()
    for parameter in discriminators.parameters():
        assert parameter.grad.isfinite().all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_few_steps_tell_tones_from_noise(kind):
    discriminators = build({kind: TINY[kind]})
    optimizer = torch.optim.Adam(discriminators.parameters(), lr=5e-3, betas=(0.5, 0.9))
    frequencies = torch.tensor([300.0, 500.0])[:, None, None]
    real = 0.5 * torch.sin(2 * torch.pi * frequencies * torch.arange(2000) / 16000)
    losses = []
    for _ in range(40):
        real_outputs = discriminators(real)
        fake_outputs = discriminators(0.35 * torch.randn(2, 1, 2000))
        losses.append(discriminator_loss(real_outputs, fake_outputs, "hinge"))
        optimizer.zero_grad()
        losses[-1].backward()
        optimizer.step()
    assert losses[0] > 1.5
    assert losses[-1] < 1
    pairs = zip(real_outputs, fake_outputs, strict=True)
    assert all(r.logits.mean() > f.logits.mean() for r, f in pairs)


def test_spectral_norm_survives_two_passes_a_step():
    tiny = TINY["multi_scale"] | {"first_norm": "spectral"}
    discriminators = build({"multi_scale": tiny})
    real, fake = discriminators(torch.randn(2, 1, 4000)), discriminators(torch.randn(2, 1, 4000))
    discriminator_loss(real, fake, "least_squares").backward()
    assert all(parameter.grad.isfinite().all() for parameter in discriminators.parameters())


def test_several_kinds_are_one_list():
    discriminators = build(TINY)
    outputs = discriminators(torch.randn(1, 1, 4000))
    assert len(outputs) == sum(VIEWS.values())
    again = discriminators(torch.randn(1, 1, 4000))
    assert feature_matching_loss(outputs, again, relative=True) > 0


def test_half_precision_regions_are_survived():
    with torch.autocast("cpu", torch.bfloat16):
        outputs = build(TINY)(torch.randn(1, 1, 4000))
    assert all(output.logits.isfinite().all() for output in outputs)


# Refusals


def test_none_named_is_refused():
    with pytest.raises(UserError, match="names none; there are multi_scale, multi_period, stft"):
        build({})


def test_too_short_signals_are_refused():
    discriminators = build({"multi_scale_stft": TINY["multi_scale_stft"]})
    assert discriminators(torch.randn(1, 1, 1025))
    with pytest.raises(UserError, match="at least 1025 samples, not 1024"):
        discriminators(torch.randn(1, 1, 1024))


@pytest.mark.parametrize("kind", KINDS)
def test_the_shortest_signal_is_long_enough(kind):
    discriminators = build({kind: TINY[kind]})
    outputs = discriminators(torch.randn(1, 1, discriminators.shortest))
    assert all(output.logits.numel() for output in outputs)


def test_views_longer_than_a_second_are_refused():
    with pytest.raises(UserError, match="stft needs 8193 samples, more than the 8000"):
        build({"stft": {"window": 16384, "channels": 1}}, 8000)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"groups": [1, 4]}, "same length"),
        ({"channels": 3}, "4 groups cannot share 3 to 12 channels"),
        ({"scales": 0}, "greater than or equal to 1"),
    ],
)
def test_layers_that_do_not_fit_are_refused(table, message):
    with pytest.raises(ValueError, match=message):
        MultiScaleConfig.model_validate(table)


# Sizes


def weights_and_biases(module):
    """Count as the papers do: weight norm's lengths and spectral norm's vectors left out."""
    named = module.named_parameters()
    return sum(p.numel() for name, p in named if not name.endswith("weight.original0"))


def conv(before, after, *kernel, groups=1):
    size = before // groups * after + 0
    for length in kernel:
        size *= length
    return size + after


def test_multi_period_has_hifigans_size():
    one = conv(1, 32, 5) + conv(32, 128, 5) + conv(128, 512, 5) + conv(512, 1024, 5)
    one += conv(1024, 1024, 5) + conv(1024, 1, 3)
    # 41.1 M: layers of HiFi-GAN's Figure 2 and its public configuration.
    assert 5 * one == 41_092_165
    assert weights_and_biases(MultiPeriodDiscriminator(MultiPeriodConfig())) == 5 * one


def test_multi_scale_has_melgans_size():
    # Layers of MelGAN's Figure 1b: groups of four channels.
    one = conv(1, 16, 15) + conv(16, 64, 41, groups=4) + conv(64, 256, 41, groups=16)
    one += conv(256, 1024, 41, groups=64) + conv(1024, 1024, 41, groups=256)
    one += conv(1024, 1024, 5) + conv(1024, 1, 3)
    assert weights_and_biases(MultiScaleDiscriminator(MultiScaleConfig())) == 3 * one


def test_multi_scale_can_have_hifigans_size():
    one = conv(1, 128, 15) + conv(128, 128, 41, groups=4) + conv(128, 256, 41, groups=16)
    one += conv(256, 512, 41, groups=16) + conv(512, 1024, 41, groups=16)
    one += conv(1024, 1024, 41, groups=16) + conv(1024, 1024, 5) + conv(1024, 1, 3)
    config = MultiScaleConfig.model_validate(HIFIGAN)
    # 29.6 M; the numbers are those of HiFi-GAN's public configuration.
    assert 3 * one == 29_610_627
    discriminator = MultiScaleDiscriminator(config)
    spectral = sum(p.numel() for n, p in discriminator.named_parameters() if "judges.0." in n)
    assert spectral == one
    others = torch.nn.ModuleList(discriminator.judges[1:])
    assert weights_and_biases(others) == 2 * one


def test_stft_has_soundstreams_layers():
    channels = [32, 32, 64, 128, 128, 256, 256]
    size = conv(2, 32, 7, 7)
    for index, (before, after) in enumerate(itertools.pairwise(channels)):
        over_time = 2 if index % 2 else 1
        size += conv(before, before, 3, 3) + conv(before, after, over_time + 2, 4)
        size += conv(before, after, 1, 1)
    # F / 2^6 with F = 512.
    size += conv(256, 1, 1, 8)
    discriminator = StftDiscriminator(StftConfig())
    assert weights_and_biases(discriminator) == size
    (output,) = discriminator(torch.randn(1, 1, 16000))
    # 63 frames, halved three times.
    assert output.logits.shape == (1, 1, 7, 1)


def test_multi_scale_stft_has_encodecs_layers():
    one = conv(2, 32, 3, 8) + 3 * conv(32, 32, 3, 8) + conv(32, 1, 3, 3)
    assert weights_and_biases(build({"multi_scale_stft": {}})) == 5 * one


def test_multi_resolution_has_univnets_layers():
    one = conv(1, 32, 3, 9) + 3 * conv(32, 32, 3, 9) + conv(32, 32, 3, 3) + conv(32, 1, 3, 3)
    assert weights_and_biases(build({"multi_resolution": {}})) == 3 * one


# What each kind sees


@pytest.mark.parametrize("period", [2, 3, 7])
def test_a_period_keeps_its_phases_apart(period):
    discriminator = MultiPeriodDiscriminator(MultiPeriodConfig(periods=(period,), channels=1))
    waves = torch.randn(1, 1, 700 * period)
    changed = waves.clone()
    changed[0, 0, 100 * period + 1] += 10.0
    (before,), (after,) = discriminator(waves), discriminator(changed)
    columns = (before.logits != after.logits).any(dim=2).flatten()
    assert columns.nonzero().flatten().tolist() == [1]


def test_later_scales_hear_the_signal_at_lower_rates():
    discriminator = build({"multi_scale": TINY["multi_scale"]})
    lengths = [o.features[0].shape[-1] for o in discriminator(torch.randn(1, 1, 16000))]
    assert lengths == [16000, 8000, 4000]
    alternating = torch.ones(1, 1, 16000)
    alternating[..., ::2] = -1
    loud, silent = discriminator(alternating), discriminator(torch.zeros(1, 1, 16000))
    inside = slice(100, -100)
    same = [
        torch.allclose(a.features[0][..., inside], b.features[0][..., inside], atol=1e-5)
        for a, b in zip(loud, silent, strict=True)
    ]
    # Half the sampling rate is heard at the full rate only.
    assert same == [False, True, True]
