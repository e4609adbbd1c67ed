"""Losses of neural codecs: distances from the reference, and the adversarial game."""

from .adversarial import discriminator_loss, feature_matching_loss, generator_loss
from .config import LossesConfig
from .reconstruction import ReconstructionLosses, shortest_signal

__all__ = [
    "LossesConfig",
    "ReconstructionLosses",
    "discriminator_loss",
    "feature_matching_loss",
    "generator_loss",
    "shortest_signal",
]
