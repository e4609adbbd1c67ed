"""Discriminators that neural codecs are trained against."""

from .output import DiscriminatorOutput

__all__ = ["DiscriminatorOutput"]
