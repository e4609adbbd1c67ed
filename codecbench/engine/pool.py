"""The local executor: worker processes that may die without taking the run with them."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, Pipe, wait

from ..errors import UserError
from ..processes import describe_exit, single_thread_environment
from ..results.schema import Row
from .score import make_row
from .tasks import CodecResult, CodecTask, Fatal, Shard, ShardDone, Step, WorkerSetup

ATTEMPTS = 2
"""A step that kills its worker is tried this often before it becomes a failure row."""

STEP_TIMEOUT_SECONDS = 1800.0
"""A step that takes longer is killed."""

_POLL_SECONDS = 1.0
_MAX_DEATHS_WITHOUT_STEP = 3


@dataclass
class _Worker:
    process: subprocess.Popen[bytes]
    connection: Connection
    shard: Shard | None = None
    step: Step | None = None
    step_started: float = 0.0
    delivered: set[str] = field(default_factory=set)
    timed_out: bool = False


class Pool:
    """Runs shards on worker processes.

    Parameters
    ----------
    setup : WorkerSetup
    jobs : int
        Worker processes.
    unit_of : callable
        Unit of a column, for the failure rows of steps that killed their worker.
    step_timeout : float
        Seconds.
    """

    def __init__(
        self,
        setup: WorkerSetup,
        jobs: int,
        unit_of: Callable[[str, str], str],
        step_timeout: float = STEP_TIMEOUT_SECONDS,
    ) -> None:
        self._setup = setup
        self._jobs = jobs
        self._unit_of = unit_of
        self._step_timeout = step_timeout
        self._workers: list[_Worker] = []
        self._retries: deque[Shard] = deque()
        self._deaths: Counter[tuple[int, str, str | None]] = Counter()
        self._deaths_without_step = 0

    def run(self, shards: Iterable[Shard]) -> Iterator[CodecResult]:
        """Yield results as they come; every task of every shard gives exactly one.

        Raises
        ------
        UserError
            If the workers cannot work at all.
        """
        queue = iter(shards)
        try:
            while True:
                self._feed(queue)
                busy = [worker for worker in self._workers if worker.shard is not None]
                if not busy:
                    return
                yield from self._collect(busy)
        finally:
            self._stop()

    def _feed(self, queue: Iterator[Shard]) -> None:
        idle = [worker for worker in self._workers if worker.shard is None]
        while idle or len(self._workers) < self._jobs:
            shard = self._retries.popleft() if self._retries else next(queue, None)
            if shard is None:
                return
            worker = idle.pop() if idle else self._start()
            worker.shard, worker.step, worker.delivered = shard, None, set()
            worker.step_started = time.monotonic()
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                worker.connection.send(shard)

    def _start(self) -> _Worker:
        ours, theirs = Pipe()
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-m", "codecbench.engine.worker", str(theirs.fileno())],
                env=single_thread_environment(),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )
        worker = _Worker(process, ours)
        self._workers.append(worker)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            ours.send(self._setup)
        return worker

    def _collect(self, busy: list[_Worker]) -> Iterator[CodecResult]:
        by_connection = {worker.connection: worker for worker in busy}
        for connection in wait(list(by_connection), timeout=_POLL_SECONDS):
            worker = by_connection[connection]  # type: ignore[index]
            try:
                message = worker.connection.recv()
            except (EOFError, ConnectionResetError):
                yield from self._bury(worker)
            else:
                yield from self._handle(worker, message)
        self._kill_overdue(busy)

    def _handle(self, worker: _Worker, message: object) -> Iterator[CodecResult]:
        if isinstance(message, Step):
            worker.step, worker.step_started = message, time.monotonic()
        elif isinstance(message, CodecResult):
            worker.delivered.add(message.codec)
            yield message
        elif isinstance(message, ShardDone):
            worker.shard = None
            self._deaths_without_step = 0
        elif isinstance(message, Fatal):
            raise UserError(message.message)

    def _kill_overdue(self, busy: list[_Worker]) -> None:
        for worker in busy:
            overdue = time.monotonic() - worker.step_started > self._step_timeout
            if worker.shard is not None and worker.step is not None and overdue:
                worker.timed_out = True
                worker.process.kill()

    def _bury(self, worker: _Worker) -> Iterator[CodecResult]:
        """Record what killed a worker; what its shard still lacks is tried again."""
        self._workers.remove(worker)
        worker.connection.close()
        how = describe_exit(worker.process.wait())
        if worker.timed_out:
            how = f"was stopped after {self._step_timeout:.0f} s"
        shard, step = worker.shard, worker.step
        if shard is None:
            return
        if step is None:
            self._deaths_without_step += 1
            if self._deaths_without_step >= _MAX_DEATHS_WITHOUT_STEP:
                raise UserError(f"the workers cannot start: the last one {how}")
        left = tuple(task for task in shard.tasks if task.codec not in worker.delivered)
        if step is not None and self._is_last_attempt(step):
            reason = f"the worker process {how} in this step"
            result, left = self._give_up(shard, left, step, reason)
            if result is not None:
                yield result
        if left:
            self._retries.append(replace(shard, tasks=left))

    def _is_last_attempt(self, step: Step) -> bool:
        key = (step.shard, step.codec, step.metric)
        self._deaths[key] += 1
        return self._deaths[key] >= ATTEMPTS

    def _give_up(
        self, shard: Shard, left: tuple[CodecTask, ...], step: Step, reason: str
    ) -> tuple[CodecResult | None, tuple[CodecTask, ...]]:
        """Turn the deadly step into failure rows; return them and the tasks still to do."""
        from ..metric import Score

        rows: list[Row] = []
        remaining: list[CodecTask] = []
        finished: CodecResult | None = None
        for task in left:
            if task.codec != step.codec:
                remaining.append(task)
                continue
            deadly = set(task.columns) if step.metric is None else {step.metric}
            for spec in sorted(deadly):
                rows += [
                    make_row(
                        task.codec,
                        spec,
                        column,
                        self._unit_of(spec, column),
                        shard.utterance,
                        Score.failed(reason),
                    )
                    for column in task.columns.get(spec, ())
                ]
            rest = {spec: names for spec, names in task.columns.items() if spec not in deadly}
            if rest:
                remaining.append(replace(task, columns=rest))
            finished = CodecResult(shard.number, task.codec, rows, partial=bool(rest))
        return finished, tuple(remaining)

    def _stop(self) -> None:
        for worker in self._workers:
            worker.connection.close()
            if worker.shard is not None:
                worker.process.kill()
        for worker in self._workers:
            try:
                worker.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                worker.process.kill()
                worker.process.wait()
        self._workers.clear()


def default_jobs() -> int:
    """Return the number of processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
