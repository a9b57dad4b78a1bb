"""The one door to child processes: files from outside are opened only in there.

A child is a fresh interpreter, for a fork of a threaded process can hang. It gets its task as JSON
on standard input and answers with bytes on standard output. JSON, and not pickle: a hostile file
that takes over the child must not be able to take over us. Before it touches the file it limits its
own memory and processor time and raises walls around itself: of all documents it can read the one
that it was given; it has no network, writes nothing (unless it was given a folder to write in) and
starts no other process. A machine may
lack one of these walls (`lamplight doctor` says which it has): the others stand all the same.
"""

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from runtime.walls import Limits, raise_walls

_PACKAGE = Path(__file__).resolve().parent
_PACKAGE_ROOT = _PACKAGE.parent
# Exit status of a child that ran out of memory where Python could still notice.
OUT_OF_MEMORY_STATUS = 82
# One thread a child, for several run side by side; and nobody is told of our reading:
# onnxruntime reports its use to its maker unless this says no (and without a network it cannot).
_ENVIRONMENT = {
    "PYTHONUTF8": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "ORT_DISABLE_TELEMETRY": "1",
}


@dataclass(frozen=True, slots=True)
class ChildLimits:
    """What a child may take: wall clock in seconds; address space, answer and files in bytes."""

    timeout_s: float
    memory_bytes: int
    answer_bytes: int
    file_bytes: int = 0
    open_files: int = 64


class ChildTimeoutError(Exception):
    """The child was ended because its time was up."""


class ChildMemoryError(Exception):
    """The child needed more memory than it may have."""


class ChildCrashError(Exception):
    """The child died, or answered more than it may."""


def run_child(
    module: str,
    task: dict[str, Any],
    limits: ChildLimits,
    reads: Iterable[Path] = (),
    on_line: Callable[[bytes], None] | None = None,
    writes: Iterable[Path] = (),
) -> bytes:
    """Run a module's task in a child; raises ChildTimeoutError, -MemoryError, -CrashError.

    reads: the files it may open, besides libraries. on_line: is given each line of the answer as
    soon as it comes, also of a child that breaks off later; what it raises ends the child. writes:
    folders in which it may make files.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        # Nothing of our environment, for it may hold secrets.
        env=_ENVIRONMENT | {"PYTHONPATH": str(_PACKAGE_ROOT)},
        cwd=_PACKAGE_ROOT,
        # Ctrl-C on the terminal is ours to handle: the child ends when its file is read.
        start_new_session=True,
    )
    request = {
        "limits": asdict(limits),
        "reads": [str(path.resolve()) for path in reads],
        "writes": [str(path.resolve()) for path in writes],
        "task": task,
    }
    expired = threading.Event()
    timer = threading.Timer(limits.timeout_s, _end, (process, expired))
    timer.start()
    try:
        answer = _exchange(process, json.dumps(request), limits, on_line)
    finally:
        timer.cancel()
        process.kill()
        status = process.wait()
    return _checked(answer, status, expired.is_set(), limits)


def _end(process: "subprocess.Popen[bytes]", expired: threading.Event) -> None:
    expired.set()
    process.kill()


def _exchange(
    process: "subprocess.Popen[bytes]",
    task: str,
    limits: ChildLimits,
    on_line: Callable[[bytes], None] | None,
) -> bytes:
    assert process.stdin is not None
    assert process.stdout is not None
    with process.stdin, process.stdout:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(task.encode())
            process.stdin.close()
        if on_line is None:
            answer = process.stdout.read(limits.answer_bytes + 1)
        else:
            answer = _lines(process.stdout, limits, on_line)
        # Wait for the exit status before the caller makes sure of the child's end.
        if len(answer) <= limits.answer_bytes:
            process.wait()
        return answer


def _lines(stream: IO[bytes], limits: ChildLimits, on_line: Callable[[bytes], None]) -> bytes:
    """The answer, handed on line by line; half a line at its end, or one too many, is not."""
    answer = bytearray()
    while line := stream.readline(limits.answer_bytes + 1 - len(answer)):
        answer += line
        if len(answer) > limits.answer_bytes:
            break
        if line.endswith(b"\n"):
            on_line(line)
    return bytes(answer)


def _checked(answer: bytes, status: int, expired: bool, limits: ChildLimits) -> bytes:
    if expired or status == -signal.SIGXCPU:
        raise ChildTimeoutError
    if status == OUT_OF_MEMORY_STATUS or (status == -signal.SIGKILL and not answer):
        raise ChildMemoryError
    if status != 0 or len(answer) > limits.answer_bytes:
        raise ChildCrashError
    return answer


def serve_once(work: Callable[[dict[str, Any]], bytes | Iterator[bytes]]) -> None:
    """The child's side: raise the walls, do the one task, answer, end.

    An answer in parts is sent part by part.
    Libraries that read files are imported by the work, behind the walls: some start threads.
    """
    request = json.loads(sys.stdin.buffer.read())
    answer_to = os.dup(1)
    # A library that prints must not write into the answer.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    paths = ([Path(path) for path in request[name]] for name in ("reads", "writes"))
    _wall_ourselves(ChildLimits(**request["limits"]), *paths)
    with os.fdopen(answer_to, "wb") as pipe:
        try:
            answer = work(request["task"])
            for part in (answer,) if isinstance(answer, bytes) else answer:
                pipe.write(part)
                pipe.flush()
        except MemoryError:
            os._exit(OUT_OF_MEMORY_STATUS)
    # Skip the interpreter's tidying up: every object of a large document would be freed singly.
    os._exit(0)


def _wall_ourselves(limits: ChildLimits, reads: list[Path], writes: list[Path]) -> None:
    # A little more than the wall clock: this one is for when nobody is left to watch it.
    seconds = int(limits.timeout_s) + 2
    # The first of the two ends us with a signal of its own, by which we know the reason.
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 2))
    raise_walls(
        Limits(
            open_files=limits.open_files,
            file_bytes=limits.file_bytes,
            memory_bytes=limits.memory_bytes,
        ),
        readable=[*reads, _PACKAGE],
        writable=writes,
        forks=False,
    )
