"""What balanced training of residual codebooks means for their losses."""

import pytest
import torch

from codecbench.adapters.nn.quantizer import QuantizerConfig, ResidualVectorQuantizer
from codecbench.adapters.training.objective import layer_weights


@pytest.fixture
def quantized():
    config = QuantizerConfig(codebooks=4, codebook_size=8, update="gradient")
    quantizer = ResidualVectorQuantizer(6, config)
    latents = torch.randn(4, 6, 5, generator=torch.Generator().manual_seed(0))
    return quantizer(latents, torch.tensor([1, 2, 2, 3]))


def test_under_plain_dropout_a_layer_counts_by_the_items_that_use_it(quantized):
    assert layer_weights(quantized, balanced=False).tolist() == [1.0, 0.75, 0.25, 0.0]


def test_balanced_layers_in_use_count_alike(quantized):
    assert layer_weights(quantized, balanced=True).tolist() == [1.0, 1.0, 1.0, 0.0]
