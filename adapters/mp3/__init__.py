"""MPEG-1/2 audio layer III, encoded by LAME."""

from .codec import Mp3Codec

__all__ = ["Mp3Codec"]
