"""AMR narrowband, the speech codec of GSM and UMTS."""

from .codec import AmrNbCodec

__all__ = ["AmrNbCodec"]
