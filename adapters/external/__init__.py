"""Any codec with a command line."""

from .codec import ExternalCodec

__all__ = ["ExternalCodec"]
