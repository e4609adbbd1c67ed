"""The modified discrete cosine transform, as which outer convolutions can start."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def mdct_basis(size: int) -> Tensor:
    """Return the sine-windowed MDCT basis, shape (size, 2 * size), orthonormal over frames.

    References
    ----------
    Princen, Johnson and Bradley, ICASSP 1987.
    """
    n = np.arange(2 * size)
    k = np.arange(size)[:, None]
    window = np.sin(np.pi / (2 * size) * (n + 0.5))
    basis = np.cos(np.pi / size * (n + 0.5 + size / 2) * (k + 0.5))
    return torch.from_numpy(np.sqrt(2 / size) * window * basis).float()


@torch.no_grad()
def start_as_mdct(weight: Tensor, size: int) -> None:
    """Write the basis into the first `size` channels of a (channels, 1, 2 * size) kernel."""
    if not weight.is_meta:
        weight[:size, 0] = mdct_basis(size)
