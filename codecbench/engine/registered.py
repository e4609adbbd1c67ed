"""Takes what `codecbench.registry.register` was given to worker processes.

Classes of a notebook or script are copied whole, with what they use from there; those of a module
are imported again.
"""

from __future__ import annotations

import pickle

from ..errors import UserError
from ..registry import register, registered


def registered_copy() -> bytes:
    """Return a copy of all registered classes; empty if there are none.

    Raises
    ------
    UserError
        If they cannot be copied.
    """
    names = [name for components in registered.values() for name in components]
    if not names:
        return b""
    import cloudpickle

    try:
        copy: bytes = cloudpickle.dumps(registered)
    except (pickle.PicklingError, TypeError, AttributeError, ValueError) as error:
        raise UserError(
            f"what was registered ({', '.join(names)}) cannot be copied to worker processes:"
            f" {error}; make open files, locks and the like in `setup`, not beside the class"
        ) from error
    return copy


def take_registered(copy: bytes) -> None:
    """Register the classes of another process's `registered_copy`.

    Raises
    ------
    UserError
        If a class is of a module that this process cannot import.
    """
    if not copy:
        return
    try:
        found = pickle.loads(copy)  # noqa: S301 - it comes from the parent process
    except (ImportError, AttributeError) as error:
        raise UserError(
            f"worker processes cannot import what was registered: {error}; the module's folder"
            " must be in sys.path when the run starts"
        ) from error
    for components in found.values():
        for component in components.values():
            register(component)
