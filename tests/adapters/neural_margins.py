"""Codes that rounding may change: those that lie between two codewords at equal distance."""

from __future__ import annotations

import copy

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from codecbench.adapters.nn.quantizer import ResidualVectorQuantizer

MARGIN = 2e-5
"""Part of the squared distance to the nearest codeword, in float64, by which a codeword may be
farther away and still be chosen; the parity vectors' margin, (second - best) / best."""

ROUNDING = 1e-6
"""The same for codewords that lie (nearly) on what they stand for: part of the squared length of
what is looked up, as far as float32 can tell distances apart."""

Codes = npt.NDArray[np.int64]


def codes_differ_only_at_margins(
    quantizer: ResidualVectorQuantizer, latents: Tensor, expected: Codes, found: Codes
) -> None:
    """Check both code sequences against the latents they were made of.

    Every code must be that of the nearest codeword, up to the margin. Behind a code that differs,
    the later layers of its group and frame are not compared.

    Parameters
    ----------
    latents : Tensor, shape (channels, frames)
    expected, found : array of int, shape (groups * layers, frames)
    """
    assert expected.shape == found.shape
    assert expected.shape[1] == latents.shape[1]
    groups = quantizer.config.groups
    residuals = list(latents.double()[None].chunk(groups, dim=1))
    same = np.ones((groups, latents.shape[1]), bool)
    for index, (a, b) in enumerate(zip(expected, found, strict=True)):
        group, layer = index % groups, index // groups
        excess, word = _excess(quantizer, index, residuals[group], np.stack([a, b]))
        bad = same[group] & (excess > 0).any(axis=0)
        assert not bad.any(), (
            f"layer {layer}, group {group}, frame {bad.argmax()}: codes {a[bad][0]} and {b[bad][0]}"
            f" are not both the nearest codeword's"
        )
        same[group] &= a == b
        residuals[group] = residuals[group] - word


def _excess(
    quantizer: ResidualVectorQuantizer, index: int, residual: Tensor, codes: Codes
) -> tuple[npt.NDArray[np.float64], Tensor]:
    """Return how far codes (n, frames) are beyond the margin, and the words of the first ones."""
    codebook = copy.deepcopy(quantizer.codebooks[index]).double()
    with torch.no_grad():
        inputs, entries = codebook.project_in(residual)[0].T, codebook.entries
        words = codebook.project_out(codebook.embed(torch.from_numpy(codes[:1])))
        if codebook.cosine:
            inputs, entries = F.normalize(inputs, dim=-1), F.normalize(entries, dim=-1)
        distances = torch.cdist(inputs, entries, compute_mode="donot_use_mm_for_euclid_dist")
        squares = distances.square().numpy()
    best = squares.min(axis=1)
    allowed = best * (1 + MARGIN) + ROUNDING * inputs.square().sum(-1).numpy()
    return squares[np.arange(len(best)), codes] - allowed, words
