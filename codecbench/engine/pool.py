"""The local executor: worker processes that may die without taking the run with them."""

from __future__ import annotations

import contextlib
import itertools
import os
import subprocess
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, Pipe, wait

from ..errors import UserError
from ..processes import describe_exit, python_command, python_environment
from ..results.schema import Row
from .score import make_row
from .tasks import CodecResult, CodecTask, Fatal, Ready, Shard, ShardDone, Step, WorkerSetup

ATTEMPTS = 2
"""A step that kills its worker is tried this often before it becomes a failure row."""

STEP_TIMEOUT_SECONDS = 1800.0
"""A step that takes longer is killed."""

_POLL_SECONDS = 1.0
_MAX_FAILED_STARTS = 3


@dataclass
class _Worker:
    process: subprocess.Popen[bytes]
    connection: Connection
    ready: bool = False
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
        self._waiting: deque[Shard] = deque()
        self._deaths: Counter[tuple[int, str, str | None]] = Counter()
        self._failed_starts = 0

    def run(self, shards: Iterable[Shard]) -> Generator[CodecResult, None, None]:
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
                if not self._waiting and not any(worker.shard for worker in self._workers):
                    return
                yield from self._collect()
        finally:
            self._stop()

    def _feed(self, queue: Iterator[Shard]) -> None:
        """Give idle workers a shard; start workers while there is work without one."""
        idle = [worker for worker in self._workers if worker.ready and worker.shard is None]
        starting = sum(not worker.ready for worker in self._workers)
        for shard in itertools.islice(queue, max(0, self._jobs - len(self._waiting))):
            self._waiting.append(shard)
        while idle and self._waiting:
            worker, shard = idle.pop(), self._waiting.popleft()
            worker.shard, worker.delivered = shard, set()
            worker.step = Step(shard.number, shard.tasks[0].codec)
            worker.step_started = time.monotonic()
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                worker.connection.send(shard)
        for _ in range(min(len(self._waiting) - starting, self._jobs - len(self._workers))):
            self._start()

    def _start(self) -> None:
        ours, theirs = Pipe()
        with theirs:
            process = subprocess.Popen(
                python_command("codecbench.engine.worker", str(theirs.fileno())),
                env=python_environment(),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )
        self._workers.append(_Worker(process, ours, step_started=time.monotonic()))
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            ours.send(self._setup)

    def _collect(self) -> Iterator[CodecResult]:
        by_connection = {worker.connection: worker for worker in self._workers}
        for connection in wait(list(by_connection), timeout=_POLL_SECONDS):
            worker = by_connection[connection]  # type: ignore[index]
            try:
                message = worker.connection.recv()
            except (EOFError, OSError):  # OSError: killed in the middle of a message
                yield from self._bury(worker)
            else:
                yield from self._handle(worker, message)
        self._kill_overdue()

    def _handle(self, worker: _Worker, message: object) -> Iterator[CodecResult]:
        if isinstance(message, Ready):
            worker.ready = True
            self._failed_starts = 0
        elif isinstance(message, Step):
            worker.step, worker.step_started = message, time.monotonic()
        elif isinstance(message, CodecResult):
            worker.delivered.add(message.codec)
            yield message
        elif isinstance(message, ShardDone):
            worker.shard = None
        elif isinstance(message, Fatal):
            raise UserError(message.message)

    def _kill_overdue(self) -> None:
        for worker in self._workers:
            is_idle = worker.ready and worker.shard is None
            overdue = time.monotonic() - worker.step_started > self._step_timeout
            if overdue and not is_idle:
                worker.timed_out = True
                worker.process.kill()

    def _bury(self, worker: _Worker) -> Iterator[CodecResult]:
        """Record what killed a worker; what its shard still lacks is tried again."""
        self._workers.remove(worker)
        worker.connection.close()
        how = describe_exit(_exit_status(worker.process))
        if worker.timed_out:
            how = f"was stopped after {self._step_timeout:.0f} s"
        if not worker.ready:
            self._failed_starts += 1
            if self._failed_starts >= _MAX_FAILED_STARTS:
                raise UserError(f"the workers cannot start: the last one {how}")
        shard, step = worker.shard, worker.step
        if shard is None or step is None:
            return
        left = tuple(task for task in shard.tasks if task.codec not in worker.delivered)
        if self._is_last_attempt(step):
            reason = f"the worker process {how} in this step"
            result, left = self._give_up(shard, left, step, reason)
            if result is not None:
                yield result
        if left:
            self._waiting.appendleft(replace(shard, tasks=left))

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
            _exit_status(worker.process)
        self._workers.clear()


def _exit_status(process: subprocess.Popen[bytes]) -> int:
    """Wait for a worker whose pipe is closed; one that lingers is killed."""
    try:
        return process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def default_jobs() -> int:
    """Return the number of processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
