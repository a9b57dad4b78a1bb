"""The one door to child processes: files from outside are opened only in there.

A child is a fresh interpreter, for a fork of a threaded process can hang. It limits its own
memory and processor time before it touches the file, gets its task as JSON on standard input
and answers with bytes on standard output. JSON, and not pickle: a hostile file that takes over
the child must not be able to take over us.
"""

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

_PACKAGE_ROOT = Path(__file__).resolve().parent.parent
# Exit status of a child that ran out of memory where Python could still notice.
OUT_OF_MEMORY_STATUS = 82
_CORE_BYTES = 0


@dataclass(frozen=True, slots=True)
class ChildLimits:
    """What a child may take: wall clock in seconds, address space and answer in bytes."""

    timeout_s: float
    memory_bytes: int
    answer_bytes: int


class ChildTimeoutError(Exception):
    """The child was ended because its time was up."""


class ChildMemoryError(Exception):
    """The child needed more memory than it may have."""


class ChildCrashError(Exception):
    """The child died, or answered more than it may."""


def run_child(module: str, task: dict[str, Any], limits: ChildLimits) -> bytes:
    """Run a module's task in a child; raises ChildTimeoutError, -MemoryError, -CrashError."""
    process = subprocess.Popen(
        [sys.executable, "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        # Nothing of our environment, for it may hold secrets.
        env={"PYTHONPATH": str(_PACKAGE_ROOT), "PYTHONUTF8": "1"},
        cwd=_PACKAGE_ROOT,
        # Ctrl-C on the terminal is ours to handle: the child ends when its file is read.
        start_new_session=True,
    )
    expired = threading.Event()
    timer = threading.Timer(limits.timeout_s, _end, (process, expired))
    timer.start()
    try:
        answer = _exchange(process, json.dumps({"limits": asdict(limits), "task": task}), limits)
    finally:
        timer.cancel()
        process.kill()
        status = process.wait()
    return _checked(answer, status, expired.is_set(), limits)


def _end(process: "subprocess.Popen[bytes]", expired: threading.Event) -> None:
    expired.set()
    process.kill()


def _exchange(process: "subprocess.Popen[bytes]", task: str, limits: ChildLimits) -> bytes:
    assert process.stdin is not None
    assert process.stdout is not None
    with process.stdin, process.stdout:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(task.encode())
            process.stdin.close()
        answer = process.stdout.read(limits.answer_bytes + 1)
        # Wait for the exit status before the caller makes sure of the child's end.
        if len(answer) <= limits.answer_bytes:
            process.wait()
        return answer


def _checked(answer: bytes, status: int, expired: bool, limits: ChildLimits) -> bytes:
    if expired or status == -signal.SIGXCPU:
        raise ChildTimeoutError
    if status == OUT_OF_MEMORY_STATUS or (status == -signal.SIGKILL and not answer):
        raise ChildMemoryError
    if status != 0 or len(answer) > limits.answer_bytes:
        raise ChildCrashError
    return answer


def serve_once(work: Callable[[dict[str, Any]], bytes]) -> None:
    """The child's side: limit ourselves, do the one task, answer, end."""
    request = json.loads(sys.stdin.buffer.read())
    answer_to = os.dup(1)
    # A library that prints must not write into the answer.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    _limit_ourselves(ChildLimits(**request["limits"]))
    try:
        answer = work(request["task"])
    except MemoryError:
        os._exit(OUT_OF_MEMORY_STATUS)
    with os.fdopen(answer_to, "wb") as pipe:
        pipe.write(answer)
    # Skip the interpreter's tidying up: every object of a large document would be freed singly.
    os._exit(0)


def _limit_ourselves(limits: ChildLimits) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (_CORE_BYTES, _CORE_BYTES))
    # A little more than the wall clock: this one is for when nobody is left to watch it.
    seconds = int(limits.timeout_s) + 2
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 2))
    # Nothing in here writes files.
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
