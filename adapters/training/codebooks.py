"""The codebooks of a training: their start, their learning and their usage."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..nn.codebook_learning import CodebookLearner
from ..nn.quantizer import Quantized, ResidualVectorQuantizer
from .logs import perplexities
from .recipe import CodebookConfig


class Codebooks:
    """A quantizer and what learns it beside the gradient.

    Parameters
    ----------
    quantizer : ResidualVectorQuantizer
        On the device.
    config : CodebookConfig
    device : torch.device
    """

    def __init__(
        self, quantizer: ResidualVectorQuantizer, config: CodebookConfig, device: torch.device
    ) -> None:
        self.quantizer = quantizer
        learner = CodebookLearner(quantizer, config.decay, config.dead_below, config.balanced)
        self.learner = learner.to(device)

    @property
    def depth(self) -> int:
        """Residual layers."""
        return self.quantizer.config.codebooks

    def configure(self, config: CodebookConfig) -> None:
        """Take the settings of a stage."""
        learner = self.learner
        learner.decay, learner.dead_below = config.decay, config.dead_below
        learner.balanced = config.balanced

    def start(self, latents: Tensor, batches: int, seed: int) -> None:
        """Place all codewords by k-means.

        Parameters
        ----------
        latents : Tensor, shape (items, channels, frames)
            With at least as many frames as a codebook has entries.
        batches : int
            That the latents come from.
        seed : int
        """
        generator = torch.Generator().manual_seed(seed)
        self.learner.start(self.quantizer, latents, batches, generator)

    def go_on(self, latents: Tensor, batches: int) -> None:
        """Keep all codewords, used as the latents of these batches use them."""
        self.learner.go_on(self.quantizer, latents, batches)

    def update(self, quantized: Quantized, seed: int) -> dict[str, Tensor]:
        """Learn from one batch; return what is to be logged."""
        generator = torch.Generator().manual_seed(seed)
        replaced = self.learner.update(self.quantizer, quantized, generator)
        return {"codebooks/replaced": torch.tensor(float(replaced))}

    def perplexities(self) -> dict[str, float]:
        """Return the perplexity of each layer's usage, by the name under which it is logged."""
        values = perplexities(self.learner.usage)
        return {f"codebooks/perplexity_{index + 1}": value for index, value in enumerate(values)}

    def mean_perplexity(self) -> float:
        """Return the mean perplexity of all layers' usage."""
        values = perplexities(self.learner.usage)
        return sum(values) / len(values)

    def state_dict(self) -> dict[str, Any]:
        """Return what `load_state_dict` takes."""
        return self.learner.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved state."""
        self.learner.load_state_dict(state)
