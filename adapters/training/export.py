"""What a training hands over: a weights file and its model card."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from ...files import write_text_atomic
from ...results.manifest import cpu_model
from ..nn.network import CodecNetwork, parameter_count
from ..nn.weights import WeightsFile, write_weights
from .checkpoint import Progress
from .corpora import TrainingData
from .recipe import RecipeFile

WEIGHTS, CARD = "weights.safetensors", "card.md"
_PACKAGES = ("codecbench", "torch", "lightning", "numpy", "soxr")


@dataclass(frozen=True)
class Exporter:
    """Writes weights and card of one training.

    Parameters
    ----------
    folder : Path
    file : RecipeFile
    data : TrainingData
    ancestor : WeightsFile or None
        Weights that training started from.
    seconds_of_audio : float
        Trained on.
    hardware : str
    """

    folder: Path
    file: RecipeFile
    data: TrainingData
    ancestor: WeightsFile | None
    seconds_of_audio: float
    hardware: str

    def write(self, network: CodecNetwork, progress: Progress, steps: int) -> None:
        """Write both files.

        Parameters
        ----------
        network : CodecNetwork
            Whose weights are handed over.
        progress : Progress
        steps : int
            Trained until these weights, over all stages.
        """
        recipe, training = self.file.recipe, self._training(progress, steps)
        config: Any = network.config
        metadata = {
            "codec": recipe.codec,
            "variant": recipe.variant,
            "config": config.model_dump_json(),
            "training": json.dumps(training),
        }
        write_weights(self.folder / WEIGHTS, network, metadata, recipe.export.precision)
        write_text_atomic(self.folder / CARD, self._card(network, training))

    def _training(self, progress: Progress, steps: int) -> dict[str, Any]:
        recipe = self.file.recipe
        return {
            "recipe": self.file.path.name,
            "recipe_sha256": self.file.sha256,
            "seed": recipe.seed,
            "data": list(recipe.data.corpora),
            "noise": [*recipe.data.noise, *recipe.data.synthetic_noise],
            "utterances": len(self.data.training),
            "minutes_of_audio": round(self.seconds_of_audio / 60, 1),
            "steps": steps,
            "minutes": round(progress.seconds / 60, 1),
            "hardware": self.hardware,
            "packages": {name: version(name) for name in _PACKAGES},
            "initial_weights": "" if self.ancestor is None else self.ancestor.sha256,
            "speakers": self._speakers(),
            "selection_speakers": self.data.speakers(self.data.reserved),
            "losses": {stage.name: stage.weights for stage in recipe.stages},
            "figures": progress.figures,
        }

    def _speakers(self) -> dict[str, list[str]]:
        """List all speakers that the weights have seen, those of the initial weights included."""
        found = set() if self.ancestor is None else set(self.ancestor.training_speakers)
        for corpus, speakers in self.data.speakers(self.data.training).items():
            found |= {(corpus, speaker) for speaker in speakers}
        return {
            corpus: sorted(speaker for other, speaker in found if other == corpus)
            for corpus in sorted({corpus for corpus, _ in found})
        }

    def _card(self, network: CodecNetwork, training: dict[str, Any]) -> str:
        recipe = self.file.recipe
        label = f"{recipe.codec} {recipe.variant}".strip()
        stages = "; ".join(
            f"{name}: " + ", ".join(f"{weight:g} {term}" for term, weight in losses.items())
            for name, losses in training["losses"].items()
        )
        packages = ", ".join(f"{name} {text}" for name, text in training["packages"].items())
        rows = [
            ("recipe", f"{training['recipe']} (SHA-256 {training['recipe_sha256']})"),
            ("parameters", f"{parameter_count(network):,}"),
            ("data", "; ".join(f"`{spec}`" for spec in training["data"])),
            ("noise", "; ".join(f"`{one}`" for one in training["noise"]) or "none"),
            ("audio", f"{training['minutes_of_audio']} min, {training['utterances']} utterances"),
            ("steps", f"{training['steps']:,}"),
            ("training time", f"{training['minutes']} min"),
            ("hardware", training["hardware"]),
            ("losses", stages),
            ("packages", packages),
            ("started from", training["initial_weights"] or "random weights"),
        ]
        return "\n".join(
            [
                f"# Weights of {label}",
                "",
                "| | |",
                "| --- | --- |",
                *(f"| {name} | {text} |" for name, text in rows),
                "",
                *_figures(training["figures"], recipe.quantizes),
                *_speakers("Speakers trained on", training["speakers"]),
                *_speakers("Speakers reserved for model selection", training["selection_speakers"]),
            ]
        )


def _figures(figures: dict[str, dict[str, float]], quantizes: bool) -> list[str]:
    if not figures:
        return []
    columns = sorted({column for row in figures.values() for column in row})
    head = ["layers" if quantizes else "", *columns]
    lines = [" | ".join(head), " | ".join("---" for _ in head)]
    for layers, row in figures.items():
        cells = (f"{row[column]:.3f}" if column in row else "" for column in columns)
        lines.append(" | ".join([layers, *cells]))
    return [
        "## Figures on the reserved speakers",
        "",
        *(f"| {line} |" for line in lines),
        "",
    ]


def _speakers(title: str, speakers: dict[str, list[str]]) -> list[str]:
    lines = [f"{corpus} ({len(ids)}): {', '.join(ids)}" for corpus, ids in speakers.items()]
    return [f"## {title}", "", *lines, ""] if lines else []


def describe_hardware(device: torch.device, processes: int) -> str:
    """Return what trains, in a phrase."""
    if device.type == "cuda":
        return f"{processes} x {torch.cuda.get_device_name(device)}"
    threads = torch.get_num_threads() * processes
    return f"{cpu_model()}, {threads} of {os.cpu_count()} cores, {platform.system()}"
