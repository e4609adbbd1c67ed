"""Speex, through Debian's speexenc and speexdec."""

from .codec import SpeexCodec

__all__ = ["SpeexCodec"]
