"""What generator and discriminators play for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from ..discriminators.output import DiscriminatorOutput

AdversarialKind = Literal["hinge", "least_squares"]

Outputs = Sequence[DiscriminatorOutput]


def generator_loss(outputs: Outputs, kind: AdversarialKind) -> Tensor:
    """Return how far the discriminators are from taking decoded signals for real ones.

    Hinge: relu(1 - logit); least squares: (1 - logit)². Averaged over the items and positions of
    each discriminator, then over discriminators.

    Parameters
    ----------
    outputs : sequence of DiscriminatorOutput
        For decoded signals.
    kind : {"hinge", "least_squares"}

    References
    ----------
    SoundStream (arXiv 2107.03312), Equation 2 (hinge); LSGAN (arXiv 1611.04076).
    """
    loss = _LOSSES[kind]
    return _mean([loss(output.logits) for output in outputs])


def discriminator_loss(real: Outputs, fake: Outputs, kind: AdversarialKind) -> Tensor:
    """Return how far the discriminators are from telling real signals from decoded ones.

    Hinge: relu(1 - real) + relu(1 + fake); least squares: (1 - real)² + fake². Averaged as in
    `generator_loss`.

    Parameters
    ----------
    real, fake : sequence of DiscriminatorOutput
        Of the same discriminators, for signals and for decoded signals without gradient.
    kind : {"hinge", "least_squares"}
    """
    loss, opposite = _LOSSES[kind], _OPPOSITES[kind]
    pairs = zip(real, fake, strict=True)
    return _mean([loss(r.logits) + opposite(f.logits) for r, f in pairs])


def feature_matching_loss(real: Outputs, fake: Outputs, relative: bool = False) -> Tensor:
    """Return the L1 distance of the discriminators' features, averaged over layers and them.

    Parameters
    ----------
    real, fake : sequence of DiscriminatorOutput
        Of the same discriminators; real features get no gradient.
    relative : bool
        Divide each layer's distance by the mean magnitude of its real features, as EnCodec does.

    References
    ----------
    SoundStream (arXiv 2107.03312), Equation 3; EnCodec (arXiv 2210.13438), Section 3.4.
    """
    pairs = zip(real, fake, strict=True)
    return _mean([_feature_distance(r, f, relative) for r, f in pairs])


def _feature_distance(
    real: DiscriminatorOutput, fake: DiscriminatorOutput, relative: bool
) -> Tensor:
    distances = []
    for wanted, found in zip(real.features, fake.features, strict=True):
        distance = F.l1_loss(found, wanted.detach())
        scale = wanted.detach().abs().mean().clamp(min=1e-6) if relative else 1.0
        distances.append(distance / scale)
    return _mean(distances)


def _mean(terms: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(terms)).mean()


_LOSSES: dict[str, Callable[[Tensor], Tensor]] = {
    "hinge": lambda logits: F.relu(1 - logits).mean(),
    "least_squares": lambda logits: (1 - logits).square().mean(),
}
_OPPOSITES: dict[str, Callable[[Tensor], Tensor]] = {
    "hinge": lambda logits: F.relu(1 + logits).mean(),
    "least_squares": lambda logits: logits.square().mean(),
}
