"""Starts of a vocoder from the codes of an encoder and a quantizer that are there already."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ...errors import UserError
from ..nn.companding import Compressor
from ..nn.conv import Conv1d, ConvTranspose1d
from ..nn.hifigan import HifiganConfig, InputScale
from ..nn.network import CodecNetwork

_RIDGE = 1e-6
"""Over the mean power of the features."""


def vocoder_of(network: CodecNetwork, start: str) -> HifiganConfig:
    """Return the vocoder's configuration.

    Raises
    ------
    UserError
        If the network has none, or none that can start so.
    """
    shape: Any = network.config
    config: HifiganConfig | None = getattr(shape, "vocoder", None)
    if config is None:
        raise UserError(f"start = {start} needs a vocoder as decoder")
    hop, seanet = network.hop_length, shape.seanet
    frames = (hop, hop) == (config.last_stride, seanet.first_stride)
    as_wide = config.last_stride == seanet.encoder_channels[0]
    plain = config.linear_path and config.zero_start
    if start == "least_squares" and not (frames and as_wide and plain):
        raise UserError(
            "start = least_squares needs a vocoder with linear_path, zero_start and a last_stride"
            f" of the hop, {hop}, and an encoder with this first_stride and as many first channels"
        )
    return config


@torch.no_grad()
def start_with_code_statistics(network: CodecNetwork, waves: Tensor) -> None:
    """Scale the vocoder's input by mean and deviation of the quantized latents.

    Parameters
    ----------
    network : CodecNetwork
        With codebooks in place.
    waves : Tensor, shape (batch, samples)
    """
    latents = _quantized(network, waves)
    scale = next(part for part in network.modules() if isinstance(part, InputScale))
    scale.mean.copy_(latents.mean(dim=(0, 2)))
    scale.scale.copy_(latents.std(dim=(0, 2)).clamp(min=1e-8))


@torch.no_grad()
def start_with_least_squares(network: CodecNetwork, waves: Tensor) -> float:
    """Start a vocoder as the best linear map from latents to the encoder's own first frames.

    All convolutions of its main path hand their first channels on, but for the last two: these get
    the weights that give, with the least squared error, what the encoder's first
    convolution (and companding) makes of the waveforms, and the waveforms of that.

    Parameters
    ----------
    network : CodecNetwork
        With codebooks in place and the vocoder's input scaled; see `vocoder_of`.
    waves : Tensor, shape (batch, samples)

    Returns
    -------
    float
        Share of the frames' power that the error is.
    """
    decoder: Any = network.decoder
    path = [one for one in decoder.layers if isinstance(one, Conv1d | ConvTranspose1d)]
    *before, last, patches = path
    assert isinstance(last, Conv1d)
    assert isinstance(patches, ConvTranspose1d)
    for layer in before:
        _hand_on(layer)
    features = _quantized(network, waves)
    for layer in decoder.layers:
        if layer is last:
            break
        features = layer(features)
    frames = _first_frames(network, waves)
    _fit_patches(patches, frames, waves, network.delay_samples)
    companding = getattr(network.config, "companding", None)
    return _fit(last, features, frames if companding is None else Compressor(companding)(frames))


def _quantized(network: CodecNetwork, waves: Tensor) -> Tensor:
    codes = network.quantizer.encode(network.encode(waves))
    return network.quantizer.decode(codes).float()


def _hand_on(layer: Conv1d | ConvTranspose1d) -> None:
    """Let the first channels pass unchanged; those beyond the input's stay random."""
    weight = layer.conv.weight
    if isinstance(layer, Conv1d):
        count = layer.conv.in_channels
        weight[:count] = 0
        weight[:count, :, layer.past] = torch.eye(count).to(weight)
    else:
        nn.init.zeros_(weight)
        weight[:, :, 0] = torch.eye(*weight.shape[:2]).to(weight)
    if layer.conv.bias is not None:
        nn.init.zeros_(layer.conv.bias)


def _first_frames(network: CodecNetwork, waves: Tensor) -> Tensor:
    """Return what the encoder's first convolution makes of waveforms."""
    encoder: Any = network.encoder
    frames: Tensor = encoder.layers[0](waves[:, None])
    return frames


def _fit(layer: Conv1d, features: Tensor, targets: Tensor) -> float:
    """Solve for a convolution's weights and bias; return the error over the targets' power."""
    kernel = layer.conv.kernel_size[0]
    padded = nn.functional.pad(features, (layer.past, 0)).unfold(2, kernel, 1)
    rows = nn.functional.pad(padded.transpose(1, 2).flatten(2).flatten(0, 1), (0, 1), value=1.0)
    wanted = targets.transpose(1, 2).flatten(0, 1)
    solution, left = _solved(rows, wanted)
    _write(layer, solution[:-1].T, solution[-1])
    return left


def _fit_patches(layer: ConvTranspose1d, frames: Tensor, waves: Tensor, delay: int) -> None:
    """Solve for the weights that make the delayed waveform of each frame and the one before."""
    delayed = nn.functional.pad(waves, (delay, 0))[:, : frames.shape[2] * layer.stride]
    before = nn.functional.pad(frames, (1, 0))[..., :-1]
    rows = torch.cat([frames, before], dim=1).transpose(1, 2).flatten(0, 1)
    solution, _ = _solved(rows, delayed.reshape(-1, layer.stride))
    now, later = solution.chunk(2)
    _write(layer, torch.cat([now, later], dim=1), torch.zeros(1))


def _solved(rows: Tensor, wanted: Tensor) -> tuple[Tensor, float]:
    """Return the solution of least squares and its error over the power of what was wanted."""
    a, b = rows.double(), wanted.double()
    gram = a.T @ a
    gram += _RIDGE * gram.diagonal().mean() * torch.eye(len(gram)).to(gram)
    solution = torch.linalg.solve(gram, a.T @ b)
    return solution, float((a @ solution - b).square().sum() / b.square().sum())


def _write(layer: Conv1d | ConvTranspose1d, weight: Tensor, bias: Tensor) -> None:
    layer.conv.weight.copy_(weight.reshape(layer.conv.weight.shape))
    if layer.conv.bias is not None:
        layer.conv.bias.copy_(bias)
