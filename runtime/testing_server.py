"""For tests: real servers on free ports, ours and a registry that is not ours."""

import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import uvicorn
from starlette.types import ASGIApp

REGISTRY_PROGRAM = "docker-registry"


@contextmanager
def serving(app: ASGIApp, backlog: int = 2048) -> Iterator[str]:
    """The address of an application on a real server, in a thread of this process."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    # As `lamplight serve` does it.
    config = uvicorn.Config(
        app, http="h11", log_config=None, timeout_graceful_shutdown=2, backlog=backlog
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def registry_in(folder: Path, password_line: str = "") -> Iterator[str]:
    """HOST:PORT of Debian's docker-registry with an empty store.

    password_line: of an htpasswd file; without one nobody has to sign in.
    """
    program = shutil.which(REGISTRY_PROGRAM)
    assert program, "scripts/install-test-tools installs docker-registry"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{free.getsockname()[1]}"
    config: dict[str, object] = {
        "version": 0.1,
        "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(folder / "store")}},
        "http": {"addr": host},
    }
    if password_line:
        (folder / "htpasswd").write_text(password_line)
        config["auth"] = {"htpasswd": {"realm": "test", "path": str(folder / "htpasswd")}}
    (folder / "config.yml").write_text(json.dumps(config))
    with subprocess.Popen(
        [program, "serve", str(folder / "config.yml")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            _wait_for(host)
            yield host
        finally:
            process.kill()


def _wait_for(host: str) -> None:
    for _ in range(600):
        try:
            if httpx.get(f"http://{host}/v2/", trust_env=False).status_code in (200, 401):
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError("the registry did not start")
