"""Codec 2, the open vocoder for 700 to 3200 bit/s, through pycodec2."""

from .codec import Codec2Codec

__all__ = ["Codec2Codec"]
