"""What a training tells on its way: TensorBoard, a bar on a terminal, lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from torch import Tensor

from ...codebooks import plug_in_entropy

LINE_EVERY_SECONDS = 30.0


class Log:
    """TensorBoard files and progress on stderr; used as a context manager.

    Parameters
    ----------
    folder : Path or None
        Where TensorBoard's files go; None: nothing is told at all (all processes but the first).
    first_step : int
        Entries from this step on, left by a training that was killed, are superseded.
    """

    def __init__(self, folder: Path | None, first_step: int) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )
        from torch.utils.tensorboard.writer import SummaryWriter

        console = Console(stderr=True)
        self._quiet = folder is None
        self._lines = not console.is_terminal
        # What was logged at the last step done stays; later steps are taken again.
        first_purged = first_step + 1
        self._writer = None if folder is None else SummaryWriter(folder, purge_step=first_purged)
        self._bar = Progress(
            TextColumn("{task.description:>14}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[state]}"),
            TimeRemainingColumn(),
            console=console,
            disable=self._lines or self._quiet,
        )
        self._task = self._bar.add_task("", total=None, state="")
        self._stage, self._steps = "", 0
        self._last_line = time.monotonic()

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.stop()
        if self._writer is not None:
            self._writer.close()

    def stage(self, name: str, done: int, steps: int) -> None:
        """Begin a stage, or go on with it after `done` steps."""
        self._stage, self._steps = name, steps
        self._bar.reset(self._task, total=steps, description=name, completed=done, state="")

    def step(self, done: int) -> None:
        """Count a step."""
        self._bar.update(self._task, completed=done)

    def state(self, done: int, loss: float, speed: Speed) -> None:
        """Show loss and speed after `done` steps of the stage."""
        text = f"loss {loss:.3f}, {speed}"
        self._bar.update(self._task, completed=done, state=text)
        now = time.monotonic()
        if self._lines and now - self._last_line >= LINE_EVERY_SECONDS:
            self._last_line = now
            left = (self._steps - done) / speed.steps / 60
            self.note(f"{self._stage}: {done}/{self._steps}, {text}, {left:.0f} min left")

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """Write values to TensorBoard at a step counted over all stages."""
        if self._writer is not None:
            for name, value in values.items():
                self._writer.add_scalar(name, value, step)

    def note(self, text: str) -> None:
        """Say something that the user should know."""
        if self._quiet:
            return
        if self._lines:
            sys.stderr.write(f"codecbench: {text}\n")
            sys.stderr.flush()
        else:
            self._bar.console.print(text, markup=False, highlight=False)


class Speed:
    """Steps and seconds of audio a second since the last reading.

    Parameters
    ----------
    seconds_a_step : float
        Audio that one step trains on, in all processes.
    """

    def __init__(self, seconds_a_step: float) -> None:
        self._audio = seconds_a_step
        self._since, self._count = time.monotonic(), 0
        self.steps = 0.0

    def count(self) -> None:
        """Count a step."""
        self._count += 1

    def read(self) -> Self:
        """Measure from the last reading to now."""
        now = time.monotonic()
        self.steps = self._count / max(now - self._since, 1e-9)
        self._since, self._count = now, 0
        return self

    def __str__(self) -> str:
        return f"{self.steps:.2f} steps/s, {self.steps * self._audio:.0f} x real time"


def perplexities(usage: Tensor) -> list[float]:
    """Return 2 to the entropy of the usage of each codebook.

    Parameters
    ----------
    usage : Tensor, shape (codebooks, size)
        Not negative.
    """
    return [2.0 ** plug_in_entropy(row) for row in usage.double().cpu().numpy()]
