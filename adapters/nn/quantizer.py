"""The residual vector quantizer of all neural codecs here, plain or grouped.

Codes are found greedily, layer after layer, so that the first n codes of a frame are the codes of
the n-layer quantizer: rates are chosen by dropping layers, when encoding or afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pydantic
import torch
from torch import Tensor, nn
from torch.nn import functional as F


class QuantizerConfig(pydantic.BaseModel):
    """Shape and manner of a residual vector quantizer."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    codebooks: int = pydantic.Field(default=8, ge=1, le=256)
    """Layers of each group."""
    codebook_size: int = pydantic.Field(default=1024, ge=2, le=1 << 20)
    groups: int = pydantic.Field(default=1, ge=1, le=64)
    """Equal parts of the channels, each with a residual quantizer of its own."""
    codebook_channels: int | None = pydantic.Field(default=None, ge=1, le=65_536)
    """Channels in which codewords are looked up, after a learned projection; None: without one."""
    lookup: Literal["euclidean", "cosine"] = "euclidean"
    update: Literal["ema", "gradient"] = "ema"
    """How codebooks learn: running means of what they are used for, or by the codebook loss."""

    def check_split(self, channels: int, what: str = "channels") -> None:
        """Raise `ValueError` if channels cannot be split in the groups."""
        if channels % self.groups:
            raise ValueError(
                f"quantizer: {channels} {what} cannot be split in {self.groups} groups"
            )


@dataclass(frozen=True)
class Quantized:
    """What a quantizer makes of latents.

    Parameters
    ----------
    latents : Tensor, shape (batch, channels, frames)
        Sum of the codewords in use; gradients pass straight through to the input.
    codes : Tensor of int64, shape (batch, groups * codebooks, frames)
        Layer-major: the first codes of all groups, then the second ones.
    inputs : list of Tensor, each (batch, codebook_channels, frames)
        What each codebook was asked to represent, detached, in the order of `codes`.
    commitment : Tensor, shape (batch, groups * codebooks)
        Mean squared distance of what was asked for to its codeword, with gradient to the former,
        whether the item uses the layer or not.
    codebook_loss : Tensor, shape (batch, groups * codebooks)
        The same with gradient to the codeword; without any under running means.
    used : Tensor of bool, shape (batch, groups * codebooks)
        Which layers each item uses.
    """

    latents: Tensor
    codes: Tensor
    inputs: list[Tensor]
    commitment: Tensor
    codebook_loss: Tensor
    used: Tensor


class Codebook(nn.Module):
    """One codebook and the projections around it.

    Parameters
    ----------
    channels : int
        Of the residual.
    config : QuantizerConfig
    """

    entries: Tensor

    def __init__(self, channels: int, config: QuantizerConfig) -> None:
        super().__init__()
        inner = config.codebook_channels or channels
        entries = torch.randn(config.codebook_size, inner) / inner**0.5
        if config.update == "gradient":
            self.entries = nn.Parameter(entries)
        else:
            self.register_buffer("entries", entries)
        self.cosine = config.lookup == "cosine"
        self.project_in: nn.Module = nn.Identity()
        self.project_out: nn.Module = nn.Identity()
        if config.codebook_channels is not None:
            self.project_in = nn.Conv1d(channels, inner, 1)
            self.project_out = nn.Conv1d(inner, channels, 1)

    @property
    def is_projected(self) -> bool:
        """Whether codewords live in another space than the residual."""
        return not isinstance(self.project_in, nn.Identity)

    def distances(self, inputs: Tensor) -> Tensor:
        """Squared distances to all entries, up to a term common to all; (..., codebook_size).

        Under cosine lookup both sides are normalized first.
        """
        entries = self.entries
        if self.cosine:
            inputs, entries = F.normalize(inputs, dim=-1), F.normalize(entries, dim=-1)
        return entries.square().sum(-1) - 2 * inputs @ entries.T

    def lookup(self, inputs: Tensor) -> Tensor:
        """Find the nearest entries of inputs (batch, inner, frames): int64 (batch, frames)."""
        with torch.no_grad():
            return self.distances(inputs.transpose(1, 2)).argmin(-1)

    def embed(self, codes: Tensor) -> Tensor:
        """Return the entries of codes (batch, frames) as (batch, inner, frames)."""
        return F.embedding(codes, self.entries).transpose(1, 2)


class ResidualVectorQuantizer(nn.Module):
    """Sum of codewords, each for what the ones before left over; in groups of channels.

    Parameters
    ----------
    channels : int
        Of the latents; a multiple of the groups.
    config : QuantizerConfig

    References
    ----------
    SoundStream (arXiv 2107.03312), Section III-C; grouped form: HiFi-Codec (arXiv 2305.02765);
    projected and cosine lookup: Yu et al. (arXiv 2110.04627).
    """

    def __init__(self, channels: int, config: QuantizerConfig) -> None:
        super().__init__()
        if channels % config.groups:
            raise ValueError(f"{channels} channels cannot be split into {config.groups} groups")
        self.config = config
        self.codebooks = nn.ModuleList(
            Codebook(channels // config.groups, config)
            for _ in range(config.codebooks * config.groups)
        )

    @property
    def layers(self) -> list[Codebook]:
        """The codebooks, in the order of the codes."""
        return [codebook for codebook in self.codebooks if isinstance(codebook, Codebook)]

    def __len__(self) -> int:
        """Codes a frame."""
        return len(self.codebooks)

    def forward(self, latents: Tensor, layers: Tensor | int | None = None) -> Quantized:
        """Quantize with gradients, for training.

        Parameters
        ----------
        latents : Tensor, shape (batch, channels, frames)
        layers : Tensor of int, shape (batch,), or int, optional
            Residual layers that each item uses; all if None. Codes and `inputs` are given for
            all layers whatever is used.
        """
        batch = len(latents)
        if layers is None or isinstance(layers, int):
            layers = torch.full((batch,), self.config.codebooks if layers is None else layers)
        depth = torch.arange(len(self), device=latents.device) // self.config.groups
        used = depth < layers.to(latents.device)[:, None]
        residuals = list(latents.chunk(self.config.groups, dim=1))
        sums = [torch.zeros_like(residual) for residual in residuals]
        codes, inputs, commitments, codebook_losses = [], [], [], []
        for index, codebook in enumerate(self.layers):
            group = index % self.config.groups
            step = _quantize(codebook, residuals[group])
            sums[group] = sums[group] + step.output * used[:, index, None, None]
            residuals[group] = residuals[group] - (
                step.output if codebook.is_projected else step.output.detach()
            )
            codes.append(step.codes)
            inputs.append(step.inputs.detach())
            commitments.append(step.commitment)
            codebook_losses.append(step.codebook_loss)
        quantized = torch.cat(sums, dim=1)
        if not self.layers[0].is_projected:
            quantized = latents + (quantized - latents).detach()
        return Quantized(
            quantized,
            torch.stack(codes, dim=1),
            inputs,
            torch.stack(commitments, dim=1),
            torch.stack(codebook_losses, dim=1),
            used,
        )

    @torch.no_grad()
    def encode(self, latents: Tensor, layers: int | None = None) -> Tensor:
        """Return codes of the first layers, int64 (batch, groups * layers, frames)."""
        residuals = list(latents.chunk(self.config.groups, dim=1))
        count = self.config.groups * (self.config.codebooks if layers is None else layers)
        codes = []
        for index, codebook in enumerate(self.layers[:count]):
            group = index % self.config.groups
            codes.append(codebook.lookup(codebook.project_in(residuals[group])))
            residuals[group] = residuals[group] - codebook.project_out(codebook.embed(codes[-1]))
        return torch.stack(codes, dim=1)

    def decode(self, codes: Tensor) -> Tensor:
        """Return latents of codes (batch, groups * layers, frames), any number of layers."""
        sums: list[Tensor | int] = [0] * self.config.groups
        for index, codebook in enumerate(self.layers[: codes.shape[1]]):
            group = index % self.config.groups
            sums[group] = sums[group] + codebook.project_out(codebook.embed(codes[:, index]))
        return torch.cat([part for part in sums if isinstance(part, Tensor)], dim=1)


@dataclass(frozen=True)
class _Step:
    output: Tensor
    codes: Tensor
    inputs: Tensor
    commitment: Tensor
    codebook_loss: Tensor


def _quantize(codebook: Codebook, residual: Tensor) -> _Step:
    """Quantize a residual with one codebook."""
    inputs = codebook.project_in(residual)
    codes = codebook.lookup(inputs)
    words = codebook.embed(codes)
    commitment = _distance(inputs, words.detach())
    codebook_loss = _distance(inputs.detach(), words)
    output = codebook.project_out(inputs + (words - inputs).detach())
    return _Step(output, codes, inputs, commitment, codebook_loss)


def _distance(x: Tensor, y: Tensor) -> Tensor:
    return (x - y).square().mean(dim=(1, 2))
