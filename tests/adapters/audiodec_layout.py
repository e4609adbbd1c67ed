"""Writes folders in the layout of AudioDec's authors, with weights that anyone can draw again."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import Tensor

AUTOENCODER = {
    "input_channels": 1,
    "output_channels": 1,
    "encode_channels": 4,
    "decode_channels": 4,
    "code_dim": 8,
    "codebook_num": 2,
    "codebook_size": 16,
    "bias": True,
    "enc_ratios": [2, 4],
    "dec_ratios": [4, 2],
    "enc_strides": [2, 5],
    "dec_strides": [5, 2],
    "mode": "causal",
    "codec": "audiodec",
    "projector": "conv1d",
    "quantier": "residual_vq",
}
"""A small one, hop 10."""

VOCODER = {
    "in_channels": 8,
    "out_channels": 1,
    "channels": 16,
    "kernel_size": 7,
    "upsample_scales": [5, 2],
    "upsample_kernel_sizes": [10, 4],
    "resblock_kernel_sizes": [3],
    "resblock_dilations": [[1, 3]],
    "groups": 3,
    "bias": True,
    "use_additional_convs": True,
    "nonlinear_activation": "LeakyReLU",
    "nonlinear_activation_params": {"negative_slope": 0.1},
    "use_weight_norm": True,
    "stats": None,
}


def drawn(name: str, shape: Sequence[int], gain: float = 1.0) -> Tensor:
    """Draw a tensor from its name: the rule of the parity vectors."""
    generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
    noise = torch.randn(tuple(shape), generator=generator)
    if name.endswith("weight_g"):
        return 1.0 + 0.1 * noise
    if len(shape) <= 1:
        return 1.0 + 0.1 * noise if name.endswith("weight") else 0.02 * noise
    return gain * noise / math.sqrt(math.prod(shape[1:]))


def write_folder(
    folder: Path,
    generator_params: Mapping[str, Any],
    tensors: Mapping[str, Tensor],
    sample_rate: int = 8000,
    steps: int = 100,
) -> Path:
    """Write a configuration and a checkpoint."""
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = {"model": {"generator": dict(tensors)}, "steps": steps}
    torch.save(checkpoint, folder / f"checkpoint-{steps}steps.pkl")
    config = {"sampling_rate": sample_rate, "generator_params": dict(generator_params)}
    (folder / "config.yml").write_text(yaml.safe_dump(config))
    return folder


def autoencoder_shapes(params: Mapping[str, Any] = AUTOENCODER) -> dict[str, list[int]]:
    """List the names and shapes of an autoencoder's tensors, without those of streams."""
    width, code = params["encode_channels"], params["code_dim"]
    shapes = {"encoder.conv.conv.weight": [width, 1, 7]}
    before = width
    for block, (ratio, stride) in enumerate(
        zip(params["enc_ratios"], params["enc_strides"], strict=True)
    ):
        name, after = f"encoder.conv_blocks.{block}", width * ratio
        shapes |= _units(name, before)
        shapes[f"{name}.conv.conv.weight"] = [after, before, 2 * stride]
        shapes[f"{name}.conv.conv.bias"] = [after]
        before = after
    shapes["projector.project.conv.weight"] = [code, before, 3]
    for layer in range(params["codebook_num"]):
        name = f"quantizer.codebook.layers.{layer}"
        size = params["codebook_size"]
        shapes |= {f"{name}.embed": [code, size], f"{name}.embed_avg": [code, size]}
        shapes[f"{name}.cluster_size"] = [size]
    widths = [params["decode_channels"] * ratio for ratio in params["dec_ratios"]]
    shapes["decoder.conv1.conv.weight"] = [widths[0], code, 7]
    for block, stride in enumerate(params["dec_strides"]):
        name = f"decoder.conv_blocks.{block}"
        after = [*widths, params["decode_channels"]][block + 1]
        shapes[f"{name}.conv.deconv.weight"] = [widths[block], after, 2 * stride]
        shapes[f"{name}.conv.deconv.bias"] = [after]
        shapes |= _units(name, after)
    shapes["decoder.conv2.conv.weight"] = [1, params["decode_channels"], 7]
    return shapes


def _units(name: str, channels: int) -> dict[str, list[int]]:
    shapes = {}
    for unit in range(3):
        shapes[f"{name}.res_units.{unit}.conv1.conv.weight"] = [channels, channels, 7]
        shapes[f"{name}.res_units.{unit}.conv2.weight"] = [channels, channels, 1]
    return shapes


def vocoder_shapes(params: Mapping[str, Any] = VOCODER) -> dict[str, list[int]]:
    """List the names and shapes of a vocoder's tensors."""
    channels, groups = params["channels"], params["groups"]
    shapes = _normed("input_conv.conv", channels, params["in_channels"], params["kernel_size"])
    for stage, stride in enumerate(params["upsample_scales"]):
        half = channels // 2
        name = f"upsamples.{stage}.deconv"
        shapes[f"{name}.weight_v"] = [channels, half, 2 * stride]
        shapes |= {f"{name}.weight_g": [channels, 1, 1], f"{name}.bias": [half]}
        copies = groups > 1 and len(params["resblock_kernel_sizes"]) == 1
        wide = half * groups if copies else half
        blocks = zip(params["resblock_kernel_sizes"], params["resblock_dilations"], strict=True)
        for block, (size, dilations) in enumerate(blocks):
            inner = f"blocks.{stage}" if copies else f"blocks.{stage}.blocks.{block}"
            for index in range(len(dilations)):
                for convs in ("convs1", "convs2"):
                    shapes |= _normed(f"{inner}.{convs}.{index}.conv", wide, wide // groups, size)
        if copies:
            shapes[f"blocks.{stage}.conv_out.weight_v"] = [half, wide, 1]
            shapes[f"blocks.{stage}.conv_out.weight_g"] = [half, 1, 1]
        channels = half
    return shapes | _normed("output_conv.conv", 1, channels, params["kernel_size"])


def _normed(name: str, outputs: int, inputs: int, size: int) -> dict[str, list[int]]:
    return {
        f"{name}.weight_v": [outputs, inputs, size],
        f"{name}.weight_g": [outputs, 1, 1],
        f"{name}.bias": [outputs],
    }


def filled(shapes: Mapping[str, Sequence[int]]) -> dict[str, Tensor]:
    """Draw all tensors."""
    return {name: drawn(name, shape) for name, shape in shapes.items()}
