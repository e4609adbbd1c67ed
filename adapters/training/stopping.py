"""When a training stops before its end: its time is up, or someone asks it to."""

from __future__ import annotations

import signal
import threading
import time
from types import FrameType, TracebackType
from typing import Any, Self

import torch
from lightning.fabric import Fabric

_STEPS_BETWEEN_AGREEMENTS = 10


class StopRequest:
    """Watches clock and signals; all processes of a training agree on the step to stop at.

    Used as a context manager: inside, SIGINT and SIGTERM let the step in hand end first; a second
    one interrupts at once.

    Parameters
    ----------
    fabric : Fabric
    max_minutes : float or None
    """

    def __init__(self, fabric: Fabric, max_minutes: float | None) -> None:
        self._fabric = fabric
        self._end = None if max_minutes is None else time.monotonic() + 60 * max_minutes
        self.interrupted = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.interrupted:
            raise KeyboardInterrupt
        self.interrupted = True

    def is_due(self, step: int) -> bool:
        """Tell whether to stop after a step; the same answer in all processes."""
        mine = self.interrupted or (self._end is not None and time.monotonic() >= self._end)
        if self._fabric.world_size == 1:
            return mine
        if step % _STEPS_BETWEEN_AGREEMENTS:
            return False
        votes = torch.tensor(float(mine), device=self._fabric.device)
        counted = self._fabric.all_reduce(votes, reduce_op="sum")
        assert isinstance(counted, torch.Tensor)
        return bool(counted > 0)
