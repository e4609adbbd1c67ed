"""The disentangled representation loss of PSCodec-DRL-ICT: streams should not look alike."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import torch
from torch import Tensor
from torch.nn import functional as F

_WINDOW, _SIGMA = 11, 1.5
_C1, _C2 = 0.01**2, 0.03**2


def disentanglement_loss(maps: Sequence[Tensor]) -> Tensor:
    """Return the mean structural similarity over all pairs of feature maps: -1 to 1.

    Parameters
    ----------
    maps : sequence of Tensor, each (batch, channels, frames)
        Each is scaled to [0, 1] item by item first, as an image of one channel.

    Raises
    ------
    ValueError
        If there are fewer than two maps.

    Notes
    -----
    Inferred: the paper's abstract says "SSIM-based disentangled representation loss" and no more.
    """
    if len(maps) < 2:
        raise ValueError("one map alone resembles nothing")
    images = [_to_unit(one) for one in maps]
    pairs = [structural_similarity(x, y).mean() for x, y in combinations(images, 2)]
    return torch.stack(pairs).mean()


def structural_similarity(x: Tensor, y: Tensor) -> Tensor:
    """Return the mean structural similarity of images in [0, 1], shape (batch,).

    A Gaussian window of 11 (standard deviation 1.5) is moved over all places where it fits; along
    a side that is shorter it is cut to that side.

    Parameters
    ----------
    x, y : Tensor, shape (batch, height, width)

    References
    ----------
    Z. Wang, A. C. Bovik, H. R. Sheikh and E. P. Simoncelli, Image quality assessment: from error
    visibility to structural similarity, IEEE Transactions on Image Processing 13, 2004.
    """
    mean_x, mean_y = _blurred(x), _blurred(y)
    var_x = _blurred(x * x) - mean_x**2
    var_y = _blurred(y * y) - mean_y**2
    covariance = _blurred(x * y) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + _C1) / (mean_x**2 + mean_y**2 + _C1)
    structure = (2 * covariance + _C2) / (var_x + var_y + _C2)
    return (luminance * structure).mean(dim=(1, 2))


def _to_unit(x: Tensor) -> Tensor:
    """Scale each item to [0, 1]; what is constant becomes 0."""
    low, high = x.amin(dim=(1, 2), keepdim=True), x.amax(dim=(1, 2), keepdim=True)
    return (x - low) / (high - low).clamp(min=1e-4)


def _blurred(x: Tensor) -> Tensor:
    """Weigh (batch, height, width) by the window, wherever it fits."""
    rows = _window(x.shape[1], x)[None, None, :, None]
    columns = _window(x.shape[2], x)[None, None, None, :]
    return F.conv2d(F.conv2d(x[:, None], rows), columns)[:, 0]


def _window(side: int, like: Tensor) -> Tensor:
    size = min(_WINDOW, side)
    places = torch.arange(size, dtype=like.dtype, device=like.device) - (size - 1) / 2
    weights = torch.exp(-0.5 * (places / _SIGMA) ** 2)
    return weights / weights.sum()
