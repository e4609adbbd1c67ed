"""Bounds of what configurations may ask for: beyond any use, below what breaks a machine."""

from __future__ import annotations

from typing import Annotated

import pydantic

Channels = Annotated[int, pydantic.Field(ge=1, le=65_536)]
Samples = Annotated[int, pydantic.Field(ge=1, le=65_536)]
"""Strides, kernels, dilations, hops."""
Window = Annotated[int, pydantic.Field(ge=4, le=65_536)]
"""Samples of a spectrum's frame."""
Bins = Annotated[int, pydantic.Field(ge=1, le=4_096)]
Floor = Annotated[float, pydantic.Field(gt=0, le=1e6)]
