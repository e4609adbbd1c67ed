"""Imports of packages that warn of their own age, without those warnings and no others."""

from __future__ import annotations

import importlib
import sys
import warnings
from types import ModuleType

_KNOWN = (
    # pyworld and webrtcvad ask pkg_resources for their version; setuptools<81 still has it.
    (r"pkg_resources is deprecated as an API", UserWarning),
    (r"Deprecated call to `pkg_resources\.declare_namespace", DeprecationWarning),
    # resemblyzer takes binary_dilation from its former place in scipy.
    (r"Please import `binary_dilation` from the `scipy\.ndimage` namespace", DeprecationWarning),
)


def import_quietly(name: str) -> ModuleType:
    """Import a module without the known warnings of outdated imports.

    Parameters
    ----------
    name : str
        Absolute name of the module.
    """
    if name in sys.modules:
        return sys.modules[name]
    with warnings.catch_warnings():
        for message, category in _KNOWN:
            warnings.filterwarnings("ignore", message=message, category=category)
        return importlib.import_module(name)
