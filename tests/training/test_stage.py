"""What a stage changes: learning parts, depths, averages, objective."""

from collections import Counter

import numpy as np
import pytest
import torch
from torch import nn

from codecbench.adapters.nn.discriminators import (
    DiscriminatorsConfig,
    MultiPeriodConfig,
    build_discriminators,
)
from codecbench.adapters.nn.network import SeanetNetwork, SeanetNetworkConfig
from codecbench.adapters.training.averaging import WeightAverage
from codecbench.adapters.training.logs import perplexities
from codecbench.adapters.training.objective import balancer_of, judge, to_descend, weighted_sum
from codecbench.adapters.training.recipe import StageConfig
from codecbench.adapters.training.stage import (
    Optimizers,
    check_layers,
    draw_layers,
    set_learning_parts,
)
from codecbench.errors import UserError

NETWORK = {
    "sample_rate": 8000,
    "seanet": {
        "strides": (2,),
        "encoder_channels": (4, 4),
        "decoder_channels": (4, 4),
        "latent_channels": 4,
        "dilations": (1,),
    },
    "quantizer": {"codebooks": 4, "codebook_size": 4},
}


def network():
    return SeanetNetwork(SeanetNetworkConfig.model_validate(NETWORK))


def stage(**keys):
    return StageConfig(**{"name": "a", "steps": 9, "batch_size": 8, "losses": {"mel": 1.0}, **keys})


def depths(layers, draws=1, batch=8):
    config, chance = stage(layers=layers, batch_size=batch), np.random.default_rng(0)
    return torch.cat([draw_layers(config, 4, chance) for _ in range(draws)]).tolist()


def test_depths_are_drawn_as_asked():
    assert Counter(depths("stratified")) == {1: 2, 2: 2, 3: 2, 4: 2}
    assert set(depths("all")) == {4}
    assert set(depths([1, 4], draws=9)) == {1, 4}
    uniform = Counter(depths("uniform", draws=500))
    assert uniform.keys() == {1, 2, 3, 4}
    assert all(abs(count - 1000) < 120 for count in uniform.values())


def test_batches_smaller_than_the_depth_reach_all_depths_in_turn():
    counts = Counter(depths("stratified", draws=800, batch=3))
    assert all(abs(count - 600) < 90 for count in counts.values())


def test_depths_beyond_the_network_are_refused():
    with pytest.raises(UserError, match="layers must be a list of numbers from 1 to 4"):
        check_layers(stage(layers=[5]), network())


def test_only_the_named_parts_learn():
    net = network()
    config = stage(train=["decoder"], learning_rate=0.1)
    set_learning_parts(net, config)
    optimizers = Optimizers(config, net, None)
    assert len(optimizers.parameters) == len(list(net.decoder.parameters()))
    before = {name: value.clone() for name, value in net.state_dict().items()}
    net(torch.randn(2, 64), quantize=True).waves.square().mean().backward()
    optimizers.generator.step()
    changed = {n.split(".")[0] for n, v in net.state_dict().items() if not v.equal(before[n])}
    assert changed == {"decoder"}


def test_unknown_parts_and_stages_in_which_nothing_learns_are_refused():
    with pytest.raises(UserError, match=r"no part is called 'head' .there are encoder"):
        set_learning_parts(network(), stage(train=["head"]))
    net, config = network(), stage(train=["quantizer"])
    set_learning_parts(net, config)
    with pytest.raises(UserError, match="nothing learns by gradient"):
        Optimizers(config, net, None)


def test_the_average_follows_its_formula():
    module = nn.Linear(1, 1)
    average = WeightAverage(module, 0.5)
    expected = module.weight.item()
    for count in range(6):
        nn.init.constant_(module.weight, count)
        average.update(module)
        decay = min(0.5, (1 + count) / (10 + count))
        expected = decay * expected + (1 - decay) * count
        assert average.network.weight.item() == pytest.approx(expected, rel=1e-5)
    average.restart(module)
    assert average.network.weight.equal(module.weight)


def test_the_average_of_shared_weights_moves_once():
    shared = nn.Linear(1, 1)
    module = nn.ModuleDict({"a": shared, "b": shared})
    average = WeightAverage(module, 0.99)
    before = average.network["a"].weight.item()
    nn.init.constant_(shared.weight, before + 1)
    average.update(module)
    assert average.network["b"].weight.item() == pytest.approx(before + 0.9, rel=1e-5)


def test_judging_for_the_generator_leaves_discriminators_alone():
    config = DiscriminatorsConfig(multi_period=MultiPeriodConfig(periods=(2,), channels=1))
    discriminators = build_discriminators(config, 8000)
    decoded = torch.randn(2, 600, requires_grad=True)
    judged = judge(discriminators, torch.randn(2, 600), decoded)
    sum(output.logits.sum() for output in judged.decoded).backward()
    assert decoded.grad.abs().sum() > 0
    assert all(p.grad is None and p.requires_grad for p in discriminators.parameters())
    assert not judged.real[0].logits.requires_grad


def test_balanced_terms_have_their_shares_and_others_their_weights():
    waves = torch.randn(3, 50, requires_grad=True)
    latents = torch.randn(4, requires_grad=True)
    terms = {
        "waveform_l1": 1000 * waves.abs().mean(),
        "waveform_l2": 0.001 * waves.square().mean(),
        "commitment": latents.square().sum(),
    }
    weights = {"waveform_l1": 3.0, "waveform_l2": 1.0, "commitment": 0.5}
    balancer = balancer_of(stage(losses=weights, balance=True))
    to_descend(terms, weights, waves, balancer).backward()
    assert latents.grad.equal(latents.detach())
    l1 = waves.detach().sign()
    l2 = waves.detach()
    expected = 0.75 * l1 / l1.norm(dim=1).mean() + 0.25 * l2 / l2.norm(dim=1).mean()
    assert torch.allclose(waves.grad, expected, atol=1e-5)


def test_without_balancer_terms_are_added_by_weight():
    terms = {"a": torch.tensor(2.0), "b": torch.tensor(3.0)}
    assert weighted_sum(terms, {"a": 0.5, "b": 2.0}).item() == 7.0
    assert balancer_of(stage()) is None


def test_perplexity_counts_the_codes_in_use():
    usage = torch.tensor([[1.0, 1, 1, 1], [1, 0, 0, 0], [2, 2, 0, 0]])
    assert perplexities(usage) == pytest.approx([4, 1, 2])
