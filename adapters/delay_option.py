"""The option ``delay=auto|N`` of codecs that were not built here."""

from __future__ import annotations

from typing import Annotated, Literal

import pydantic

_LARGEST = 1_000_000


def _parsed(value: object) -> object:
    if value == "auto" or isinstance(value, int):
        return value
    try:
        number = int(str(value))
    except ValueError as error:
        raise ValueError("write auto, or a whole number of samples") from error
    if abs(number) > _LARGEST:
        raise ValueError(f"a delay has at most {_LARGEST} samples")
    return number


Delay = Annotated[Literal["auto"] | int, pydantic.BeforeValidator(_parsed)]
"""Samples by which decoded audio is late; ``auto``: the engine estimates one for the codec."""


def declared(delay: Literal["auto"] | int) -> int | None:
    """Return the delay as a card states it: None where it is to be estimated."""
    return None if delay == "auto" else delay
