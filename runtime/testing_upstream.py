"""Servers that stand for a production server in tests: one that is not ours, and any of ours."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import httpx
import uvicorn
from starlette.applications import Starlette

START_S = 60.0
LOOK_S = 0.05


class LlamaCppServer:
    """llama-cpp-python's own OpenAI-compatible server, on a port that stays the same."""

    def __init__(self, model: Path, alias: str, key: str, *, embeds: bool = False) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/v1"
        options = {
            "--model": str(model),
            "--model_alias": alias,
            "--host": "127.0.0.1",
            "--port": str(self.port),
            "--api_key": key,
            "--n_ctx": "1024",
            "--n_threads": "1",
            "--n_threads_batch": "1",
            "--embedding": str(embeds),
            # Otherwise a new request silently ends the one that is running.
            "--interrupt_requests": "False",
        }
        self._arguments = [word for pair in options.items() for word in pair]
        self._key = key
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "LlamaCppServer":
        self.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None
    ) -> None:
        self.kill()

    def start(self) -> None:
        """Start it and wait until it answers. Raises TimeoutError."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "llama_cpp.server", *self._arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + START_S
        while not self._answers():
            if time.monotonic() > deadline or self._process.poll() is not None:
                self.kill()
                raise TimeoutError("llama_cpp.server does not start")
            time.sleep(LOOK_S)

    def kill(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        headers = {"Authorization": f"Bearer {self._key}"}
        try:
            return httpx.get(f"{self.url}/models", headers=headers, timeout=1).is_success
        except httpx.HTTPError:
            return False


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@contextmanager
def served(app: Starlette) -> Iterator[str]:
    """An application behind a real server in this process; gives its address."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=2))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
