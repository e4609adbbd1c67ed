"""LC3, the codec of Bluetooth LE Audio, through lc3py."""

from .codec import Lc3Codec

__all__ = ["Lc3Codec"]
