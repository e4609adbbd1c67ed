"""ITU-T G.722, the 64 kbit/s wideband codec."""

from .codec import G722Codec

__all__ = ["G722Codec"]
