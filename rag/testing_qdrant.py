"""For tests alone: a process that stands in for a Qdrant server on loopback."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

SCRIPT = Path(__file__).parent.parent / "tests" / "qdrant_stand_in.py"
HOST = "127.0.0.1"
START_S = 60
POLL_S = 0.1


@contextmanager
def qdrant_stand_in() -> Iterator[str]:
    """Its address, for the length of the block; it keeps nothing."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, str(SCRIPT), str(port)], stdin=subprocess.DEVNULL)
    url = f"http://{HOST}:{port}"
    try:
        deadline = time.monotonic() + START_S
        while not _answers(url):
            assert process.poll() is None, "the stand-in ended"
            assert time.monotonic() < deadline, "the stand-in does not start"
            time.sleep(POLL_S)
        yield url
    finally:
        process.kill()
        process.wait()


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", trust_env=False, timeout=5).is_success
    except httpx.HTTPError:
        return False
