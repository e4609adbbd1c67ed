"""What comes before the first step of a stage: the starts of network and codebooks."""

from __future__ import annotations

from typing import Any

import torch
from lightning.fabric import Fabric
from torch import Tensor

from .crops import Batch, BatchMaker
from .logs import Log
from .models import Models
from .randomness import Purpose, torch_seed
from .recipe import Recipe
from .start import (
    flatten_spectrum,
    start_with_code_statistics,
    start_with_principal_components,
)

_START_BATCHES = 32


class Beginning:
    """Starts network and codebooks from batches of the first process.

    Parameters
    ----------
    fabric : Fabric
    recipe : Recipe
    models : Models
    batches : BatchMaker
    """

    def __init__(self, fabric: Fabric, recipe: Recipe, models: Models, batches: BatchMaker) -> None:
        self.fabric, self.recipe, self.models, self.batches = fabric, recipe, models, batches

    def begin(self, index: int, latent_power: float | None, log: Log) -> float | None:
        """Do what comes before the first step of a stage.

        Parameters
        ----------
        index : int
            Of the stage.
        latent_power : float or None
            None if no stage has quantized yet.
        log : Log

        Returns
        -------
        float or None
            Variance of the latents when quantizing started.
        """
        stage = self.recipe.stages[index]
        starts_codebooks = stage.quantize and latent_power is None
        if stage.start is not None:
            self._start_network(index, log)
        if starts_codebooks:
            latent_power = self._start_codebooks(index, log)
            self._start_side_codebooks(index)
        if stage.start is not None or starts_codebooks:
            self._share()
            if self.models.average is not None:
                self.models.average.restart(self.models.network)
        power: float | None = self.fabric.broadcast(latent_power)
        return power

    def _start_network(self, index: int, log: Log) -> None:
        stage = self.recipe.stages[index]
        if stage.start == "principal_components":
            self._start_transform_coder(index, log)
        elif stage.start == "code_statistics":
            batches = self._waves(index, _START_BATCHES, Purpose.START)
            start_with_code_statistics(self.models.network, batches)
            log.note(f"the vocoder's input is scaled by statistics of {len(batches)} batches")

    def _start_transform_coder(self, index: int, log: Log) -> None:
        stage = self.recipe.stages[index]
        waves = torch.cat(self._waves(index, _START_BATCHES, Purpose.START))
        network: Any = self.models.network
        mdct, groups = network.mdct_start, network.quantizer.config.groups
        flattening = stage.start_flattening
        if flattening:
            flatten_spectrum(network.encoder, network.decoder, waves, flattening, mdct)
        kept = start_with_principal_components(
            network.encoder, network.decoder, waves, mdct, groups
        )
        shares = ", ".join(f"{100 * share:.1f}" for share in kept)
        log.note(f"principal components keep {shares} % of the power, layer by layer")

    def _start_codebooks(self, index: int, log: Log) -> float:
        stage = self.recipe.stages[index]
        network, codebooks = self.models.network, self.models.codebooks
        waves = self._waves(index, stage.codebooks.kmeans_batches, Purpose.CODEBOOKS)
        with torch.no_grad(), self.fabric.autocast():
            network.set_denoising(None)
            latents = torch.cat([network.encode(batch) for batch in waves]).float()
        if not self.recipe.has_codebooks:
            seed = torch_seed(self.recipe.seed, index, 0, 0, Purpose.CODEBOOKS)
            codebooks.start(latents, len(waves), seed)
        else:
            codebooks.go_on(latents, len(waves))
        power = float(latents.var())
        log.note(f"quantizing starts; {latents[:, 0].numel()} frames have variance {power:.4g}")
        return power

    def _start_side_codebooks(self, index: int) -> None:
        """Start the codebooks of what is sent once a signal, from as many prompts as it says."""
        network, side = self.models.network, self.models.side_codebooks
        if not side:
            return
        batches = self.recipe.stages[index].side_codebooks.kmeans_batches
        with torch.no_grad():
            found = [
                network.side_latents(batch.inputs if batch.prompts is None else batch.prompts)
                for batch in self._batches(index, batches, Purpose.CODEBOOKS)
            ]
        for place, (name, codebooks) in enumerate(side.items(), start=1):
            latents = torch.cat([one[name] for one in found]).float()
            if self.recipe.brings(name):
                codebooks.go_on(latents, batches)
                continue
            seed = torch_seed(self.recipe.seed, index, place, 0, Purpose.CODEBOOKS)
            codebooks.start(latents, batches, seed)

    def _waves(self, index: int, count: int, purpose: Purpose) -> list[Tensor]:
        return [batch.inputs for batch in self._batches(index, count, purpose)]

    def _batches(self, index: int, count: int, purpose: Purpose) -> list[Batch]:
        size = self.recipe.stages[index].batch_size
        batches = (self.batches(index, step, size, purpose) for step in range(count))
        return [batch.to(self.fabric.device) for batch in batches]

    def _share(self) -> None:
        """Give all processes what the first one has."""
        if self.fabric.world_size > 1:
            parts: list[Any] = [self.models.network, self.models.codebooks]
            for part in [*parts, *self.models.side_codebooks.values()]:
                part.load_state_dict(self.fabric.broadcast(part.state_dict()))
