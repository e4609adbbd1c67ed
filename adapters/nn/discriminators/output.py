"""What a discriminator returns."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class DiscriminatorOutput:
    """One discriminator's judgement of a batch.

    Parameters
    ----------
    logits : Tensor, shape (batch, 1, ...)
        One value a position; high for real signals.
    features : list of Tensor
        Activations of the layers before, first to last.
    """

    logits: Tensor
    features: list[Tensor]
