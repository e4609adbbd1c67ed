"""PSCodec, a low-rate codec with prompt encoders, reproduced from what is public."""

from .codec import PscodecCodec

__all__ = ["PscodecCodec"]
