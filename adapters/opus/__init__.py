"""Opus, the IETF codec for speech and music."""

from .codec import OpusCodec

__all__ = ["OpusCodec"]
