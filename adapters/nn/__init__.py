"""Building blocks of the neural codecs."""
