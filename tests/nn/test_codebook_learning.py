"""Codebooks learn: k-means start, running means, revival, balanced and plain updates."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from codecbench.adapters.nn.codebook_learning import CodebookLearner, k_means
from codecbench.adapters.nn.quantizer import QuantizerConfig, ResidualVectorQuantizer


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def quantizer_of(codebooks=1, size=4, channels=2, **manner):
    torch.manual_seed(0)
    config = QuantizerConfig(codebooks=codebooks, codebook_size=size, **manner)
    return ResidualVectorQuantizer(channels, config)


def clusters(centres, each, spread=0.01, seed=0):
    """Points around centres, shuffled: (n, channels)."""
    points = torch.tensor(centres).repeat(each, 1)
    points = points + spread * torch.randn(points.shape, generator=generator(seed))
    return points[torch.randperm(len(points), generator=generator(seed))]


CORNERS = [[5.0, 5.0], [-5.0, 5.0], [5.0, -5.0], [-5.0, -5.0]]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_k_means_finds_separated_clusters(seed):
    points = clusters(CORNERS, 100, seed=seed)
    # More centres than clusters: with as many, a random start may give one cluster two of them.
    centres, counts = k_means(points, 24, generator(seed))
    distances = torch.cdist(torch.tensor(CORNERS), centres)
    assert distances.min(dim=1).values.max() < 0.1
    assert counts.sum() == 400
    assert distances.min(dim=0).values[counts > 0].max() < 0.1


def test_two_clusters_give_their_means_and_counts():
    points = torch.cat([torch.full((30, 1), 1.0), torch.full((10, 1), 3.0)])
    points = points + 0.1 * torch.randn(points.shape, generator=generator())
    centres, counts = k_means(points, 2, generator())
    order = centres[:, 0].argsort()
    expected = torch.stack([points[:30].mean(0), points[30:].mean(0)])
    torch.testing.assert_close(centres[order], expected)
    assert counts[order].tolist() == [30, 10]


def test_as_many_points_as_clusters_become_the_centres():
    points = torch.randn(16, 3, generator=generator())
    centres, counts = k_means(points, 16, generator())
    assert torch.cdist(points, centres).min(dim=1).values.max() < 1e-3
    assert counts.tolist() == [1.0] * 16


def test_too_few_points_are_refused():
    with pytest.raises(ValueError, match="3 points cannot fill 4 clusters"):
        k_means(torch.randn(3, 2), 4, generator())


@pytest.mark.parametrize("manner", [{}, {"codebook_channels": 2}, {"groups": 2}])
def test_the_start_places_each_layer_on_what_is_left_over(manner):
    quantizer = quantizer_of(codebooks=2, size=64, channels=4, **manner)
    latents = torch.randn(4, 4, 300, generator=generator())
    CodebookLearner(quantizer).start(quantizer, latents, 1, generator())
    errors = []
    for layers in (1, 2):
        codes = quantizer.encode(latents, layers)
        errors.append((quantizer.decode(codes) - latents).square().mean())
        used = [len(row.unique()) for row in codes.transpose(0, 1)]
        assert min(used) == 64
    if not manner.get("codebook_channels"):
        assert errors[0] < 0.4
        assert errors[1] < 0.5 * errors[0]


def test_running_means_converge_to_the_mean_of_what_a_code_stands_for():
    quantizer = quantizer_of(size=4)
    quantizer.codebooks[0].entries.copy_(0.6 * torch.tensor(CORNERS))
    learner = CodebookLearner(quantizer, decay=0.9, dead_below=0.5)
    centres = [[4.0, 5.0], [-5.0, 6.0], [5.0, -3.0], [-4.0, -4.0]]
    for step in range(150):
        points = clusters(centres, 50, seed=step)
        latents = points.reshape(4, 50, 2).transpose(1, 2)
        learner.update(quantizer, quantizer(latents), generator())
    torch.testing.assert_close(
        quantizer.codebooks[0].entries, torch.tensor(centres), rtol=0, atol=0.01
    )
    torch.testing.assert_close(learner.usage, torch.full((1, 4), 50.0), rtol=0.01, atol=0)


def test_one_update_moves_by_what_the_decay_leaves():
    quantizer = quantizer_of(size=2, channels=1)
    quantizer.codebooks[0].entries.copy_(torch.tensor([[0.0], [100.0]]))
    learner = CodebookLearner(quantizer, decay=0.75, dead_below=2.0)
    # Usage starts at 4 frames: 4 * 0.75 * 0 + 0.25 * (8 frames of 1) over 4 * 0.75 + 0.25 * 8.
    learner.update(quantizer, quantizer(torch.ones(1, 1, 8)), generator())
    torch.testing.assert_close(learner.usage[0], torch.tensor([5.0, 3.0]))
    torch.testing.assert_close(quantizer.codebooks[0].entries[:, 0], torch.tensor([0.4, 100.0]))


def test_gradient_codebooks_are_not_moved_by_means():
    quantizer = quantizer_of(size=4, update="gradient")
    before = quantizer.codebooks[0].entries.detach().clone()
    learner = CodebookLearner(quantizer, dead_below=0.1)
    assert learner.update(quantizer, quantizer(torch.randn(2, 2, 50)), generator()) == 0
    assert torch.equal(quantizer.codebooks[0].entries, before)


@pytest.mark.parametrize("update", ["ema", "gradient"])
def test_dead_codes_become_inputs_and_only_these(update):
    quantizer = quantizer_of(size=4, update=update)
    with torch.no_grad():
        quantizer.codebooks[0].entries.copy_(
            torch.tensor([[0.0, 0.0], [1.0, 1.0], [90.0, 90.0], [-90.0, 0.0]])
        )
    learner = CodebookLearner(quantizer, decay=0.5, dead_below=2.0)
    latents = torch.rand(2, 2, 40, generator=generator())
    replaced = []
    for step in range(3):
        before = quantizer.codebooks[0].entries.detach().clone()
        replaced.append(learner.update(quantizer, quantizer(latents), generator(step)))
        if not replaced[-1] and update == "gradient":
            assert torch.equal(quantizer.codebooks[0].entries, before)
    # Usage of the two far ones halves from 4: dead after more than one batch, then alive again.
    assert replaced == [0, 2, 0]
    entries = quantizer.codebooks[0].entries.detach()
    assert entries.abs().max() <= 1.0 + 1e-6
    points = latents.transpose(1, 2).reshape(-1, 2)
    if update == "gradient":
        assert torch.cdist(entries[2:], points).min(dim=1).values.max() < 1e-6
        assert entries[:2].tolist() == [[0.0, 0.0], [1.0, 1.0]]


def test_a_revived_code_starts_with_fresh_usage():
    quantizer = quantizer_of(size=2, channels=1)
    quantizer.codebooks[0].entries.copy_(torch.tensor([[0.0], [100.0]]))
    learner = CodebookLearner(quantizer, decay=0.4, dead_below=2.0)
    assert learner.update(quantizer, quantizer(torch.ones(1, 1, 8)), generator()) == 1
    assert learner.usage[0, 1] == 4.0
    assert quantizer.codebooks[0].entries[1].item() == 1.0
    assert learner.sums[0, 1].item() == 4.0


def _updated(balanced):
    """Update two layers with two items, of which the first one uses one layer."""
    quantizer = quantizer_of(codebooks=2, size=2, channels=1)
    for codebook in quantizer.codebooks:
        codebook.entries.copy_(torch.tensor([[-1.0], [1.0]]))
    learner = CodebookLearner(quantizer, decay=0.5, dead_below=0.1, balanced=balanced)
    latents = torch.tensor([[[3.0] * 6], [[1.5] * 6]])
    learner.update(quantizer, quantizer(latents, torch.tensor([1, 2])), generator())
    return quantizer, learner


def test_plain_updates_learn_a_layer_from_the_items_that_use_it():
    _, learner = _updated(balanced=False)
    # The first layer leaves 2 of 3 and 0.5 of 1.5; only the latter's item uses the second layer.
    start = 0.2
    torch.testing.assert_close(learner.usage[:, 1], torch.tensor([start + 12, start + 6]) / 2)
    torch.testing.assert_close(learner.sums[1, 1, 0], torch.tensor((start + 6 * 0.5) / 2))
    torch.testing.assert_close(learner.share, torch.tensor([1.0, 0.75]))


def test_balanced_updates_learn_every_layer_from_every_item():
    _, learner = _updated(balanced=True)
    start = 0.2
    torch.testing.assert_close(learner.usage[:, 1], torch.tensor([start + 12, start + 12]) / 2)
    torch.testing.assert_close(learner.sums[1, 1, 0], torch.tensor((start + 6 * 2.5) / 2))


def test_deep_layers_are_not_replaced_because_few_items_use_them():
    """Under quantizer dropout every layer's codes are dead by the same measure."""
    quantizer = quantizer_of(codebooks=8, size=4, channels=3)
    learner = CodebookLearner(quantizer, decay=0.5, dead_below=2.0)
    latents = torch.randn(8, 3, 16, generator=generator())
    learner.start(quantizer, latents, 1, generator())
    replaced = 0
    for step in range(20):
        depths = torch.randint(1, 9, (8,), generator=generator(step))
        replaced += learner.update(quantizer, quantizer(latents, depths), generator(step))
    used = learner.usage.sum(1) / learner.share
    torch.testing.assert_close(used, torch.full((8,), 8 * 16.0), rtol=0.1, atol=0)
    assert learner.share[0] == 1
    assert learner.share[7] < 0.5
    assert replaced < 40  # 8 layers of 4 codes, 20 times


def test_a_layer_that_no_item_uses_is_left_alone():
    quantizer = quantizer_of(codebooks=2)
    learner = CodebookLearner(quantizer, decay=0.5, dead_below=1.0)
    before, usage = quantizer.codebooks[1].entries.clone(), learner.usage[1].clone()
    learner.update(quantizer, quantizer(torch.randn(2, 2, 50), 1), generator())
    assert torch.equal(quantizer.codebooks[1].entries, before)
    assert torch.equal(learner.usage[1], usage)


def test_the_same_seed_revives_with_the_same_inputs():
    entries = []
    for _ in range(2):
        quantizer = quantizer_of(size=64)
        learner = CodebookLearner(quantizer, decay=0.0)
        latents = torch.randn(2, 2, 50, generator=generator())
        assert learner.update(quantizer, quantizer(latents), generator(5)) > 0
        entries.append(quantizer.codebooks[0].entries)
    assert torch.equal(*entries)


def test_codebooks_that_go_on_stay_where_their_means_are():
    latents = torch.tensor(clusters(CORNERS, 200).T.tolist())[None]
    known = quantizer_of()
    learner = CodebookLearner(known, dead_below=0.02)
    learner.start(known, latents, 8, generator())
    entries = known.layers[0].entries.clone()

    def moved(goes_on):
        fresh = CodebookLearner(known, dead_below=0.02)
        if goes_on:
            fresh.go_on(known, latents, 8)
            assert fresh.usage.sum().item() == pytest.approx(100)
        known.layers[0].entries.copy_(entries)
        off = latents[..., :8] + 1.0  # a batch that lies beside the means
        fresh.update(known, known(off), generator())
        return (known.layers[0].entries - entries).norm(dim=1).max().item()

    assert moved(goes_on=True) < 0.05
    assert moved(goes_on=False) > 0.2
