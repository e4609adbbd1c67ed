"""Weights files with random numbers, written once a process, the same every time."""

from __future__ import annotations

import functools
import json
import tempfile
from pathlib import Path

import torch
from torch import Tensor, nn

from codecbench.adapters.nn.network import CodecNetwork
from codecbench.adapters.nn.neural_codec import NeuralCodec
from codecbench.adapters.nn.quantizer import ResidualVectorQuantizer
from codecbench.adapters.nn.weights import write_weights
from codecbench.registry import CODECS, component_class

from .codec_signals import voice
from .neural_specs import NeuralSpec


@functools.cache
def spec_text(spec: NeuralSpec, seed: int = 0) -> str:
    """Return the spec string; random weights are written to a temporary folder first."""
    keys = [spec.keys] if spec.keys else []
    if spec.model is not None:
        keys.append(f"weights={random_weights(spec, seed)}")
    return f"{spec.codec}:{','.join(keys)}" if keys else spec.codec


@functools.cache
def random_weights(spec: NeuralSpec, seed: int = 0) -> Path:
    """Write a network with random weights and codebooks that fit its latents."""
    codec = component_class(CODECS, spec.codec)
    assert issubclass(codec, NeuralCodec)
    config = codec.network_config().model_validate(spec.model)
    network = random_network(codec, config, seed)
    metadata = {
        "codec": spec.codec,
        "variant": spec.variant,
        "config": config.model_dump_json(),
        "training": json.dumps({"recipe": "none: random weights"}),
    }
    path = Path(_folder().name) / f"{spec.id}-{seed}.safetensors"
    write_weights(path, network, metadata)
    return path


def random_network(codec: type[NeuralCodec], config: object, seed: int = 0) -> CodecNetwork:
    """Build a network with random weights and codebooks at the level of its latents."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = codec.build_network(config).eval()
        _leave_zero(network)
        network.set_denoising(network.denoises or None)
        signal = voice(500 * network.hop_length, network.sample_rate, seed + 100).samples
        with torch.no_grad():
            _spread_codebooks(network.quantizer, network.encode(torch.tensor(signal)[None]))
    return network


def _spread_codebooks(quantizer: ResidualVectorQuantizer, latents: Tensor) -> None:
    """Draw each layer's entries around what the layers before leave over, half as wide."""
    groups = quantizer.config.groups
    residuals = list(latents.chunk(groups, dim=1))
    for index, codebook in enumerate(quantizer.codebooks):
        inputs = codebook.project_in(residuals[index % groups])[0]
        spread = 0.5 * inputs.std(dim=1) * torch.randn_like(codebook.entries)
        codebook.entries.copy_(inputs.mean(dim=1) + spread)
        words = codebook.embed(codebook.lookup(inputs[None]))
        residuals[index % groups] = residuals[index % groups] - codebook.project_out(words)


def _leave_zero(network: nn.Module) -> None:
    """Move parameters that start at zero away from it: what does nothing cannot be tested."""
    with torch.no_grad():
        for parameter in network.parameters():
            if not parameter.any():
                nn.init.normal_(parameter, std=0.1)


@functools.cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="random-weights-")
