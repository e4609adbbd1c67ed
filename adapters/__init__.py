"""Adapters: one folder a codec."""
