"""G.711 mu-law: 8 bits a sample."""

from .codec import MulawCodec

__all__ = ["MulawCodec"]
