"""Running other people's programs: no shell, a time limit, their last words in the error."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from ..errors import CodecError
from ..processes import describe_exit, die_with_parent

_TAIL_BYTES = 4096
_LONGEST_REASON = 300


def run_command(argv: Sequence[str], timeout: float) -> None:
    """Run a program to its end; its standard output is thrown away.

    The program and what it starts are killed when the time is over.

    Parameters
    ----------
    argv : sequence of str
        Program and arguments; no shell reads them.
    timeout : float
        Seconds.

    Raises
    ------
    CodecError
        If it cannot be started, takes too long, or ends with another status than 0; the message
        ends with the last line that the program wrote to standard error.
    """
    program = Path(argv[0]).name
    with tempfile.TemporaryFile() as stderr:
        try:
            status = _run(argv, timeout, stderr)
        except subprocess.TimeoutExpired as error:
            raise CodecError(f"{program} took longer than {timeout:g} s and was stopped") from error
        except (OSError, ValueError) as error:
            raise CodecError(f"{program} cannot be started: {error}") from error
        if status:
            raise CodecError(f"{program} {describe_exit(status)}{_last_line(stderr)}")


def _run(argv: Sequence[str], timeout: float, stderr: IO[bytes]) -> int:
    process = subprocess.Popen(
        list(argv),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=stderr,
        start_new_session=True,
        preexec_fn=die_with_parent,
    )
    try:
        return process.wait(timeout)
    finally:
        # Whatever the program left running belongs to its session and ends with it.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _last_line(stderr: IO[bytes]) -> str:
    size = stderr.seek(0, os.SEEK_END)
    stderr.seek(max(0, size - _TAIL_BYTES))
    text = stderr.read().decode(errors="replace")
    lines = [" ".join(_printable(line).split()) for line in text.splitlines()]
    last = next((line for line in reversed(lines) if line), "")
    return f": {last[:_LONGEST_REASON]}" if last else ""


def _printable(line: str) -> str:
    return "".join(character if character.isprintable() else " " for character in line)
