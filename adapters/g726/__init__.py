"""ITU-T G.726, telephone ADPCM."""

from .codec import G726Codec

__all__ = ["G726Codec"]
