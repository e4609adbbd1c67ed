"""Model selection: the project's own metrics on utterances of reserved speakers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ...audio import Audio
from ...corpora.base import Utterance
from ...errors import CodecError, MetricError, UserError
from ...metric import Column, Decoded, Metric
from ...protocol import aligned
from ...registry import load_metric
from ...signals import Signal
from ..nn.network import CodecNetwork
from .recipe import SelectionConfig

Figures = dict[str, dict[str, float]]
"""Mean of each column by residual layers (``"8"``; ``"none"``: not quantized)."""

UNQUANTIZED = "none"


@dataclass(frozen=True)
class Judgement:
    """What one selection found.

    Parameters
    ----------
    figures : Figures
        Columns that failed for any utterance are left out.
    failures : int
        Scores that there are not.
    """

    figures: Figures
    failures: int

    def __str__(self) -> str:
        rows = [
            f"{layers}: " + " ".join(f"{name} {value:.3f}" for name, value in row.items())
            for layers, row in self.figures.items()
        ]
        failed = [f"{self.failures} scores failed"] if self.failures else []
        return "; ".join([*rows, *failed])


class Selection:
    """Judges a network.

    Parameters
    ----------
    config : SelectionConfig
    reserved : sequence of Utterance
        Speakers in turn.

    Raises
    ------
    UserError, UnavailableError
        If a metric is unknown or cannot run here, or gives no column of the name that decides.
    """

    def __init__(self, config: SelectionConfig, reserved: Sequence[Utterance]) -> None:
        self.config = config
        self.metrics = [load_metric(name) for name in config.metrics]
        self.column = _column(self.metrics, config.best)
        self.utterances = [
            _shortened(utterance, config.seconds) for utterance in reserved[: config.utterances]
        ]

    def is_better(self, value: float, best: float | None) -> bool:
        """Tell whether a value of the column that decides is better than the best one."""
        if best is None:
            return True
        return value > best if self.column.better == "higher" else value < best

    def judge(self, network: CodecNetwork, quantize: bool) -> Judgement:
        """Score a network at all rates asked for.

        Parameters
        ----------
        network : CodecNetwork
            Put into evaluation mode for the while.
        quantize : bool
            Whether it has learnt to quantize.
        """
        was_training = [module for module in network.modules() if module.training]
        network.eval()
        try:
            figures, failures = {}, 0
            for name, layers in self._rates(network, quantize).items():
                figures[name], failed = self._means(network, layers)
                failures += failed
        finally:
            for module in was_training:
                module.training = True
        return Judgement(figures, failures)

    def decisive(self, judgement: Judgement) -> float | None:
        """Return the value that decides, at all layers; None if it failed."""
        return list(judgement.figures.values())[-1].get(self.column.name)

    def _rates(self, network: CodecNetwork, quantize: bool) -> dict[str, int | None]:
        if not quantize:
            return {UNQUANTIZED: None}
        codebooks = network.quantizer.config.codebooks
        layers = sorted({rate for rate in self.config.rates if rate < codebooks} | {codebooks})
        return {str(count): count for count in layers}

    def _means(self, network: CodecNetwork, layers: int | None) -> tuple[dict[str, float], int]:
        values: dict[str, list[float]] = {}
        for utterance in self.utterances:
            try:
                decoded = Decoded(Signal(decode(network, utterance.audio(), layers)))
            except CodecError as error:
                raise UserError(
                    f"training diverged: {error} at a judgement (try a lower learning_rate)"
                ) from error
            for metric in self.metrics:
                for name, value in _scores(metric, utterance, decoded).items():
                    values.setdefault(name, []).append(value)
        failures = sum(int(np.isnan(column).sum()) for column in values.values())
        means = {name: float(np.mean(column)) for name, column in values.items()}
        return {name: mean for name, mean in means.items() if not np.isnan(mean)}, failures


@torch.no_grad()
def decode(network: CodecNetwork, reference: Audio, layers: int | None) -> Audio:
    """Send a signal through a network and back onto its own rate and time axis.

    Parameters
    ----------
    network : CodecNetwork
        In evaluation mode.
    reference : Audio
    layers : int or None
        Residual layers; None: not quantized.
    """
    source = reference.resampled(network.sample_rate)
    waves = torch.from_numpy(np.array(source.samples))[None].to(network.device)
    count = torch.tensor([layers or 1], device=network.device)
    result = network(waves, count, quantize=layers is not None)
    raw = Audio(result.waves[0].float().cpu().numpy(), network.sample_rate)
    return aligned(raw, reference, len(source), delay=0)


def _scores(metric: Metric, utterance: Utterance, decoded: Decoded) -> dict[str, float]:
    """Score one utterance; what fails is NaN."""
    columns = metric.applicable(utterance, None)
    try:
        scores: Any = metric.score(metric.prepare(utterance), decoded)
    except MetricError:
        return dict.fromkeys(columns, np.nan)
    return {name: score.value for name, score in scores.items() if name in columns}


def _column(metrics: Sequence[Metric], name: str) -> Column:
    columns = {
        column.name: column
        for metric in metrics
        for column in metric.columns
        if column.name in metric.selected
    }
    if name not in columns:
        known = ", ".join(columns)
        raise UserError(f"selection.best: the metrics give no column '{name}' (they give {known})")
    if columns[name].better is None:
        raise UserError(f"selection.best: neither direction of '{name}' is better")
    return columns[name]


def _shortened(utterance: Utterance, seconds: float) -> Utterance:
    audio = utterance.source_audio()
    cut = Audio(audio.samples[: round(seconds * audio.sample_rate)], audio.sample_rate)
    return Utterance.from_audio(cut, utterance.id, utterance.transcript, utterance.language)
