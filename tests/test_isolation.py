"""Isolated calls: results, errors, crashes, timeouts, and the life of the child."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from codecbench.isolation import (
    CallTimeoutError,
    IsolatedFunction,
    ProcessDiedError,
    RemoteError,
)


@pytest.fixture
def isolated():
    made = []

    def make(target, **options):
        made.append(IsolatedFunction(target, **options))
        return made[-1]

    yield make
    for function in made:
        function.close()


def _is_gone(pid: int, seconds: float = 10.0) -> bool:
    """Whether a process ends within some seconds (a zombie counts as ended)."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def test_returns_what_the_function_returns(isolated):
    add = isolated("operator:add")
    left, right = np.arange(300_000.0), np.ones(300_000)
    np.testing.assert_array_equal(add(left, right), left + right)


def test_none_is_a_result_like_any_other(isolated):
    assert isolated("gc:enable")() is None


def test_all_calls_go_to_one_other_process(isolated):
    getpid = isolated("os:getpid")
    first = getpid()
    assert first != os.getpid()
    assert getpid() == first


def test_child_runs_one_maths_thread(isolated):
    assert isolated("os:getenv")("OPENBLAS_NUM_THREADS") == "1"


def test_exception_is_raised_with_its_kind_and_the_child_lives_on(isolated):
    sqrt = isolated("math:sqrt")
    with pytest.raises(RemoteError, match="ValueError") as caught:
        sqrt(-1.0)
    assert caught.value.kind == "ValueError"
    assert sqrt(9.0) == 3.0


@pytest.mark.parametrize(
    ("target", "kind"),
    [("nosuchmodule:f", "ModuleNotFoundError"), ("math:nosuch", "AttributeError")],
)
def test_unknown_target_is_an_error(isolated, target, kind):
    with pytest.raises(RemoteError) as caught:
        isolated(target)()
    assert caught.value.kind == kind


def test_result_that_cannot_travel_is_an_error(isolated):
    with pytest.raises(RemoteError):
        isolated("threading:Lock")()


@pytest.mark.parametrize("name", ["SIGSEGV", "SIGABRT", "SIGKILL"])
def test_crash_is_an_error_and_the_next_call_works(isolated, name):
    crash = isolated("signal:raise_signal")
    with pytest.raises(ProcessDiedError, match=rf"signal:raise_signal was killed by {name}"):
        crash(int(getattr(signal, name)))
    assert crash(int(signal.SIGURG)) is None


def test_segmentation_fault_in_c_code_is_an_error(isolated):
    read = isolated("ctypes:string_at")
    with pytest.raises(ProcessDiedError, match="was killed by SIGSEGV"):
        read(0)


def test_exit_in_c_code_is_an_error(isolated):
    with pytest.raises(ProcessDiedError, match="ended with status 3"):
        isolated("os:_exit")(3)


def test_child_killed_between_calls_is_replaced_unnoticed(isolated):
    getpid = isolated("os:getpid")
    first = getpid()
    os.kill(first, signal.SIGKILL)
    assert _is_gone(first)
    assert getpid() not in (first, os.getpid())


def test_call_that_takes_too_long_is_an_error(isolated):
    sleep = isolated("time:sleep", timeout_s=0.5)
    with pytest.raises(CallTimeoutError, match=r"longer than 0\.5 s"):
        sleep(60)
    assert sleep(0) is None


def test_output_of_the_function_does_not_disturb(isolated):
    say = isolated("os:write")
    assert say(1, b"x" * 1000) == 1000
    assert say(1, b"y") == 1


def test_close_ends_the_child(isolated):
    getpid = isolated("os:getpid")
    pid = getpid()
    getpid.close()
    assert _is_gone(pid)


def test_dropping_the_last_reference_ends_the_child():
    getpid = IsolatedFunction("os:getpid")
    pid = getpid()
    del getpid
    assert _is_gone(pid)


def test_child_ends_when_its_parent_is_killed():
    script = (
        "import os, signal\n"
        "from codecbench.isolation import IsolatedFunction\n"
        "function = IsolatedFunction('os:getpid')\n"
        "print(function(), flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL
    assert _is_gone(int(done.stdout))


def test_child_ends_though_a_fork_of_its_dead_parent_holds_the_pipe():
    script = (
        "import os, signal, time\n"
        "from codecbench.isolation import IsolatedFunction\n"
        "function = IsolatedFunction('os:getpid')\n"
        "child = function()\n"
        "fork = os.fork()\n"
        "if fork == 0:\n"
        "    os.close(1)\n"
        "    time.sleep(30)\n"
        "    os._exit(0)\n"
        "print(child, fork, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    child, fork = map(int, done.stdout.split())
    try:
        assert _is_gone(child)
    finally:
        os.kill(fork, signal.SIGKILL)


def test_fork_gets_a_child_of_its_own(isolated):
    getpid = isolated("os:getpid")
    mine = getpid()
    reader, writer = os.pipe()
    fork = os.fork()
    if fork == 0:
        theirs = getpid()
        os.write(writer, b"other" if theirs != mine else b"same")
        getpid.close()
        os._exit(0)
    os.waitpid(fork, 0)
    assert os.read(reader, 10) == b"other"
    assert getpid() == mine
