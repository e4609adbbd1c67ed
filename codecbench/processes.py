"""Child processes that use one thread for maths and do not outlive their parent."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path

SINGLE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
}

_PR_SET_PDEATHSIG = 1


def single_thread_environment() -> dict[str, str]:
    """Return the environment of a child in which maths libraries use one thread.

    Threads inside short transforms cost more than they give; parallelism is over utterances.
    """
    return {**os.environ, **SINGLE_THREAD}


def limit_torch_threads() -> None:
    """Let torch, if something has loaded it, use one thread in this process.

    Torch reads OMP_NUM_THREADS when it is loaded; this holds for what it starts itself.
    """
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


def python_command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module of ours in a child of this interpreter.

    The working folder is kept off the child's module path: what lies there is the user's data.
    """
    return [sys.executable, "-P", "-m", module, *arguments]


def python_environment() -> dict[str, str]:
    """Return the environment for `python_command`: this process's module path, one thread."""
    path = os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)
    return {**single_thread_environment(), "PYTHONPATH": path}


def die_with_parent() -> None:
    """Ask Linux to kill this process when its parent dies; elsewhere, do nothing."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def describe_exit(code: int) -> str:
    """Word a child's exit status: ``was killed by SIGSEGV`` or ``ended with status 3``."""
    if code >= 0:
        return f"ended with status {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"
