"""The authors' layout: what their configuration files and checkpoints call the parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ...errors import UserError

if TYPE_CHECKING:
    from torch import Tensor, nn

    from .network import AudioDecNetworkConfig

_GENERATOR = "model.generator."
_IGNORED = (".pad_buffer", ".cluster_size", ".embed_avg")
"""Streaming buffers, and what running means of codebooks remember."""


def autoencoder_config(config: Mapping[str, Any], origin: str) -> dict[str, Any]:
    """Translate the configuration of an autoencoder.

    Parameters
    ----------
    config : mapping
        What their ``config.yml`` holds.
    origin : str
        Named in errors.

    Returns
    -------
    dict
        Of `AudioDecNetworkConfig`.

    Raises
    ------
    UserError
        If something is missing or is not supported here.
    """
    keys = _Keys(config.get("generator_params"), f"{origin}: generator_params")
    keys.demand("mode", "causal")
    keys.demand("projector", "conv1d")
    keys.demand("quantier", "residual_vq")
    keys.demand("bias", True)
    keys.demand("input_channels", 1)
    keys.demand("output_channels", 1)
    keys.demand("nonlinear_activation", "ELU")
    codec = keys.one_of("codec", ("audiodec", "activate_audiodec"))
    strides, width = keys.numbers("enc_strides"), keys.number("encode_channels")
    if keys.numbers("dec_strides") != strides[::-1]:
        raise UserError(f"{keys.origin}: dec_strides must be enc_strides in reverse")
    decoder_width = keys.number("decode_channels")
    activated = codec == "activate_audiodec"
    return {
        "sample_rate": _Keys(config, origin).number("sampling_rate"),
        "seanet": {
            "strides": strides,
            "encoder_channels": [width, *(width * one for one in keys.numbers("enc_ratios"))],
            "decoder_channels": [
                decoder_width,
                *(decoder_width * one for one in keys.numbers("dec_ratios")[::-1]),
            ],
            "latent_channels": keys.number("code_dim"),
            "linear_path": "encoder_blocks" if activated else True,
            "biases": "strided",
            "frame_end": "first",
            "transposed_past": "repeat",
            "output_activation": "tanh" if activated else "none",
        },
        "quantizer": {
            "codebooks": keys.number("codebook_num"),
            "codebook_size": keys.number("codebook_size"),
        },
    }


def vocoder_config(config: Mapping[str, Any], origin: str) -> dict[str, Any]:
    """Translate the configuration of a vocoder, as `autoencoder_config` does.

    Returns
    -------
    dict
        Of `HifiganConfig`.
    """
    keys = _Keys(config.get("generator_params"), f"{origin}: generator_params")
    keys.demand("out_channels", 1)
    keys.demand("nonlinear_activation", "LeakyReLU")
    strides = keys.numbers("upsample_scales")
    if keys.numbers("upsample_kernel_sizes") != [2 * stride for stride in strides]:
        raise UserError(f"{keys.origin}: upsample_kernel_sizes must be twice upsample_scales")
    slope = keys.get("nonlinear_activation_params", {"negative_slope": 0.1})
    return {
        "channels": keys.number("channels"),
        "strides": strides,
        "kernel_size": keys.number("kernel_size"),
        "kernel_sizes": keys.numbers("resblock_kernel_sizes"),
        "dilations": keys.get("resblock_dilations"),
        "groups": keys.number("groups"),
        "undilated": keys.get("use_additional_convs", True),
        "bias": keys.get("bias", True),
        "negative_slope": slope.get("negative_slope", 0.01) if isinstance(slope, dict) else slope,
    }


class _Keys:
    """The keys of one of their tables; errors name the file and the key."""

    def __init__(self, table: object, origin: str) -> None:
        if not isinstance(table, Mapping):
            raise UserError(f"{origin}: there is no such table; is this an AudioDec folder?")
        self.table, self.origin = table, origin

    def get(self, key: str, default: Any = None) -> Any:
        """Return a value."""
        value = self.table.get(key, default)
        if value is None:
            raise UserError(f"{self.origin}: {key} is missing")
        return value

    def number(self, key: str) -> int:
        """Return a whole number."""
        value = self.get(key)
        if type(value) is not int:
            raise UserError(f"{self.origin}: {key} must be a whole number")
        return value

    def numbers(self, key: str) -> list[int]:
        """Return a list of whole numbers."""
        value = self.get(key)
        if not isinstance(value, list) or not all(type(one) is int for one in value):
            raise UserError(f"{self.origin}: {key} must be a list of whole numbers")
        return value

    def demand(self, key: str, value: object) -> None:
        """Refuse any other value; the authors' own default is this one."""
        if self.table.get(key, value) != value:
            raise UserError(f"{self.origin}: {key} = {self.table[key]} is not supported")

    def one_of(self, key: str, values: tuple[str, ...]) -> str:
        """Return one of some texts, the first if there is none."""
        value = self.table.get(key, values[0])
        if value not in values:
            raise UserError(f"{self.origin}: {key} must be one of {', '.join(values)}")
        return str(value)


def generator_of(tensors: Mapping[str, Tensor], origin: str) -> dict[str, Tensor]:
    """Take the generator's tensors out of a checkpoint, without buffers of streams and training.

    Raises
    ------
    UserError
        If there is no generator in it.
    """
    found = {
        name.removeprefix(_GENERATOR): tensor
        for name, tensor in tensors.items()
        if name.startswith(_GENERATOR) and not name.endswith(_IGNORED)
    }
    if not found:
        raise UserError(f"{origin} is no checkpoint of AudioDec: it has no {_GENERATOR[:-1]}")
    return found


def autoencoder_names(config: AudioDecNetworkConfig) -> Iterator[tuple[str, str]]:
    """Yield (part of our network, their name) of each convolution, in order of execution."""
    units = range(len(config.seanet.dilations))
    blocks = range(len(config.seanet.strides))
    yield "encoder", "encoder.conv.conv"
    for block in blocks:
        for unit in units:
            yield "encoder", f"encoder.conv_blocks.{block}.res_units.{unit}.conv1.conv"
            yield "encoder", f"encoder.conv_blocks.{block}.res_units.{unit}.conv2"
        yield "encoder", f"encoder.conv_blocks.{block}.conv.conv"
    yield "encoder", "projector.project.conv"
    yield "decoder", "decoder.conv1.conv"
    for block in blocks:
        yield "decoder", f"decoder.conv_blocks.{block}.conv.deconv"
        for unit in units:
            yield "decoder", f"decoder.conv_blocks.{block}.res_units.{unit}.conv1.conv"
            yield "decoder", f"decoder.conv_blocks.{block}.res_units.{unit}.conv2"
    yield "decoder", "decoder.conv2.conv"


def vocoder_names(config: AudioDecNetworkConfig) -> Iterator[str]:
    """Yield their name of each convolution of the vocoder, in order of execution."""
    vocoder = config.vocoder
    assert vocoder is not None
    yield "input_conv.conv"
    for stage in range(len(vocoder.strides)):
        yield f"upsamples.{stage}.deconv"
        for block, dilations in enumerate(vocoder.dilations):
            inner = f"blocks.{stage}" if vocoder.copies else f"blocks.{stage}.blocks.{block}"
            for index in range(len(dilations)):
                yield f"{inner}.convs1.{index}.conv"
                if vocoder.undilated:
                    yield f"{inner}.convs2.{index}.conv"
        if vocoder.copies:
            yield f"blocks.{stage}.conv_out"
    yield "output_conv.conv"


def convolutions(module: nn.Module) -> list[str]:
    """Name the convolutions of a module in order of execution."""
    from torch import nn

    kinds = (nn.Conv1d, nn.ConvTranspose1d)
    return [name for name, part in module.named_modules() if isinstance(part, kinds)]


def convolution_tensors(theirs: dict[str, Tensor], name: str, ours: str) -> dict[str, Tensor]:
    """Take a convolution out of their tensors; weight normalization is multiplied out."""
    found = {}
    if f"{name}.weight_v" in theirs and f"{name}.weight_g" in theirs:
        direction, length = theirs.pop(f"{name}.weight_v"), theirs.pop(f"{name}.weight_g")
        norm = direction.flatten(1).norm(dim=1).clamp(min=1e-30)
        shape = (-1, *(1 for _ in direction.shape[1:]))
        found[f"{ours}.weight"] = direction * (length.reshape(shape) / norm.reshape(shape))
    elif f"{name}.weight" in theirs:
        found[f"{ours}.weight"] = theirs.pop(f"{name}.weight")
    if f"{name}.bias" in theirs:
        found[f"{ours}.bias"] = theirs.pop(f"{name}.bias")
    return found
