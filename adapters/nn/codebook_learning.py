"""How codebooks learn outside the gradient: k-means start, running means, revival of dead codes."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .quantizer import Codebook, Quantized, ResidualVectorQuantizer


class CodebookLearner(nn.Module):
    """Running means and usage of every codebook of a quantizer.

    It lives beside the quantizer while it is trained and is not part of its weights.

    Parameters
    ----------
    quantizer : ResidualVectorQuantizer
    decay : float
        Of the running means and the running usage.
    dead_below : float
        A code whose running usage a batch falls below this many frames is replaced by an
        input of the batch. Usage is counted as if every item of the batch used the layer: under
        quantizer dropout few do in deep layers, whose codes would all seem dead.
    balanced : bool
        Learn from every item in every layer; else only from items that use the layer.

    References
    ----------
    SoundStream (arXiv 2107.03312), Section III-C; running means: van den Oord et al.
    (arXiv 1711.00937), Appendix A.1.
    """

    usage: Tensor

    def __init__(
        self,
        quantizer: ResidualVectorQuantizer,
        decay: float = 0.99,
        dead_below: float = 2.0,
        balanced: bool = False,
    ) -> None:
        super().__init__()
        self.decay, self.dead_below, self.balanced = decay, dead_below, balanced
        self.moves_entries = quantizer.config.update == "ema"
        size = quantizer.config.codebook_size
        self.register_buffer("usage", torch.full((len(quantizer), size), 2.0 * dead_below))
        entries = [_entries(codebook) for codebook in quantizer.layers]
        sums = torch.stack([entry.detach() for entry in entries]) * 2.0 * dead_below
        self.register_buffer("sums", sums)
        self.register_buffer("share", torch.ones(len(quantizer)))

    sums: Tensor
    share: Tensor

    @torch.no_grad()
    def start(
        self,
        quantizer: ResidualVectorQuantizer,
        latents: Tensor,
        batches: int,
        generator: torch.Generator,
    ) -> None:
        """Place each layer's entries by k-means of what the layers before leave over.

        Parameters
        ----------
        quantizer : ResidualVectorQuantizer
        latents : Tensor, shape (items, channels, frames)
            With more frames in all than the codebooks have entries.
        batches : int
            Training batches that the latents come from; usage is counted a batch.
        generator : torch.Generator
        """
        groups = quantizer.config.groups
        residuals = list(latents.chunk(groups, dim=1))
        for index, codebook in enumerate(quantizer.layers):
            group = index % groups
            inputs = codebook.project_in(residuals[group])
            points = inputs.transpose(1, 2).flatten(0, 1)
            if codebook.cosine:
                points = F.normalize(points, dim=-1)
            entries, counts = k_means(points, len(_entries(codebook)), generator)
            _entries(codebook).copy_(entries)
            self._take_usage(index, entries, counts / batches)
            words = codebook.embed(codebook.lookup(inputs))
            residuals[group] = residuals[group] - codebook.project_out(words)

    @torch.no_grad()
    def go_on(self, quantizer: ResidualVectorQuantizer, latents: Tensor, batches: int) -> None:
        """Keep the entries and take their usage from latents, as if they had been learnt so far.

        Without it running means would begin with next to nothing, and the first batches would
        throw the entries about.

        Parameters
        ----------
        quantizer : ResidualVectorQuantizer
        latents : Tensor, shape (items, channels, frames)
        batches : int
            Training batches that the latents come from; usage is counted a batch.
        """
        for index, codes in enumerate(quantizer.encode(latents).unbind(1)):
            entries = _entries(quantizer.layers[index])
            counts = torch.bincount(codes.flatten(), minlength=len(entries)).to(entries.dtype)
            self._take_usage(index, entries, counts / batches)

    def _take_usage(self, index: int, entries: Tensor, usage: Tensor) -> None:
        """Let running means stand at these entries, each used this often by whole batches."""
        self.share[index] = 1.0
        self.usage[index] = usage.clamp(min=2 * self.dead_below)
        self.sums[index] = entries * self.usage[index, :, None]

    @torch.no_grad()
    def update(
        self, quantizer: ResidualVectorQuantizer, result: Quantized, generator: torch.Generator
    ) -> int:
        """Learn from one training batch; return how many dead codes were replaced."""
        replaced = 0
        for index, codebook in enumerate(quantizer.layers):
            keep = slice(None) if self.balanced else result.used[:, index]
            points = result.inputs[index][keep].transpose(1, 2).flatten(0, 1)
            codes = result.codes[keep, index].flatten()
            entries = _entries(codebook)
            counts = torch.bincount(codes, minlength=len(entries)).to(points.dtype)
            sums = torch.zeros_like(entries).index_add_(0, codes, points)
            # Before any process may pass over the layer, or the others would wait for it.
            counts, sums = _over_all_processes(counts), _over_all_processes(sums)
            seen = counts.sum()
            if not seen:
                continue
            whole = _over_all_processes(counts.new_tensor(float(result.codes[:, index].numel())))
            self.share[index].lerp_(seen / whole, 1 - self.decay)
            self.usage[index].lerp_(counts, 1 - self.decay)
            self.sums[index].lerp_(sums, 1 - self.decay)
            if self.moves_entries:
                entries.copy_(self.sums[index] / self.usage[index].clamp(min=1e-5)[:, None])
            anything = result.inputs[index].transpose(1, 2).flatten(0, 1)
            replaced += self._revive(index, entries, anything, generator)
        return replaced

    def _revive(
        self, index: int, entries: Tensor, points: Tensor, generator: torch.Generator
    ) -> int:
        threshold = self.dead_below * self.share[index]
        dead = (self.usage[index] < threshold).nonzero()[:, 0]
        if len(dead):
            chosen = torch.randint(len(points), (len(dead),), generator=generator)
            fresh = _from_first_process(points[chosen.to(points.device)])
            entries[dead] = fresh
            self.usage[index, dead] = 2 * threshold
            self.sums[index, dead] = fresh * 2 * threshold
        return len(dead)


def k_means(
    points: Tensor, clusters: int, generator: torch.Generator, rounds: int = 10
) -> tuple[Tensor, Tensor]:
    """Cluster points by Lloyd's algorithm from a random start.

    Parameters
    ----------
    points : Tensor, shape (n, channels)
        At least as many as clusters.

    Returns
    -------
    centres : Tensor, shape (clusters, channels)
    counts : Tensor, shape (clusters,)

    Raises
    ------
    ValueError
        If there are fewer points than clusters.
    """
    if len(points) < clusters:
        raise ValueError(f"{len(points)} points cannot fill {clusters} clusters")
    centres = points[torch.randperm(len(points), generator=generator)[:clusters].to(points.device)]
    for _ in range(rounds):
        nearest, counts = _assign(points, centres)
        sums = torch.zeros_like(centres).index_add_(0, nearest, points)
        empty = counts == 0
        centres = torch.where(empty[:, None], centres, sums / counts.clamp(min=1)[:, None])
        if empty.any():
            again = torch.randint(len(points), (int(empty.sum()),), generator=generator)
            centres[empty] = points[again.to(points.device)]
    return centres, _assign(points, centres)[1]


def _assign(points: Tensor, centres: Tensor) -> tuple[Tensor, Tensor]:
    offset = centres.square().sum(-1)
    nearest = torch.cat(
        [(offset - 2 * part @ centres.T).argmin(-1) for part in torch.split(points, 16384)]
    )
    return nearest, torch.bincount(nearest, minlength=len(centres)).to(points.dtype)


def _entries(codebook: Codebook) -> Tensor:
    entries = codebook.entries
    return entries.data if isinstance(entries, nn.Parameter) else entries


def _over_all_processes(x: Tensor) -> Tensor:
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.all_reduce(x)
    return x


def _from_first_process(x: Tensor) -> Tensor:
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.broadcast(x, 0)
    return x
