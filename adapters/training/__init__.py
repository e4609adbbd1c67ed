"""The trainer of all neural codecs here: ``codecbench train``."""
