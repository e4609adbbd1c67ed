"""Starts from data: networks that are transform coders already, vocoders whose input is scaled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from ...errors import UserError
from ..nn.conv import Conv1d, ConvTranspose1d
from ..nn.hifigan import InputScale
from ..nn.network import CodecNetwork
from ..nn.streaming import Chain

_CONSTANT = 1e-4
"""Deviation below which a channel counts as constant and is not scaled; of float16's precision."""


@torch.no_grad()
def start_with_principal_components(
    encoder: nn.Module, decoder: nn.Module, waves: Tensor, keep_outer: bool, groups: int = 1
) -> list[float]:
    """Write principal components of training data into the convolutions of the main path.

    Each convolution of the encoder gets the leading eigenvectors of the second moments of its
    input's patches (one stride long), its counterpart in the decoder the same basis transposed;
    other weights and all biases of these convolutions become zero. Without activations
    and with residual units that start as the identity, the network then is an orthogonal
    transform that keeps the strongest components.

    Parameters
    ----------
    encoder, decoder : Chain
        Mirrored: the decoder has one convolution for each of the encoder, in reverse.
    waves : Tensor, shape (batch, samples)
    keep_outer : bool
        Leave the first convolution and the last one as they are (an MDCT), but for their biases.
    groups : int
        Of the latents, which the quantizer codes one by one: components are dealt to them so that
        all groups hold about the same power.

    Returns
    -------
    list of float
        Share of the power that each convolution of the encoder keeps.

    Raises
    ------
    UserError
        If the network is of another form.
    """
    if not isinstance(encoder, Chain) or not isinstance(decoder, Chain):
        raise UserError("start = principal_components needs SEANet's encoder and decoder")
    synthesis = _main_path(decoder)[::-1]
    analysis = [layer for layer in _main_path(encoder) if isinstance(layer, Conv1d)]
    if len(synthesis) != len(analysis):
        raise UserError("start = principal_components needs a decoder that mirrors the encoder")
    if any(layer.past + layer.stride > layer.conv.kernel_size[0] for layer in analysis):
        raise UserError("start = principal_components needs frame_end = last")
    counterparts = dict(zip(analysis, synthesis, strict=True))
    kept: list[float] = []
    x = waves[:, None]
    for layer in _layers(encoder):
        if isinstance(layer, Conv1d):
            outer = layer is analysis[0] and keep_outer
            basis, share = _leading_basis(layer, x)
            kept.append(1.0 if outer else share)
            _without_bias(layer, counterparts[layer])
            if layer is analysis[-1]:
                basis = _dealt(basis, groups)
            if not outer:
                _write_analysis(layer, basis)
                _write_synthesis(counterparts[layer], basis)
        x = layer(x)
    return kept


@torch.no_grad()
def flatten_spectrum(
    encoder: nn.Module, decoder: nn.Module, waves: Tensor, exponent: float, mdct: bool
) -> None:
    """Scale the bands of the outer MDCT so that the average spectrum is flatter behind it.

    What is quantized in proportion to its power then has noise that follows the spectrum of
    speech. The decoder's last convolution takes the scales back.

    Parameters
    ----------
    encoder, decoder : Chain
    waves : Tensor, shape (batch, samples)
    exponent : float
        A band of average magnitude a is divided by a to this power; 1 makes all bands alike.
    mdct : bool
        Whether the outer convolutions are an MDCT.

    Raises
    ------
    UserError
        If they are none.
    """
    if not mdct or not isinstance(encoder, Chain) or not isinstance(decoder, Chain):
        raise UserError("start_flattening needs outer convolutions that start as an MDCT")
    first, last = _main_path(encoder)[0], _main_path(decoder)[-1]
    _without_bias(first, last)  # else the measurement would be of the random biases
    bands = first.stride
    magnitude = first(waves[:, None])[:, :bands].square().mean(dim=(0, 2)).sqrt().clamp(min=1e-8)
    scale = (magnitude / magnitude.mean()) ** -exponent
    scale = scale * magnitude.sum() / (magnitude * scale).sum()
    first.conv.weight[:bands] *= scale[:, None, None]
    last.conv.weight[:bands] /= scale[:, None, None]


@torch.no_grad()
def start_with_code_statistics(network: CodecNetwork, batches: Sequence[Tensor]) -> None:
    """Scale a vocoder's input by mean and deviation of the quantized latents.

    Parameters
    ----------
    network : CodecNetwork
        With codebooks in place and a decoder that begins with an `InputScale`.
    batches : sequence of Tensor, shape (batch, samples)

    Raises
    ------
    UserError
        If the decoder does not scale its input.
    """
    scale = input_scale(network)
    frames = []
    for waves in batches:
        codes = network.quantizer.encode(network.encode(waves))
        frames.append(network.quantizer.decode(codes).double().transpose(1, 2).flatten(0, 1))
    deviation, mean = torch.std_mean(torch.cat(frames), dim=0)
    scale.mean.copy_(mean)
    scale.scale.copy_(torch.where(deviation > _CONSTANT, deviation, 1.0))


def input_scale(network: nn.Module) -> InputScale:
    """Return what scales a vocoder's input.

    Raises
    ------
    UserError
        If nothing does.
    """
    found = next((part for part in network.modules() if isinstance(part, InputScale)), None)
    if found is None:
        raise UserError("start = code_statistics needs a vocoder as decoder")
    return found


def _main_path(chain: Chain) -> list[Conv1d | ConvTranspose1d]:
    return [layer for layer in _layers(chain) if isinstance(layer, Conv1d | ConvTranspose1d)]


def _layers(chain: Chain) -> Iterator[nn.Module]:
    """Yield the layers of chains within chains, in order."""
    for layer in chain.layers:
        if isinstance(layer, Chain):
            yield from _layers(layer)
        else:
            yield layer


def _leading_basis(layer: Conv1d, x: Tensor) -> tuple[Tensor, float]:
    """Return eigenvectors (components, channels, stride) and the share of power they keep."""
    channels, stride = x.shape[1], layer.stride
    frames = x.shape[-1] // stride
    patches = x[..., : frames * stride].reshape(len(x), channels, frames, stride)
    rows = patches.transpose(1, 2).reshape(-1, channels * stride).double()
    values, vectors = torch.linalg.eigh(rows.T @ rows / len(rows))
    count = min(layer.conv.out_channels, channels * stride)
    leading = vectors.flip(1)[:, :count].T.reshape(count, channels, stride)
    share = float(values.flip(0)[:count].sum() / values.sum().clamp(min=1e-30))
    return leading.to(x.dtype), share


def _dealt(basis: Tensor, groups: int) -> Tensor:
    """Deal components, strongest first, to groups: there and back, so that none is ahead.

    Codebooks of equal size serve groups whose variances have equal products best (Ge et al.,
    Optimized product quantization, IEEE TPAMI 36, 2014).
    """
    if groups == 1 or len(basis) % groups:
        return basis
    rounds = torch.arange(len(basis)).reshape(-1, groups)
    rounds[1::2] = rounds[1::2].flip(1)
    return basis[rounds.T.flatten()]


def _without_bias(*layers: Conv1d | ConvTranspose1d) -> None:
    for layer in layers:
        if layer.conv.bias is not None:
            nn.init.zeros_(layer.conv.bias)


def _write_analysis(layer: Conv1d, basis: Tensor) -> None:
    """Let frame t be the components of the input's samples t * stride to (t + 1) * stride - 1."""
    weight = nn.init.zeros_(layer.conv.weight)
    weight[: len(basis), :, layer.past : layer.past + layer.stride] = basis


def _write_synthesis(layer: Conv1d | ConvTranspose1d, basis: Tensor) -> None:
    """Let the layer add up its input's components again."""
    components, channels, stride = basis.shape
    weight = nn.init.zeros_(layer.conv.weight)
    inputs, outputs = layer.conv.in_channels, layer.conv.out_channels
    if inputs < components or outputs < channels or layer.stride != stride:
        raise UserError(
            "start = principal_components needs a decoder as wide as the encoder, with its strides"
        )
    if isinstance(layer, ConvTranspose1d):
        weight[:components, :channels, layer.early : layer.early + stride] = basis
    else:
        weight[:channels, :components, layer.past] = basis[:, :, 0].T
