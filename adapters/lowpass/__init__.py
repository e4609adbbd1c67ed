"""The low anchor of listening tests: nothing above a cut-off frequency."""

from .codec import LowpassCodec

__all__ = ["LowpassCodec"]
