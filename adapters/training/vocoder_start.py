"""Starts of a vocoder from the codes of an encoder and a quantizer that are there already."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ...errors import UserError
from ..nn.companding import Compressor
from ..nn.conv import Conv1d, ConvTranspose1d
from ..nn.hifigan import HifiganConfig, InputScale
from ..nn.mdct import start_as_mdct
from ..nn.network import CodecNetwork

_RIDGE = 1e-4
"""Over the mean power of the features."""


def vocoder_of(network: CodecNetwork, start: str) -> HifiganConfig:
    """Return the vocoder's configuration.

    Raises
    ------
    UserError
        If the network has none, or none that can start so.
    """
    config: HifiganConfig | None = getattr(network.config, "vocoder", None)
    if config is None:
        raise UserError(f"start = {start} needs a vocoder as decoder")
    on_frames = config.last_stride == network.hop_length
    if start == "least_squares" and not (
        on_frames and config.mdct_start and config.linear_path and config.zero_start
    ):
        raise UserError(
            "start = least_squares needs a vocoder with linear_path, zero_start, mdct_start and a"
            f" last_stride of the hop, {network.hop_length}"
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
    """Start a vocoder on frames as the best linear map from latents to an MDCT.

    All convolutions of its main path but the last one hand their first channels on; the last one
    gets the weights that give the waveforms' (companded) MDCT with the least squared error.

    Parameters
    ----------
    network : CodecNetwork
        With codebooks in place and the vocoder's input scaled; see `vocoder_of`.
    waves : Tensor, shape (batch, samples)

    Returns
    -------
    float
        Share of the spectra's power that the error is.
    """
    decoder: Any = network.decoder
    path = [one for one in decoder.layers if isinstance(one, Conv1d | ConvTranspose1d)]
    *before, last, _ = path
    for layer in before:
        _hand_on(layer)
    features = _quantized(network, waves)
    for layer in decoder.layers:
        if layer is last:
            break
        features = layer(features)
    assert isinstance(last, Conv1d)
    return _fit(last, features, _spectra(network, waves))


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


def _spectra(network: CodecNetwork, waves: Tensor) -> Tensor:
    """Return the MDCT of waveforms, companded as the network's is."""
    size = network.hop_length
    analysis = Conv1d(1, size, 2 * size, size, bias=False).to(waves.device)
    start_as_mdct(analysis.conv.weight, size)
    spectra: Tensor = analysis(waves[:, None])
    companding = getattr(network.config, "companding", None)
    return spectra if companding is None else Compressor(companding)(spectra)


def _fit(layer: Conv1d, features: Tensor, targets: Tensor) -> float:
    """Solve for a convolution's weights and bias; return the error over the targets' power."""
    kernel = layer.conv.kernel_size[0]
    padded = nn.functional.pad(features, (layer.past, 0)).unfold(2, kernel, 1)
    rows = padded.transpose(1, 2).flatten(2).flatten(0, 1).double()
    rows = nn.functional.pad(rows, (0, 1), value=1.0)
    wanted = targets.transpose(1, 2).flatten(0, 1).double()
    gram = rows.T @ rows
    gram += _RIDGE * gram.diagonal().mean() * torch.eye(len(gram)).to(gram)
    solution = torch.linalg.solve(gram, rows.T @ wanted)
    weight = layer.conv.weight
    weight.copy_(solution[:-1].T.reshape(weight.shape))
    assert layer.conv.bias is not None
    layer.conv.bias.copy_(solution[-1])
    return float((rows @ solution - wanted).square().sum() / wanted.square().sum())
