"""SVCODEC, a streaming variable-rate codec at 8 kHz, reproduced from what is public."""

from .codec import SvcodecCodec

__all__ = ["SvcodecCodec"]
