"""Corpora: where utterances come from."""
