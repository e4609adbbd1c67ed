"""The training loop: stages, judgements and checkpoints."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightning.fabric import Fabric
from torch import Tensor

from . import checkpoint
from .beginning import Beginning
from .checkpoint import BEST, LAST, Origin, Progress
from .crops import BatchMaker, Prefetcher
from .export import Exporter
from .logs import Log, Speed
from .models import Models
from .objective import Objective
from .recipe import Recipe, StageConfig
from .selection import Judgement, Selection
from .stage_training import StageTraining
from .stopping import StopRequest


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
        self.selection, self.exporter, self.folder = selection, exporter, folder
        self.beginning = Beginning(fabric, recipe, models, batches)
        self.prefetcher = Prefetcher(batches, recipe.data.workers)
        self.objective = Objective(recipe.losses, models.network.sample_rate).to(fabric.device)
        self.progress = Progress()
        self._training: StageTraining | None = None
        self._saved: dict[str, Any] | None = None
        self._clock = self._last_save = time.monotonic()

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
        self._clock = self._last_save = time.monotonic()
        try:
            for index in range(self.progress.stage, len(self.recipe.stages)):
                if not self._run_stage(index, log, stop):
                    return False
            self._hand_over()
            return True
        finally:
            self.prefetcher.close()

    @property
    def steps_done(self) -> int:
        """Steps over all stages."""
        return self.recipe.first_step(self.progress.stage) + self.progress.step

    def _run_stage(self, index: int, log: Log, stop: StopRequest) -> bool:
        """Run or finish a stage; tell whether its end was reached."""
        stage = self.recipe.stages[index]
        self._training = training = self._enter(index, log)
        speed = Speed(stage.batch_size * self.recipe.data.crop_seconds * self.fabric.world_size)
        log.stage(stage.name, self.progress.step, stage.steps)
        while self.progress.step < stage.steps:
            step = self.progress.step
            batch = self.prefetcher.get(index, step, stage.batch_size, stage.steps)
            report = training.learn(step, batch.to(self.fabric.device))
            self.progress.step += 1
            speed.count()
            log.step(self.progress.step)
            if self.steps_done % self.recipe.log.every == 0:
                self._tell(report, log, speed.read())
            self._keep(stage, log)
            if stop.is_due(self.progress.step) and self.progress.step < stage.steps:
                self._save()
                return False
        self.progress.stage, self.progress.step = index + 1, 0
        self._training = None
        self._save()
        return True

    def _enter(self, index: int, log: Log) -> StageTraining:
        """Set up a stage, anew or as it was left."""
        if not self.progress.step:
            power = self.beginning.begin(index, self.progress.latent_power, log)
            self.progress.latent_power = power
        training = StageTraining(
            self.fabric, self.recipe, index, self.models, self.objective, self.progress.latent_power
        )
        if self._saved is not None:
            training.load_state_dict(self._saved)
            self._saved = None
        return training

    def _tell(self, report: Mapping[str, Tensor], log: Log, speed: Speed) -> None:
        values = {name: float(value) for name, value in report.items()}
        values |= self.models.codebooks.perplexities()
        for name, codebooks in self.models.side_codebooks.items():
            values[f"codebooks/perplexity_{name}"] = codebooks.mean_perplexity()
        values["speed/steps_per_second"] = speed.steps
        log.scalars(values, self.steps_done)
        log.state(self.progress.step, values["loss/total"], speed)

    def _keep(self, stage: StageConfig, log: Log) -> None:
        """Judge and save when it is time to."""
        selection, ends = self.recipe.selection, self.progress.step == stage.steps
        if selection is not None and (ends or self.steps_done % selection.every == 0):
            self._judge(stage, log)
            self._save()
            self.fabric.barrier()
        elif time.monotonic() - self._last_save > 60 * self.recipe.log.checkpoint_minutes:
            self._save()

    def _judge(self, stage: StageConfig, log: Log) -> None:
        """Judge the weights in the first process and keep them if they are the best."""
        if self.selection is None or not self.fabric.is_global_zero:
            return
        judgement = self.selection.judge(self.models.judged, stage.quantize)
        for layers, row in judgement.figures.items():
            values = {f"selection/{name}/{layers}": value for name, value in row.items()}
            log.scalars(values, self.steps_done)
        log.note(f"step {self.steps_done}: {judgement}")
        if stage.quantize or not self.recipe.quantizes:
            self._take_if_best(judgement, self.selection)

    def _take_if_best(self, judgement: Judgement, selection: Selection) -> None:
        value = selection.decisive(judgement)
        if value is None or not selection.is_better(value, self.progress.best):
            return
        self.progress.best, self.progress.best_step = value, self.steps_done
        self.progress.figures = judgement.figures
        self._write_weights()
        self._save(BEST)

    def _hand_over(self) -> None:
        """Write the final weights unless selection has written better ones."""
        if self.progress.best is None and self.fabric.is_global_zero:
            self._write_weights()

    def _write_weights(self) -> None:
        self._count_time()
        self.exporter.write(self.models.judged, self.progress, self.steps_done)

    def _save(self, name: str = LAST) -> None:
        self._count_time()
        self._last_save = time.monotonic()
        if not self.fabric.is_global_zero:
            return
        stage = None if self._training is None else self._training.state_dict()
        states = {"models": self.models.state_dict(), "stage": stage}
        checkpoint.save(self.folder / name, self.origin, self.progress, states)

    def _count_time(self) -> None:
        now = time.monotonic()
        self.progress.seconds += now - self._clock
        self._clock = now
