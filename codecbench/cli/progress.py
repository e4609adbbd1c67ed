"""Draws the progress of a run: a bar with rate and time left on a terminal, lines elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

_LINE_EVERY_SECONDS = 30.0


class ProgressBar:
    """Progress on stderr; stdout is left to results. Used as a context manager."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        console = Console(stderr=True)
        self._lines = not console.is_terminal
        self._progress = Progress(
            TextColumn("{task.description:>18}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=self._lines,
        )
        self._name, self._total, self._done = "", 0, 0
        self._started = self._last_line = time.monotonic()
        self._task = self._progress.add_task("", total=0, visible=False, rate="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def stage(self, name: str, total: int) -> None:
        """Begin a stage of `total` steps."""
        self._name, self._total, self._done = name, total, 0
        self._started = self._last_line = time.monotonic()
        self._progress.remove_task(self._task)
        self._task = self._progress.add_task(name, total=total, visible=total > 0, rate="")

    def advance(self) -> None:
        """Count one step of the stage."""
        self._done += 1
        rate = self._done / max(time.monotonic() - self._started, 1e-9)
        self._progress.update(self._task, advance=1, rate=f"{rate:.1f}/s")
        now = time.monotonic()
        if self._lines and now - self._last_line > _LINE_EVERY_SECONDS:
            self._last_line = now
            left = (self._total - self._done) / rate
            self.note(f"{self._name}: {self._done}/{self._total}, {rate:.1f}/s, {left:.0f} s left")

    def note(self, text: str) -> None:
        """Say something that the user should know."""
        if self._lines:
            sys.stderr.write(f"codecbench: {text}\n")
        else:
            self._progress.console.print(text, markup=False, highlight=False)
