"""One worker process, seen from the front: starts it, sends to it, and hands on what it says."""

import asyncio
import contextlib
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from runtime.errors import LoadFailed, WorkerDied
from runtime.protocol import CannotLoad, FromWorker, Ready, ToWorker, WorkerConfig

STOP_S = 5.0
# Nothing else of our environment is for a worker to know. llama.cpp would start a debugger.
ENVIRONMENT = {"GGML_NO_BACKTRACE": "1"}
GENTLE = {"OMP_WAIT_POLICY": "passive"}
PROGRAM = "runtime.enclosure"


class WorkerProcess:
    """A started worker. Requests are numbered; each number has a queue of its own.

    on_death: called once if it ends without being told to. program: the module that it runs.
    """

    def __init__(
        self,
        config: WorkerConfig,
        on_death: Callable[[], None] = lambda: None,
        program: str = PROGRAM,
    ) -> None:
        self.config = config
        self._on_death = on_death
        self.ready: Ready | None = None
        self._loop = asyncio.get_running_loop()
        self._queues: dict[int, asyncio.Queue[FromWorker | None]] = {}
        self._sending = threading.Lock()
        self._process, self._connection = _start(config, program)
        self._ended = False

    @property
    def is_dead(self) -> bool:
        """Whether it has ended, even if word of it is still on its way."""
        return self._ended or self._process.poll() is not None

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    async def load(self, timeout_s: float) -> Ready:
        """Wait until the model is in memory. Raises LoadFailed."""
        try:
            async with asyncio.timeout(timeout_s):
                answer = await asyncio.to_thread(self._first_answer)
        except TimeoutError as error:
            self.kill()
            raise LoadFailed(
                f"the model was not loaded within {timeout_s:.0f} s",
                "Use a smaller model, or raise LAMPLIGHT_RUNTIME_LOAD_TIMEOUT_S.",
            ) from error
        except (EOFError, OSError) as error:
            self._died()
            raise LoadFailed(
                f"the process of the model ended while loading (status {self._status()})",
                "Memory may be short: use a smaller model or a smaller context.",
            ) from error
        if isinstance(answer, CannotLoad):
            self.kill()
            raise LoadFailed(answer.message, answer.hint)
        assert isinstance(answer, Ready)
        self.ready = answer
        threading.Thread(target=self._listen, name=f"worker-{self.pid}", daemon=True).start()
        return answer

    def _first_answer(self) -> Any:
        self._connection.send(self.config)
        return self._connection.recv()

    def open(self, request_id: int) -> asyncio.Queue[FromWorker | None]:
        """The queue on which a request's answers come; None means that the process has died."""
        queue: asyncio.Queue[FromWorker | None] = asyncio.Queue()
        self._queues[request_id] = queue
        if self.is_dead:
            queue.put_nowait(None)
        return queue

    def close(self, request_id: int) -> None:
        """Nobody listens to a request any more."""
        self._queues.pop(request_id, None)

    async def send(self, message: ToWorker) -> None:
        """Send without holding up the loop. Raises WorkerDied."""
        try:
            await asyncio.to_thread(self._send, message)
        except OSError as error:
            raise self.death() from error

    def send_soon(self, message: ToWorker) -> None:
        """Send from a place that cannot wait; a dead process needs no message."""
        self._loop.run_in_executor(None, self._send_quietly, message)

    def _send(self, message: ToWorker) -> None:
        with self._sending:
            self._connection.send(message)

    def _send_quietly(self, message: ToWorker) -> None:
        with contextlib.suppress(OSError):
            self._send(message)

    def _listen(self) -> None:
        while True:
            try:
                message: FromWorker = self._connection.recv()
            except (EOFError, OSError):
                break
            self._tell(self._hand_on, message)
        self._tell(self._died)

    def _tell(self, call: Any, *arguments: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to tell
            self._loop.call_soon_threadsafe(call, *arguments)

    def _hand_on(self, message: FromWorker) -> None:
        assert not isinstance(message, Ready | CannotLoad)
        queue = self._queues.get(message.id)
        if queue is not None:
            queue.put_nowait(message)

    def _died(self) -> None:
        if not self._ended:  # and so it was not we who ended it
            self._on_death()
        self._ended = True
        for queue in self._queues.values():
            queue.put_nowait(None)

    def death(self) -> WorkerDied:
        """What to tell the requests of a process that has ended."""
        return WorkerDied(
            f"the process of the model ended (status {self._status()})",
            "Try again: the model is loaded anew. If it repeats, memory may be short.",
        )

    def _status(self) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_S)
        return self._process.returncode

    def kill(self) -> None:
        """End the process at once and wait for it."""
        if self._process.poll() is None:
            self._ended = True
        self._process.kill()
        self._process.wait()
        # A thread that reads from the connection sees its end by itself, and the last one to let
        # go of it closes it: closing it here would pull it away from under a running read.


def _start(
    config: WorkerConfig, program: str
) -> tuple[subprocess.Popen[bytes], "Connection[Any, Any]"]:
    """Start a worker with an environment of its own, and with no file open but its connection."""
    folder = config.path.resolve().parent
    ours, theirs = socket.socketpair()
    with ours, theirs:
        process = subprocess.Popen(
            [sys.executable, "-I", "-m", program, str(theirs.fileno()), str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=(theirs.fileno(),),
            env=ENVIRONMENT | (GENTLE if config.gentle_threads else {}),
        )
        return process, Connection(ours.detach())
