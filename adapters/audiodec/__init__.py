"""AudioDec; see README.md."""

from .codec import AudioDecCodec

__all__ = ["AudioDecCodec"]
