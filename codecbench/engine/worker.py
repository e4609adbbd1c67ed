"""A worker process: receives shards over a pipe, sends back results.

Started as ``python -m codecbench.engine.worker FD``, so that a user's script needs no
``__main__`` guard.
"""

from __future__ import annotations

import os
import signal
import sys
from multiprocessing.connection import Connection

from ..errors import UserError
from ..processes import die_with_parent, limit_torch_threads
from .registered import take_registered
from .score import Scorer
from .tasks import Fatal, Ready, Shard, ShardDone, WorkerSetup


def main(descriptor: int) -> None:
    """Serve shards until the parent closes the pipe."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business
    os.dup2(2, 1)  # what a codec or metric prints must not get into the parent's results
    connection: Connection = Connection(descriptor)
    try:
        _serve(connection)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
    except UserError as error:
        connection.send(Fatal(str(error)))


def _serve(connection: Connection) -> None:
    setup: WorkerSetup = connection.recv()
    limit_torch_threads()
    take_registered(setup.registered)
    scorer = Scorer(setup, report=connection.send)
    connection.send(Ready())
    while True:
        shard: Shard = connection.recv()
        for result in scorer.score(shard):
            connection.send(result)
        connection.send(ShardDone(shard.number))


if __name__ == "__main__":
    main(int(sys.argv[1]))
