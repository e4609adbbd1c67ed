"""MPEG-4 AAC-LC, by FFmpeg."""

from .codec import AacCodec

__all__ = ["AacCodec"]
