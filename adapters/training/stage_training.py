"""One stage of training in action: a step of the network and of the discriminators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from lightning.fabric import Fabric
from torch import Tensor, nn

from ...errors import UserError
from ..nn.network import Reconstruction
from .crops import Batch
from .models import Models
from .objective import (
    Judged,
    Objective,
    balancer_of,
    discriminators_loss,
    judge,
    to_descend,
    weighted_sum,
)
from .randomness import Purpose, numpy_generator, torch_seed
from .recipe import Recipe
from .stage import Optimizers, draw_layers, learns, set_learning_parts, side_even_use

Report = dict[str, Tensor]
"""What is logged of a step, by name; scalars."""


class StageTraining:
    """Takes the steps of one stage.

    Parameters
    ----------
    fabric : Fabric
    recipe : Recipe
    index : int
        Of the stage.
    models : Models
    objective : Objective
    latent_power : float or None
        Variance of the latents when quantizing started.
    """

    def __init__(
        self,
        fabric: Fabric,
        recipe: Recipe,
        index: int,
        models: Models,
        objective: Objective,
        latent_power: float | None,
    ) -> None:
        self.fabric, self.recipe, self.index = fabric, recipe, index
        self.models, self.objective = models, objective
        self.stage = stage = recipe.stages[index]
        set_learning_parts(models.network, stage)
        models.codebooks.configure(stage.codebooks)
        even = side_even_use(models.network, stage, fabric.world_size)
        for name, codebooks in models.side_codebooks.items():
            codebooks.configure(stage.side_codebooks.at(even[name]))
        self.discriminators = models.discriminators if stage.is_adversarial else None
        self.optimizers = Optimizers(stage, models.network, self.discriminators)
        balancer = balancer_of(stage)
        self.balancer = None if balancer is None else balancer.to(fabric.device)
        scale = stage.commitment_scale
        self.commitment_scale = (latent_power or 1.0) if scale == "latent_power" else scale

    def learn(self, step: int, batch: Batch) -> Report:
        """Take one step.

        Parameters
        ----------
        step : int
            Of the stage.
        batch : Batch
            On the device.

        Raises
        ------
        UserError
            If a loss or gradient is not finite; nothing has learnt from it then.
        """
        torch.manual_seed(self._seed(step, self.fabric.global_rank, Purpose.NETWORK))
        rate = self.optimizers.set_rates(step)
        result, judged = self._reconstruct(step, batch)
        terms = self.objective.terms(
            self.stage, result, batch.targets, self.commitment_scale, judged
        )
        loss = to_descend(terms, self.stage.weights, result.waves, self.balancer)
        norm = self._descend(
            self.optimizers.generator, self.optimizers.parameters, loss, terms, step
        )
        report = {f"loss/{name}": term.detach() for name, term in terms.items()}
        report["loss/total"] = weighted_sum(terms, self.stage.weights).detach()
        report["optimizer/gradient_norm"] = norm
        report["optimizer/learning_rate"] = torch.tensor(rate)
        if self.discriminators is not None and step % self.stage.discriminator_every == 0:
            report["loss/discriminators"] = self._teach_discriminators(step, batch, result.waves)
        report |= self._teach_codebooks(step, result)
        if self.models.average is not None:
            self.models.average.update(self.models.network)
        return report

    def _teach_codebooks(self, step: int, result: Reconstruction) -> Report:
        """Let the codebooks of parts that learn take the batch in."""
        report: Report = {}
        seed = self._seed(step, 0, Purpose.CODEBOOKS)
        if result.quantized is not None and learns(self.stage, "quantizer"):
            report |= self.models.codebooks.update(result.quantized, seed)
        for name, quantized in result.side.items():
            if learns(self.stage, name):
                found = self.models.side_codebooks[name].update(quantized, seed)
                report |= {f"{key}_{name}": value for key, value in found.items()}
        return report

    def state_dict(self) -> dict[str, Any]:
        """Return what `load_state_dict` takes."""
        balancer = None if self.balancer is None else self.balancer.state_dict()
        return {"optimizers": self.optimizers.state_dict(), "balancer": balancer}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a saved state."""
        self.optimizers.load_state_dict(state["optimizers"])
        if self.balancer is not None:
            self.balancer.load_state_dict(state["balancer"])

    def _seed(self, step: int, rank: int, purpose: Purpose) -> int:
        return torch_seed(self.recipe.seed, self.index, step, rank, purpose)

    def _reconstruct(self, step: int, batch: Batch) -> tuple[Reconstruction, Judged | None]:
        """Run the network, and the discriminators if they take part."""
        layers, judged = self._layers(step), None
        with self.fabric.autocast():
            result = self.models.network(
                batch.inputs, layers, self.stage.quantize, **batch.conditions
            )
            if self.discriminators is not None:
                judged = judge(self.discriminators, batch.targets, result.waves)
        return result, judged

    def _layers(self, step: int) -> Tensor | None:
        if not self.stage.quantize:
            return None
        rank = self.fabric.global_rank
        generator = numpy_generator(self.recipe.seed, self.index, step, rank, Purpose.LAYERS)
        layers = draw_layers(self.stage, self.models.codebooks.depth, generator)
        return layers.to(self.fabric.device)

    def _teach_discriminators(self, step: int, batch: Batch, decoded: Tensor) -> Tensor:
        assert self.discriminators is not None
        assert self.optimizers.discriminator is not None
        with self.fabric.autocast():
            loss = discriminators_loss(self.discriminators, batch.targets, decoded, self.stage)
        parameters = self.optimizers.discriminator_parameters
        terms = {"discriminators": loss}
        self._descend(self.optimizers.discriminator, parameters, loss, terms, step)
        return loss.detach()

    def _descend(
        self,
        optimizer: torch.optim.Optimizer,
        parameters: list[nn.Parameter],
        loss: Tensor,
        terms: Mapping[str, Tensor],
        step: int,
    ) -> Tensor:
        """Go down the gradient of all processes; return its norm before clipping."""
        optimizer.zero_grad()
        self.fabric.backward(loss)
        self._average_gradients(parameters)
        norm = nn.utils.clip_grad_norm_(parameters, self.stage.clip_norm or float("inf"))
        if not torch.isfinite(norm):
            raise UserError(self._divergence(terms, step))
        optimizer.step()
        return norm

    def _average_gradients(self, parameters: list[nn.Parameter]) -> None:
        if self.fabric.world_size == 1:
            return
        gradients = [p.grad for p in parameters if p.grad is not None]
        joined = self.fabric.all_reduce(nn.utils.parameters_to_vector(gradients), reduce_op="mean")
        assert isinstance(joined, Tensor)
        nn.utils.vector_to_parameters(joined, gradients)

    def _divergence(self, terms: Mapping[str, Tensor], step: int) -> str:
        wrong = [name for name, term in terms.items() if not torch.isfinite(term)]
        what = (
            f"loss {wrong[0]} is {float(terms[wrong[0]].detach())}"
            if wrong
            else "the gradient is infinite"
        )
        return (
            f"training diverged at step {step + 1} of stage {self.stage.name}: {what};"
            " the last checkpoint is from before it (try a lower learning_rate)"
        )
