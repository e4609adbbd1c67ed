"""What balanced training of residual codebooks means for their losses."""

import pytest
import torch

from codecbench.adapters.nn.quantizer import QuantizerConfig, ResidualVectorQuantizer
from codecbench.adapters.training.objective import quantizer_terms

DEPTHS = torch.tensor([1, 2, 2, 3])
LATENTS = torch.randn(4, 6, 5, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def quantizer():
    torch.manual_seed(1)
    config = QuantizerConfig(codebooks=4, codebook_size=8, update="gradient")
    return ResidualVectorQuantizer(6, config)


def gradients(quantizer, term, balanced, items=slice(None)):
    """Return the gradient of each codebook's entries."""
    quantizer.zero_grad()
    result = quantizer(LATENTS[items], DEPTHS[items])
    quantizer_terms(result, balanced, 2.0)[term].backward()
    return [book.entries.grad.clone() for book in quantizer.codebooks]


def test_under_plain_dropout_an_item_counts_in_the_layers_it_uses(quantizer):
    result = quantizer(LATENTS, DEPTHS)
    used = torch.tensor([[1.0, 0, 0, 0], [1, 1, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0]])
    expected = (result.commitment * used).sum() / 16 / 2.0
    for term in quantizer_terms(result, balanced=False, scale=2.0).values():
        torch.testing.assert_close(term, expected)
    learnt = [bool(one.any()) for one in gradients(quantizer, "codebook", balanced=False)]
    assert learnt == [True, True, True, False]


def test_balanced_codebooks_learn_from_every_item(quantizer):
    """The gradient is that of a batch in which every item uses all layers."""
    balanced = gradients(quantizer, "codebook", balanced=True)
    quantizer.zero_grad()
    whole = quantizer(LATENTS)
    quantizer_terms(whole, False, 2.0)["codebook"].backward()
    for found, book in zip(balanced, quantizer.codebooks, strict=True):
        assert found.any()
        torch.testing.assert_close(found, book.entries.grad)


def test_balanced_layers_in_use_hold_the_encoder_alike(quantizer):
    result = quantizer(LATENTS, DEPTHS)
    found = quantizer_terms(result, balanced=True, scale=2.0)["commitment"]
    by_item = result.commitment
    layers = [by_item[:, 0].mean(), by_item[1:, 1].mean(), by_item[3, 2], torch.tensor(0.0)]
    torch.testing.assert_close(found, torch.stack(layers).mean() / 2.0)
