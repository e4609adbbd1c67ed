"""The anchor that changes nothing: 16-bit PCM."""

from .codec import IdentityCodec

__all__ = ["IdentityCodec"]
