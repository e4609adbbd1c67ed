"""`IsolatedFunction`: a function that may crash, run in a child process of its own.

For C code that can end the process (a segmentation fault, ``abort``, ``exit``): the crash
becomes an exception of the parent, and the next call starts a new child. Parent and child
exchange pickles, each after its length, over the child's standard input and output.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import pickle
import select
import signal
import struct
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable
from typing import IO, Any

from .errors import CodecbenchError
from .processes import describe_exit, python_command, python_environment

_LENGTH = struct.Struct("<Q")
_WATCH_SECONDS = 2.0
"""How often an idle child looks whether its parent still lives."""


class IsolationError(CodecbenchError):
    """An isolated call gave no result."""


class ProcessDiedError(IsolationError):
    """The child died during the call; the message says of what."""


class CallTimeoutError(IsolationError):
    """The call took too long; the child was killed."""


class RemoteError(IsolationError):
    """The function raised.

    Parameters
    ----------
    kind : str
        Name of the exception's class.
    message : str
        Its text, in one line.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}" if message else kind)
        self.kind = kind
        self.message = message


class IsolatedFunction:
    """A function of an importable module, called in a child process with one maths thread.

    The child starts with the first call, imports only that module, serves all further calls,
    is replaced when it has died, and ends with its parent. Calls from several threads wait for
    one another; after a fork each process has a child of its own.

    Parameters
    ----------
    target : str
        ``module:function``.
    timeout_s : float
        Seconds that one call may take.

    Examples
    --------
    >>> IsolatedFunction("math:hypot")(3, 4)
    5.0
    """

    def __init__(self, target: str, timeout_s: float = 300.0) -> None:
        self.target = target
        self.timeout_s = timeout_s
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._finalizer: Callable[[], object] | None = None

    def __call__(self, *arguments: Any) -> Any:
        """Call the function; arguments and result travel as pickles.

        Raises
        ------
        RemoteError
            If it, or its import, raises.
        ProcessDiedError
            If the child dies.
        CallTimeoutError
            If it takes longer than `timeout_s`.
        """
        with self._lock:
            process = self._running_process()
            start = time.monotonic()
            alarm = threading.Timer(self.timeout_s, process.kill)
            alarm.daemon = True
            alarm.start()
            try:
                reply = _exchange(process, arguments)
            except BaseException:
                self._stop()  # its answer would be taken for that of the next call
                raise
            finally:
                alarm.cancel()
            if reply is None:
                raise self._death(process, time.monotonic() - start)
        kind, value = reply
        if kind is not None:
            raise RemoteError(kind, value)
        return value

    def close(self) -> None:
        """End the child; a further call starts a new one."""
        with self._lock:
            self._stop()

    def _running_process(self) -> subprocess.Popen[bytes]:
        process = self._process
        if process is None or self._owner != os.getpid() or process.poll() is not None:
            self._stop()
            self._process = process = _start(self.target)
            self._owner = os.getpid()
            self._finalizer = weakref.finalize(self, _end, process, self._owner)
        return process

    def _stop(self) -> None:
        if self._finalizer is not None:
            self._finalizer()
        self._process = self._finalizer = None

    def _death(self, process: subprocess.Popen[bytes], seconds: float) -> IsolationError:
        status = process.wait()
        self._stop()
        if seconds >= self.timeout_s:
            return CallTimeoutError(f"{self.target} took longer than {self.timeout_s:g} s")
        return ProcessDiedError(f"{self.target} {describe_exit(status)}")


def _start(target: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        python_command(__name__, target, str(os.getpid())),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=python_environment(),
    )


def _end(process: subprocess.Popen[bytes], owner: int) -> None:
    """End a child that waits for a request; a copy of the handle in a fork is only closed."""
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()
    if owner == os.getpid():
        process.kill()
        process.wait()


def _exchange(process: subprocess.Popen[bytes], arguments: Any) -> Any:
    """Send one request and return the reply; None if the child died."""
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        _send(process.stdin, arguments)
        return _receive(process.stdout)
    except BrokenPipeError:
        return None


def _send(stream: IO[bytes], value: Any) -> None:
    data = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    stream.write(_LENGTH.pack(len(data)))
    stream.write(data)
    stream.flush()


def _receive(stream: IO[bytes]) -> Any:
    """Read one message; None at the end of the stream."""
    header = stream.read(_LENGTH.size)
    if len(header) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(header)
    data = stream.read(length)
    return pickle.loads(data) if len(data) == length else None  # noqa: S301 - our own child


# --- the child


def _serve(target: str, parent: int) -> None:
    """Answer calls until the parent closes the pipe or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what C code prints must not get into the replies
    requests = os.fdopen(os.dup(0), "rb")
    while _parent_lives(parent):
        readable, _, _ = select.select([requests], [], [], _WATCH_SECONDS)
        if not readable:
            continue
        arguments = _receive(requests)
        if arguments is None:
            return
        reply = _answer(target, arguments)
        with contextlib.suppress(BrokenPipeError):
            _send(replies, reply)


def _answer(target: str, arguments: tuple[Any, ...]) -> tuple[str | None, Any]:
    try:
        module, _, name = target.partition(":")
        function = getattr(importlib.import_module(module), name)
        value = function(*arguments)
        pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent decides
        return type(error).__name__, " ".join(str(error).split())
    return None, value


def _parent_lives(parent: int) -> bool:
    return os.getppid() == parent


if __name__ == "__main__":
    _serve(sys.argv[1], int(sys.argv[2]))
