"""SoundStream, reproduced from the paper (arXiv 2107.03312)."""

from .codec import SoundStreamCodec

__all__ = ["SoundStreamCodec"]
