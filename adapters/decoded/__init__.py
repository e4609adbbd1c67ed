"""A folder of audio that was decoded elsewhere."""

from .codec import DecodedFolder

__all__ = ["DecodedFolder"]
