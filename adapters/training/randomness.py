"""Random choices that depend on nothing but where training stands, so that it can resume."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import torch


class Purpose(IntEnum):
    """What a choice is for; different purposes draw independently."""

    CROPS = 0
    LAYERS = 1
    CODEBOOKS = 2
    START = 3
    NETWORK = 4


def numpy_generator(
    seed: int, stage: int, step: int, rank: int, purpose: Purpose
) -> np.random.Generator:
    """Return the generator of one step of one process."""
    return np.random.default_rng([seed, stage, step, rank, purpose])


def torch_seed(seed: int, stage: int, step: int, rank: int, purpose: Purpose) -> int:
    """Return a seed for torch's generators at one step of one process."""
    words = np.random.SeedSequence([seed, stage, step, rank, purpose]).generate_state(1)
    return int(words[0])


def torch_generator(
    seed: int, stage: int, step: int, rank: int, purpose: Purpose
) -> torch.Generator:
    """Return torch's generator (on the CPU) of one step of one process."""
    return torch.Generator().manual_seed(torch_seed(seed, stage, step, rank, purpose))
