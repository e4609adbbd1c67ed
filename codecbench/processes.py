"""Child processes that use one thread for maths and do not outlive their parent."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

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
