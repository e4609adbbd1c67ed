"""How precisely weights are stored: 32 or 16 bits, or 8 bits with a scale for each row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ....errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

Precision = Literal["float32", "float16", "int8"]

_SCALE = ".int8_scale"
_LARGEST = 127


def is_scale(name: str) -> bool:
    """Tell whether a stored tensor is the scale of another one, no weights of its own."""
    return name.endswith(_SCALE)


def packed(name: str, tensor: Tensor, precision: Precision) -> dict[str, Tensor]:
    """Return what is stored of a tensor, by name.

    In int8, tensors of two and more dimensions become integers in -127..127 and a tensor
    ``NAME.int8_scale`` of one float32 for each index of the first dimension; shorter ones
    (biases) become float16.

    Parameters
    ----------
    name : str
    tensor : Tensor
        Integers are stored as they are, whatever the precision.
    precision : {"float32", "float16", "int8"}

    Raises
    ------
    UserError
        If a value is not finite, or not in float16.
    """
    import torch

    # A copy of its own: safetensors refuses tensors that share storage.
    stored = tensor.detach().cpu().contiguous().clone()
    if not stored.is_floating_point():
        return {name: stored}
    _check_finite(name, stored, "not finite")
    if precision == "int8" and stored.ndim > 1 and stored.numel():
        return _as_integers(name, stored.float())
    stored = stored.to(torch.float32 if precision == "float32" else torch.float16)
    _check_finite(name, stored, "beyond float16")
    return {name: stored}


def unpacked(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Undo `packed` for all tensors of a file: what has a scale becomes float32.

    Raises
    ------
    UserError
        If a scale has no integers, or not one value for each of their rows.
    """
    scales = {name: tensor for name, tensor in tensors.items() if is_scale(name)}
    plain = {name: tensor for name, tensor in tensors.items() if name not in scales}
    for scale_name, scale in scales.items():
        name = scale_name.removesuffix(_SCALE)
        plain[name] = _scaled(name, plain.get(name), scale)
    return plain


def _as_integers(name: str, tensor: Tensor) -> dict[str, Tensor]:
    import torch

    scale = _shortened(tensor.abs().flatten(1).amax(1) / _LARGEST)
    rows = tensor / scale.clamp(min=torch.finfo(torch.float32).tiny).view(_column(tensor))
    return {name: rows.round().clamp(-_LARGEST, _LARGEST).to(torch.int8), name + _SCALE: scale}


def _shortened(scale: Tensor) -> Tensor:
    """Round up to 16 significant bits: a product with 8 bits then is exact in 32, so that what was
    read from a file is stored as the same integers and scales again."""
    import torch

    mantissa, exponent = torch.frexp(scale)
    return torch.ldexp((mantissa * 2**16).ceil() / 2**16, exponent)


def _scaled(name: str, integers: Tensor | None, scale: Tensor) -> Tensor:
    import torch

    fits = integers is not None and integers.dtype == torch.int8 and integers.ndim > 1
    if not fits or integers is None or scale.shape != integers.shape[:1]:
        raise UserError(f"the weights are damaged: the scale of {name[:200]!a} fits no integers")
    return integers.float() * scale.float().view(_column(integers))


def _column(tensor: Tensor) -> tuple[int, ...]:
    return (-1, *(1 for _ in tensor.shape[1:]))


def _check_finite(name: str, tensor: Tensor, reason: str) -> None:
    import torch

    if not torch.isfinite(tensor).all():
        raise UserError(f"the weights cannot be written: {name} holds values that are {reason}")
