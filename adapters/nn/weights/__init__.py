"""Weights of neural codecs: where they are, what they say of themselves, their tensors.

Importing this package does not import torch: headers are read without it.
"""

from .header import FORMAT, WeightsFile, check_format, read_header
from .loading import COUNTS, check_fit, load_into
from .official import OfficialWeights
from .packing import Precision
from .source import OFFICIAL, WeightsSource, found_here, is_outside_source, locate
from .tensors import read_tensors
from .writing import add_tensors, write_weights

__all__ = [
    "COUNTS",
    "FORMAT",
    "OFFICIAL",
    "OfficialWeights",
    "Precision",
    "WeightsFile",
    "WeightsSource",
    "add_tensors",
    "check_fit",
    "check_format",
    "found_here",
    "is_outside_source",
    "load_into",
    "locate",
    "read_header",
    "read_tensors",
    "write_weights",
]
