"""For tests and figures: many streams at once through a real front, without a model behind it.

The front is a process of its own, so that its memory can be read. Run as a program it is that
front: `python -m runtime.testing_streams FOLDER STREAMS` prints its address.
"""

import asyncio
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from runtime.api.app import create_app
from runtime.api.testing import OpenGate
from runtime.config import RuntimeSettings
from runtime.engine import Engine
from runtime.open_files import allow_connections
from runtime.testing_engine import install_runnable
from runtime.testing_server import serving
from runtime.testing_stub import answer_of, question

MODEL = "llama"
_PEAK = re.compile(r"VmHWM:\s+(\d+) kB")
_HEAD = (
    "POST /api/chat HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    "Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
)


@dataclass(frozen=True, slots=True)
class Figures:
    """What was seen. wrong: streams whose answer was not theirs, whole and in order.

    before_mib: resident memory of the front when it was ready; peak_mib: the most of it.
    """

    streams: int
    wrong: int
    seconds: float
    lines: int
    before_mib: float
    peak_mib: float


def measure(folder: Path, streams: int, pieces: int) -> Figures:
    """Open so many streams at once and read all of them to their end."""
    allow_connections()
    with _front(folder, streams) as (port, pid):
        before = _peak_mib(pid)
        began = time.perf_counter()
        wrong, lines = asyncio.run(_read_all(port, streams, pieces))
        seconds = time.perf_counter() - began
        return Figures(streams, wrong, seconds, lines, before, _peak_mib(pid))


@contextmanager
def _front(folder: Path, streams: int) -> Iterator[tuple[int, int]]:
    """Port and process number of a front whose only model is a stub."""
    command = [sys.executable, "-m", "runtime.testing_streams", str(folder), str(streams)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline()), process.pid
        finally:
            process.stdin.close()  # which ends it
            process.wait()


async def _read_all(port: int, streams: int, pieces: int) -> tuple[int, int]:
    found = await asyncio.gather(*(_read(port, n, streams, pieces) for n in range(streams)))
    right = (text == answer_of(number, pieces) for number, (text, _) in enumerate(found))
    return sum(not one for one in right), sum(lines for _, lines in found)


async def _read(port: int, number: int, streams: int, pieces: int) -> tuple[str, int]:
    """The text of one stream, if it ends as one should, and its lines."""
    body = json.dumps(
        {
            "model": MODEL,
            "messages": [{"role": "user", "content": question(number, streams, pieces)}],
        }
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write((_HEAD.format(length=len(body)) + body).encode())
    content = await reader.read(-1)
    writer.close()
    head, _, rest = content.partition(b"\r\n\r\n")
    lines = [json.loads(line) for line in _unchunked(rest).splitlines()]
    ends = [line for line in lines if line.get("done")]
    if not head.startswith(b"HTTP/1.1 200") or not lines or ends != lines[-1:]:
        return "", len(lines)
    return "".join(line["message"]["content"] for line in lines), len(lines)


def _unchunked(body: bytes) -> bytes:
    parts: list[bytes] = []
    at = 0
    while True:
        end = body.find(b"\r\n", at)
        size = int(body[at:end] or b"0", 16) if end >= 0 else 0
        if not size:
            return b"".join(parts)
        parts.append(body[end + 2 : end + 2 + size])
        at = end + 4 + size


def _peak_mib(pid: int) -> float:
    found = _PEAK.search(Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def _main(folder: Path, streams: int) -> None:
    """Be the front until our input ends."""
    allow_connections()
    store = install_runnable(folder, MODEL)
    settings = RuntimeSettings(
        models_dir=folder,
        context_length_tokens=64,
        max_sequences=streams,
        max_queue=1,
        quarantine_path=folder / "notes.json",
    )
    engine = Engine(settings, store, worker_program="runtime.testing_stub")
    with serving(create_app(settings, store, OpenGate(), engine=engine)) as url:
        sys.stdout.write(url.rpartition(":")[2] + "\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    _main(Path(sys.argv[1]), int(sys.argv[2]))
