"""EnCodec's loss balancer: weights become shares of the gradient."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn


class GradientBalancer(nn.Module):
    """Rescales each loss's gradient at the network's output, so that its weight is its share.

    A loss with weight w contributes a gradient of norm ``total_norm * w / (sum of weights)``,
    whatever the loss's own scale. Norms are taken an item and averaged over the batch, over
    processes and, exponentially, over the steps in which the loss takes part, which are corrected
    for their start at zero. The sum of weights goes over the losses of the step, so that losses
    that join late take their share from the others.

    Its state is a buffer for each loss: the decayed sum of norms and the decayed count.

    Parameters
    ----------
    weights : mapping of str to float
        Positive, by loss.
    total_norm : float
        Sum of the norms that the losses' gradients shall have, an item.
    decay : float
        Of the average over steps, in [0, 1).

    References
    ----------
    EnCodec (arXiv 2210.13438), Section 3.4, Equations 5 and 6.
    """

    def __init__(
        self, weights: Mapping[str, float], total_norm: float = 1.0, decay: float = 0.999
    ) -> None:
        super().__init__()
        if not weights or min(weights.values()) <= 0:
            raise ValueError(f"weights must be positive, not {dict(weights)}")
        self.weights = dict(weights)
        self.total_norm, self.decay = total_norm, decay
        for name in weights:
            self.register_buffer(_buffer_name(name), torch.zeros(2))

    def balanced(self, losses: Mapping[str, Tensor], output: Tensor) -> Tensor:
        """Return a scalar whose gradient at `output` is the balanced sum of the losses' gradients.

        Its value means nothing. The gradients go through `output` only: parts of a loss that
        reach the network another way are left out.

        Parameters
        ----------
        losses : mapping of str to Tensor
            Scalars, a part of those that have weights.
        output : Tensor, shape (batch, ...)
            What the losses were computed from.

        Raises
        ------
        ValueError
            If a loss has no weight.
        """
        unknown = sorted(set(losses) - set(self.weights))
        if unknown:
            raise ValueError(f"losses without a weight: {', '.join(unknown)}")
        total_weight = sum(self.weights[name] for name in losses)
        total = torch.zeros_like(output)
        for name, loss in losses.items():
            (gradient,) = torch.autograd.grad(loss, [output], retain_graph=True)
            share = self.total_norm * self.weights[name] / total_weight
            # A loss that never had a gradient has nothing to rescale.
            total += gradient * (share / self._average_norm(name, gradient).clamp(min=1e-12))
        return (output * total).sum()

    @torch.no_grad()
    def _average_norm(self, name: str, gradient: Tensor) -> Tensor:
        norm = _mean_over_processes(gradient.float().flatten(1).norm(dim=1).mean())
        state = self.get_buffer(_buffer_name(name))
        state.mul_(self.decay).add_(torch.stack([norm, torch.ones_like(norm)]))
        return state[0] / state[1]


def _buffer_name(loss: str) -> str:
    return f"norm_{loss}"


def _mean_over_processes(x: Tensor) -> Tensor:
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.all_reduce(x)
        x = x / torch.distributed.get_world_size()
    return x
