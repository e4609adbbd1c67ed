"""The residual vector quantizer: greedy prefixes, groups, lookups, gradients."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from codecbench.adapters.nn.quantizer import Codebook, QuantizerConfig, ResidualVectorQuantizer

CHANNELS = 6


@st.composite
def configs(draw):
    """Any manner of small quantizer."""
    return QuantizerConfig(
        codebooks=draw(st.integers(1, 4)),
        codebook_size=draw(st.integers(2, 20)),
        groups=draw(st.sampled_from([1, 2, 3])),
        codebook_channels=draw(st.sampled_from([None, 1, 4])),
        lookup=draw(st.sampled_from(["euclidean", "cosine"])),
        update=draw(st.sampled_from(["ema", "gradient"])),
    )


def quantizer_of(config, seed=0, channels=CHANNELS):
    torch.manual_seed(seed)
    return ResidualVectorQuantizer(channels, config).double()


def latents_of(batch=3, frames=7, seed=1, channels=CHANNELS):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(batch, channels, frames, generator=generator, dtype=torch.float64)


@settings(max_examples=50, deadline=None)
@given(configs())
def test_fewer_layers_send_the_first_codes(config):
    quantizer, latents = quantizer_of(config), latents_of()
    codes = quantizer.encode(latents)
    assert codes.shape == (3, config.codebooks * config.groups, 7)
    assert 0 <= codes.min() <= codes.max() < config.codebook_size
    for layers in range(1, config.codebooks + 1):
        assert torch.equal(quantizer.encode(latents, layers), codes[:, : layers * config.groups])


@settings(max_examples=50, deadline=None)
@given(configs())
def test_training_and_coding_agree(config):
    quantizer, latents = quantizer_of(config), latents_of()
    result = quantizer(latents)
    assert torch.equal(result.codes, quantizer.encode(latents))
    torch.testing.assert_close(result.latents, quantizer.decode(result.codes))
    assert result.used.all()
    assert len(result.inputs) == len(quantizer) == config.codebooks * config.groups


@settings(max_examples=50, deadline=None)
@given(configs(), st.lists(st.integers(0, 4), min_size=3, max_size=3))
def test_each_item_uses_its_own_number_of_layers(config, wanted):
    layers = torch.tensor(wanted).clamp(max=config.codebooks)
    quantizer, latents = quantizer_of(config), latents_of()
    result = quantizer(latents, layers)
    whole = quantizer(latents)
    assert torch.equal(result.codes, whole.codes)
    assert torch.equal(result.used.sum(1), layers * config.groups)
    for item, count in enumerate(layers.tolist()):
        expected = torch.zeros_like(latents[:1])
        if count:
            expected = quantizer.decode(whole.codes[item : item + 1, : count * config.groups])
        torch.testing.assert_close(result.latents[item : item + 1], expected)


def test_one_number_of_layers_holds_for_all_items():
    quantizer, latents = quantizer_of(QuantizerConfig(codebooks=3, codebook_size=8)), latents_of()
    for layers in range(4):
        each = quantizer(latents, torch.full((3,), layers))
        assert torch.equal(quantizer(latents, layers).latents, each.latents)


def test_losses_are_squared_distances_of_each_item_in_each_layer():
    quantizer, latents = quantizer_of(QuantizerConfig(codebooks=3, codebook_size=8)), latents_of()
    result = quantizer(latents, torch.tensor([1, 2, 2]))
    words = [book.embed(result.codes[:, i]) for i, book in enumerate(quantizer.codebooks)]
    squares = [(x - w).square().mean((1, 2)) for x, w in zip(result.inputs, words, strict=True)]
    expected = torch.stack(squares, dim=1)
    torch.testing.assert_close(result.commitment.detach(), expected)
    torch.testing.assert_close(result.codebook_loss.detach(), expected)


def test_every_code_is_the_nearest_codeword_s():
    config = QuantizerConfig(codebooks=2, codebook_size=30)
    quantizer, latents = quantizer_of(config), latents_of()
    residual = latents.transpose(1, 2)
    for codebook, codes in zip(
        quantizer.codebooks, quantizer.encode(latents).unbind(1), strict=True
    ):
        distances = torch.cdist(residual, codebook.entries)
        assert torch.equal(codes, distances.argmin(-1))
        residual = residual - codebook.entries[codes]


def test_groups_are_quantizers_of_their_own():
    config = QuantizerConfig(codebooks=3, codebook_size=9, groups=2)
    quantizer, latents = quantizer_of(config), latents_of()
    codes, parts = quantizer.encode(latents), []
    for group, part in enumerate(latents.chunk(2, dim=1)):
        alone = quantizer_of(QuantizerConfig(codebooks=3, codebook_size=9), channels=3)
        alone.codebooks = quantizer.codebooks[group::2]
        assert torch.equal(alone.encode(part), codes[:, group::2])
        parts.append(alone.decode(codes[:, group::2]))
    assert torch.equal(quantizer.decode(codes), torch.cat(parts, dim=1))


def test_channels_that_cannot_be_grouped_are_refused():
    with pytest.raises(ValueError, match="6 channels cannot be split into 4 groups"):
        ResidualVectorQuantizer(6, QuantizerConfig(groups=4))


@settings(max_examples=30, deadline=None)
@given(st.floats(1e-3, 1e3), st.integers(0, 50))
def test_cosine_lookup_does_not_hear_level(level, seed):
    torch.manual_seed(seed)
    codebook = Codebook(4, QuantizerConfig(codebook_size=16, lookup="cosine")).double()
    inputs = latents_of(channels=4, seed=seed)
    codes = codebook.lookup(inputs)
    assert torch.equal(codebook.lookup(level * inputs), codes)
    codebook.entries.mul_(level)
    assert torch.equal(codebook.lookup(inputs), codes)


def test_euclidean_lookup_hears_level():
    codebook = Codebook(1, QuantizerConfig(codebook_size=2))
    codebook.entries.copy_(torch.tensor([[1.0], [10.0]]))
    assert codebook.lookup(torch.tensor([[[1.0, 10.0, 5.0, 6.0]]])).tolist() == [[0, 1, 0, 1]]


def test_gradients_pass_straight_through():
    quantizer, latents = quantizer_of(QuantizerConfig(codebooks=3, codebook_size=8)), latents_of()
    latents.requires_grad_(True)
    weights = latents_of(seed=2)
    (quantizer(latents, torch.tensor([1, 2, 3])).latents * weights).sum().backward()
    torch.testing.assert_close(latents.grad, weights)


def _projected(update="gradient"):
    shape = {"codebooks": 2, "codebook_size": 8, "codebook_channels": 2}
    return quantizer_of(QuantizerConfig(**shape, lookup="cosine", update=update))


def test_with_projections_the_gradient_is_that_of_the_projections_alone():
    quantizer, latents = _projected(), latents_of(batch=1)
    latents.requires_grad_(True)
    weights = latents_of(batch=1, seed=2)
    (quantizer(latents).latents * weights).sum().backward()
    # As if every codeword was what was looked up.
    plain = latents.detach().requires_grad_(True)
    residual, total = plain, 0.0
    for codebook in quantizer.codebooks:
        output = codebook.project_out(codebook.project_in(residual))
        residual, total = residual - output, total + output
    (total * weights).sum().backward()
    torch.testing.assert_close(latents.grad, plain.grad)


@pytest.mark.parametrize("term", ["commitment", "codebook_loss"])
def test_the_gradient_of_a_loss_is_its_slope(term):
    config = QuantizerConfig(codebooks=1, codebook_size=8, update="gradient")
    quantizer, latents = quantizer_of(config), latents_of()
    entries = quantizer.codebooks[0].entries
    moved = latents if term == "commitment" else entries.data
    latents.requires_grad_(term == "commitment")
    loss = getattr(quantizer(latents), term).sum()
    loss.backward()
    gradient = (latents if term == "commitment" else entries).grad
    direction = torch.randn_like(moved)
    step = 1e-6
    with torch.no_grad():
        moved += step * direction
        after = getattr(quantizer(latents), term).sum()
        moved -= 2 * step * direction
        before = getattr(quantizer(latents), term).sum()
    slope = float((after - before) / (2 * step))
    assert slope == pytest.approx(float((gradient * direction).sum()), rel=1e-5)


def test_commitment_moves_the_encoder_and_the_codebook_loss_the_entries():
    config = QuantizerConfig(codebooks=2, codebook_size=8, update="gradient")
    for term, to_latents in (("commitment", True), ("codebook_loss", False)):
        quantizer, latents = quantizer_of(config), latents_of().requires_grad_(True)
        getattr(quantizer(latents), term).sum().backward()
        assert (latents.grad is not None and bool(latents.grad.any())) == to_latents
        has_gradient = [book.entries.grad is not None for book in quantizer.codebooks]
        assert has_gradient == [not to_latents] * 2


def test_projected_codebooks_learn_entries_and_both_projections():
    quantizer = _projected()
    result = quantizer(latents_of())
    (
        result.latents.square().sum() + result.commitment.sum() + result.codebook_loss.sum()
    ).backward()
    for codebook in quantizer.codebooks:
        parameters = dict(codebook.named_parameters())
        assert set(parameters) == {
            "entries",
            *(f"project_{way}.{kind}" for way in ("in", "out") for kind in ("weight", "bias")),
        }
        for name, parameter in parameters.items():
            assert parameter.grad.abs().max() > 0, name


def test_entries_under_running_means_are_stored_and_take_no_gradient():
    quantizer, latents = quantizer_of(QuantizerConfig(codebooks=2, codebook_size=8)), latents_of()
    assert not list(quantizer.parameters())
    assert set(quantizer.state_dict()) == {f"codebooks.{i}.entries" for i in range(2)}
    assert not quantizer(latents).codebook_loss.requires_grad


@settings(max_examples=30, deadline=None)
@given(configs(), st.integers(0, 2**32))
def test_any_codes_decode(config, seed):
    quantizer = quantizer_of(config)
    generator = torch.Generator().manual_seed(seed)
    shape = (2, len(quantizer), 5)
    codes = torch.randint(config.codebook_size, shape, generator=generator)
    assert quantizer.decode(codes).shape == (2, CHANNELS, 5)
