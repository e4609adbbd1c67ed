"""Torch devices named by the user."""

from __future__ import annotations

from .errors import UserError


def check_device(device: str) -> None:
    """Refuse a device that torch does not know or that is not here, before any work.

    Raises
    ------
    UserError
    """
    if device == "cpu":
        return
    import torch

    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"device '{device}' cannot be used here: {why}") from error
