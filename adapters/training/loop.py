"""The training loop: stages, steps, judgements and checkpoints."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning.fabric import Fabric
from torch import Tensor, nn

from ...errors import UserError
from ..nn.balancer import GradientBalancer
from ..nn.network import CodecNetwork
from . import checkpoint
from .averaging import WeightAverage
from .checkpoint import BEST, LAST, Origin, Progress
from .codebooks import Codebooks
from .crops import Batch, BatchMaker, Prefetcher
from .export import Exporter
from .logs import Log, Speed
from .objective import (
    Objective,
    balancer_of,
    discriminators_loss,
    judge,
    to_descend,
    weighted_sum,
)
from .randomness import Purpose, numpy_generator, torch_seed
from .recipe import Recipe, StageConfig
from .selection import Selection
from .stage import Optimizers, draw_layers, learns, set_learning_parts
from .start import describe_start, start_with_principal_components
from .stopping import StopRequest

_START_BATCHES = 4


@dataclass
class Models:
    """Everything that learns.

    Parameters
    ----------
    network : CodecNetwork
    codebooks : Codebooks
    discriminators : nn.Module or None
    average : WeightAverage or None
    """

    network: CodecNetwork
    codebooks: Codebooks
    discriminators: nn.Module | None
    average: WeightAverage | None

    @property
    def judged(self) -> CodecNetwork:
        """The network that is judged and handed over."""
        if self.average is None:
            return self.network
        assert isinstance(self.average.network, CodecNetwork)
        return self.average.network

    def state_dict(self) -> dict[str, Any]:
        """Return what `load_state_dict` takes."""
        return {name: part.state_dict() for name, part in self._parts().items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a saved state."""
        for name, part in self._parts().items():
            part.load_state_dict(state[name])

    def _parts(self) -> dict[str, Any]:
        parts = {
            "network": self.network,
            "codebooks": self.codebooks,
            "discriminators": self.discriminators,
            "average": self.average,
        }
        return {name: part for name, part in parts.items() if part is not None}


class TrainingLoop:
    """Trains through all stages, from wherever the last checkpoint left off.

    Parameters
    ----------
    fabric : Fabric
        Launched.
    recipe : Recipe
    origin : Origin
    models : Models
        On the device.
    batches : BatchMaker
    selection : Selection or None
        None in all processes but the first, and in recipes without.
    exporter : Exporter
    folder : Path
    """

    def __init__(
        self,
        fabric: Fabric,
        recipe: Recipe,
        origin: Origin,
        models: Models,
        batches: BatchMaker,
        selection: Selection | None,
        exporter: Exporter,
        folder: Path,
    ) -> None:
        self.fabric, self.recipe, self.origin, self.models = fabric, recipe, origin, models
        self.batches, self.selection, self.exporter = batches, selection, exporter
        self.folder = folder
        self.objective = Objective(recipe.losses, models.network.sample_rate).to(fabric.device)
        self.prefetcher = Prefetcher(batches, recipe.data.workers)
        self.progress = Progress()
        self._optimizers: Optimizers | None = None
        self._balancer: GradientBalancer | None = None
        self._saved: dict[str, Any] | None = None

    def resume(self) -> bool:
        """Go on from the last checkpoint, if there is one; tell whether there was."""
        path = self.folder / LAST
        if not path.exists():
            return False
        self.progress, states = checkpoint.load(path, self.origin)
        self.models.load_state_dict(states["models"])
        self._saved = states["stage"]
        return True

    def run(self, log: Log, stop: StopRequest) -> bool:
        """Train until the end or until asked to stop; tell whether the end was reached."""
        self.log, self.stop = log, stop
        self._clock = self._last_save = time.monotonic()
        try:
            for index in range(self.progress.stage, len(self.recipe.stages)):
                if not self._run_stage(index):
                    return False
            self._hand_over()
            return True
        finally:
            self.prefetcher.close()

    @property
    def steps_done(self) -> int:
        """Steps over all stages."""
        return self.recipe.first_step(self.progress.stage) + self.progress.step

    # -- stages ------------------------------------------------------------------------------

    def _run_stage(self, index: int) -> bool:
        stage = self.recipe.stages[index]
        self._enter(index, stage)
        seconds = stage.batch_size * self.recipe.data.crop_seconds * self.fabric.world_size
        self.speed = Speed(seconds)
        self.log.stage(stage.name, self.progress.step, stage.steps)
        while self.progress.step < stage.steps:
            self._step(index, stage)
            if self.stop.is_due(self.progress.step) and self.progress.step < stage.steps:
                self._save()
                return False
        self.progress.stage, self.progress.step = index + 1, 0
        self._optimizers = None
        self._save()
        return True

    def _enter(self, index: int, stage: StageConfig) -> None:
        """Set up a stage, anew or as it was left."""
        models = self.models
        set_learning_parts(models.network, stage)
        models.codebooks.configure(stage.codebooks)
        if not self.progress.step:
            self._start(index, stage)
        discriminators = models.discriminators if stage.is_adversarial else None
        self._optimizers = Optimizers(stage, models.network, discriminators)
        self._balancer = balancer_of(stage)
        if self._balancer is not None:
            self._balancer.to(self.fabric.device)
        if self._saved is not None:
            self._optimizers.load_state_dict(self._saved["optimizers"])
            if self._balancer is not None:
                self._balancer.load_state_dict(self._saved["balancer"])
            self._saved = None

    def _start(self, index: int, stage: StageConfig) -> None:
        """Do what comes before the first step of a stage."""
        models = self.models
        if stage.start == "principal_components":
            self._start_network(index, stage)
        if stage.quantize and self.progress.latent_power is None:
            self.progress.latent_power = self._start_codebooks(index, stage)
        elif stage.start is None:
            return
        self._share(models.network)
        if models.average is not None:
            models.average.restart(models.network)

    def _start_network(self, index: int, stage: StageConfig) -> None:
        network: Any = self.models.network
        batches = [self._extra(index, stage, step, Purpose.START) for step in range(_START_BATCHES)]
        waves = torch.cat([batch.inputs for batch in batches])
        keep_outer = bool(network.config.seanet.mdct_start)
        kept = start_with_principal_components(network.encoder, network.decoder, waves, keep_outer)
        self.log.note(describe_start(kept))

    @torch.no_grad()
    def _start_codebooks(self, index: int, stage: StageConfig) -> float:
        """Start the codebooks from latents of all processes; return the variance of these."""
        latents = []
        for step in range(stage.codebooks.kmeans_batches):
            batch = self._extra(index, stage, step, Purpose.CODEBOOKS)
            with self.fabric.autocast():
                latents.append(self._forward(batch, None, quantize=False).latents)
        mine = torch.cat(latents).float()
        gathered = self.fabric.all_gather(mine)
        assert isinstance(gathered, Tensor)
        everyone = gathered.reshape(-1, *mine.shape[1:])
        seed = torch_seed(self.recipe.seed, index, 0, 0, Purpose.CODEBOOKS)
        self.models.codebooks.start(everyone, seed, stage.name)
        power = float(everyone.var())
        self.log.note(
            f"codebooks start from {everyone[:, 0].numel()} frames of variance {power:.4g}"
        )
        return power

    def _share(self, module: nn.Module) -> None:
        """Give all processes what the first one has."""
        if self.fabric.world_size > 1:
            module.load_state_dict(self.fabric.broadcast(module.state_dict()))

    def _extra(self, index: int, stage: StageConfig, step: int, purpose: Purpose) -> Batch:
        """Make a batch outside of the steps."""
        return self.batches(index, step, stage.batch_size, purpose).to(self.fabric.device)

    # -- steps -------------------------------------------------------------------------------

    def _step(self, index: int, stage: StageConfig) -> None:
        report = self._learn(index, stage)
        self.progress.step += 1
        self.speed.count()
        self.log.step(self.progress.step)
        if self.steps_done % self.recipe.log.every == 0:
            self._tell(report)
        every = None if self.recipe.selection is None else self.recipe.selection.every
        ends = self.progress.step == stage.steps
        if every is not None and (ends or self.steps_done % every == 0):
            self._judge(stage)
        elif time.monotonic() - self._last_save > 60 * self.recipe.log.checkpoint_minutes:
            self._save()

    def _learn(self, index: int, stage: StageConfig) -> dict[str, Tensor]:
        """Take one step; return what is to be logged of it."""
        assert self._optimizers is not None
        step, rank = self.progress.step, self.fabric.global_rank
        seed, discriminators = self.recipe.seed, self.models.discriminators
        torch.manual_seed(torch_seed(seed, index, step, rank, Purpose.NETWORK))
        rate = self._optimizers.set_rates(step)
        batch = self.prefetcher.get(index, step, stage.batch_size, stage.steps)
        batch = batch.to(self.fabric.device)
        layers = None
        if stage.quantize:
            generator = numpy_generator(seed, index, step, rank, Purpose.LAYERS)
            layers = draw_layers(stage, self.models.codebooks.depth, generator).to(
                self.fabric.device
            )
        judged = None
        with self.fabric.autocast():
            result = self._forward(batch, layers, stage.quantize)
            if stage.is_adversarial:
                assert discriminators is not None
                judged = judge(discriminators, batch.targets, result.waves)
        terms = self.objective.terms(
            stage, result, batch.targets, self._commitment_scale(stage), judged
        )
        total = to_descend(terms, stage.weights, result.waves, self._balancer)
        optimizer, parameters = self._optimizers.generator, self._optimizers.parameters
        norm = self._descend(optimizer, parameters, total, terms, stage)
        report = {f"loss/{name}": term.detach() for name, term in terms.items()}
        report |= {
            "loss/total": weighted_sum(terms, stage.weights).detach(),
            "optimizer/gradient_norm": norm,
        }
        report["optimizer/learning_rate"] = torch.tensor(rate)
        if stage.is_adversarial and step % stage.discriminator_every == 0:
            report["loss/discriminators"] = self._teach_discriminators(batch, result.waves, stage)
        if result.quantized is not None and learns(stage, "quantizer"):
            chance = torch_seed(seed, index, step, 0, Purpose.CODEBOOKS)
            report |= self.models.codebooks.update(result.quantized, chance)
        if self.models.average is not None:
            self.models.average.update(self.models.network)
        return report

    def _forward(self, batch: Batch, layers: Tensor | None, quantize: bool) -> Any:
        extra = {} if batch.denoise is None else {"denoise": batch.denoise}
        return self.models.network(batch.inputs, layers, quantize, **extra)

    def _commitment_scale(self, stage: StageConfig) -> float:
        if stage.commitment_scale == "latent_power":
            return self.progress.latent_power or 1.0
        return stage.commitment_scale

    def _teach_discriminators(self, batch: Batch, decoded: Tensor, stage: StageConfig) -> Tensor:
        assert self._optimizers is not None
        assert self._optimizers.discriminator is not None
        assert self.models.discriminators is not None
        with self.fabric.autocast():
            loss = discriminators_loss(self.models.discriminators, batch.targets, decoded, stage)
        optimizer = self._optimizers.discriminator
        parameters = self._optimizers.discriminator_parameters
        self._descend(optimizer, parameters, loss, {"discriminators": loss}, stage)
        return loss.detach()

    def _descend(
        self,
        optimizer: torch.optim.Optimizer,
        parameters: list[nn.Parameter],
        loss: Tensor,
        terms: Mapping[str, Tensor],
        stage: StageConfig,
    ) -> Tensor:
        """Take one step down the gradient of all processes; return its norm before clipping."""
        optimizer.zero_grad()
        self.fabric.backward(loss)
        self._average_gradients(parameters)
        norm = nn.utils.clip_grad_norm_(parameters, stage.clip_norm or float("inf"))
        if not torch.isfinite(norm):
            raise UserError(self._divergence(terms, stage))
        optimizer.step()
        return norm

    def _average_gradients(self, parameters: list[nn.Parameter]) -> None:
        if self.fabric.world_size == 1:
            return
        gradients = [p.grad for p in parameters if p.grad is not None]
        joined = self.fabric.all_reduce(nn.utils.parameters_to_vector(gradients), reduce_op="mean")
        assert isinstance(joined, Tensor)
        nn.utils.vector_to_parameters(joined, gradients)

    def _divergence(self, terms: Mapping[str, Tensor], stage: StageConfig) -> str:
        values = {name: float(term) for name, term in terms.items()}
        wrong = [name for name, term in terms.items() if not torch.isfinite(term)]
        what = f"loss {wrong[0]} is {values[wrong[0]]}" if wrong else "the gradient is not finite"
        return (
            f"training diverged at step {self.progress.step + 1} of stage {stage.name}: {what};"
            f" {self.folder / LAST} is the last good checkpoint (try a lower learning_rate)"
        )

    # -- what is told, judged and kept -------------------------------------------------------

    def _tell(self, report: Mapping[str, Tensor]) -> None:
        values = {name: float(value) for name, value in report.items()}
        values |= self.models.codebooks.perplexities()
        self.speed.read()
        values["speed/steps_per_second"] = self.speed.steps
        self.log.scalars(values, self.steps_done)
        self.log.state(self.progress.step, values["loss/total"], self.speed)

    def _judge(self, stage: StageConfig) -> None:
        """Judge the weights in the first process, keep them if they are the best, save."""
        if self.selection is not None:
            judgement = self.selection.judge(self.models.judged, stage.quantize)
            for layers, row in judgement.figures.items():
                self.log.scalars({f"{name}/{layers}": row[name] for name in row}, self.steps_done)
            self.log.note(f"step {self.steps_done}: {judgement}")
            value = self.selection.decisive(judgement)
            comparable = stage.quantize or not self.recipe.quantizes
            if (
                comparable
                and value is not None
                and self.selection.is_better(value, self.progress.best)
            ):
                self.progress.best, self.progress.best_step = value, self.steps_done
                self.progress.figures = judgement.figures
                self._count_time()
                self.exporter.write(self.models.judged, self.progress, self.steps_done)
                self._save(BEST)
        self._save()
        self.fabric.barrier()

    def _hand_over(self) -> None:
        """Write the final weights unless selection has written better ones."""
        if self.progress.best is None and self.fabric.is_global_zero:
            self._count_time()
            self.exporter.write(self.models.judged, self.progress, self.steps_done)

    def _count_time(self) -> None:
        now = time.monotonic()
        self.progress.seconds += now - self._clock
        self._clock = now

    def _save(self, name: str = LAST) -> None:
        self._count_time()
        self._last_save = time.monotonic()
        if not self.fabric.is_global_zero:
            return
        states = {"models": self.models.state_dict(), "stage": self._stage_state()}
        checkpoint.save(self.folder / name, self.origin, self.progress, states)

    def _stage_state(self) -> dict[str, Any] | None:
        """Return what a stage adds to the models; None between stages."""
        if self._optimizers is None:
            return None
        balancer = None if self._balancer is None else self._balancer.state_dict()
        return {"optimizers": self._optimizers.state_dict(), "balancer": balancer}
