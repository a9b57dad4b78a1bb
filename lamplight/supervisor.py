"""Starts the runtime and the platform, starts a part again that dies, and stops both in order.

Each part is a process with its standard input tied to ours: when we go, however we go, it reads the
end of its input and drains by itself. Parts stop in the order platform, runtime, so that an answer
under way still has its model.
"""

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from lamplight.errors import PartFailed, PortTaken

POLL_S = 0.1
READY_TIMEOUT_S = 120.0
# More than a server needs to let its answers finish (DRAIN_S in serving.py).
DRAIN_TIMEOUT_S = 40.0
# A part that dies this often within the window is broken; starting it again only hides it.
MAX_DEATHS = 5
DEATH_WINDOW_S = 60.0
MAX_LOG_BYTES = 10_000_000
STDIN_IS_PARENT = "--stop-with-parent"


@dataclass(frozen=True, slots=True)
class Part:
    """One process of Lamplight: how to start it, and how to see that it is ready.

    pass_fds: descriptors that the process inherits.
    """

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    log_path: Path
    is_ready: Callable[[], bool]
    pass_fds: tuple[int, ...] = ()


@dataclass(slots=True)
class _Running:
    part: Part
    process: "subprocess.Popen[bytes]"
    deaths: list[float] = field(default_factory=list)


def restart_delay_s(deaths: Sequence[float], now: float) -> float | None:
    """How long to wait before the next start, or None if the part is given up."""
    recent = [death for death in deaths if now - death < DEATH_WINDOW_S]
    if len(recent) >= MAX_DEATHS:
        return None
    return float(min(10.0, 0.25 * 2 ** len(recent)))


class Supervisor:
    """Keeps parts running until it is told to stop."""

    def __init__(self, parts: Sequence[Part], report: Callable[[str], None]) -> None:
        self._parts = parts
        self._report = report
        self._running: list[_Running] = []
        self._stop = threading.Event()

    def start(self) -> None:
        """Start every part and wait until each is ready. Raises PartFailed."""
        for part in self._parts:
            running = _Running(part, _spawn(part))
            self._running.append(running)
            self._wait_ready(running)

    def watch(self) -> None:
        """Start parts again that die, until `request_stop`. Raises PartFailed."""
        while not self._stop.wait(POLL_S):
            for running in self._running:
                if running.process.poll() is not None:
                    self._revive(running)

    def kill(self) -> None:
        """End every part at once, answers under way or not; safe in a signal handler."""
        for running in self._running:
            running.process.kill()

    def request_stop(self) -> None:
        """Make `watch` and `start` return; safe in a signal handler."""
        self._stop.set()

    @property
    def stopping(self) -> bool:
        """Whether somebody asked us to stop."""
        return self._stop.is_set()

    def process_ids(self) -> dict[str, int]:
        """The process of each part, by the part's name."""
        return {running.part.name: running.process.pid for running in self._running}

    def stop(self) -> None:
        """Drain the parts, last started first."""
        for running in reversed(self._running):
            _end(running.process)
        self._running.clear()

    def _wait_ready(self, running: _Running) -> None:
        deadline = time.monotonic() + READY_TIMEOUT_S
        while not running.part.is_ready():
            if self._stop.is_set():
                return
            if running.process.poll() is not None or time.monotonic() > deadline:
                raise _does_not_start(running.part)
            time.sleep(POLL_S)

    def _revive(self, running: _Running) -> None:
        now = time.monotonic()
        code = running.process.returncode
        delay_s = restart_delay_s(running.deaths, now)
        if delay_s is None:
            raise _does_not_start(running.part)
        running.deaths.append(now)
        _end(running.process)
        self._report(
            f"The {running.part.name} ended unexpectedly ({_how(code)}); starting it again"
        )
        if not self._stop.wait(delay_s):
            running.process = _spawn(running.part)


def check_port(host: str, port: int, option: str) -> None:
    """Refuse a port that another program uses, before anything starts. Raises PortTaken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # As the servers do: a port in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            ollama = " (Ollama uses it, too)" if port == 11434 else ""
            raise PortTaken(
                f"Port {port} on {host} cannot be used: {error.strerror or error}{ollama}.",
                f"Stop the program that uses it, or choose another port with {option}.",
            ) from error


def free_port(host: str) -> int:
    """A port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def answers(url: str, unix_socket: Path | None = None) -> bool:
    """Whether a server answers this address with a success."""
    # httpx leaves its socket open where there is nothing to connect to.
    if unix_socket is not None and not unix_socket.is_socket():
        return False
    transport = httpx.HTTPTransport(uds=str(unix_socket)) if unix_socket else None
    try:
        with httpx.Client(transport=transport, trust_env=False, timeout=5) as client:
            return client.get(url).is_success
    except httpx.HTTPError:
        return False


def stop_with_parent(stop: Callable[[], None]) -> None:
    """Call `stop` when our standard input ends: the process that started us is gone."""

    def wait() -> None:
        sys.stdin.buffer.read()
        stop()

    threading.Thread(target=wait, daemon=True, name="parent-watch").start()


def lamplight_command(*arguments: str) -> list[str]:
    """How to start ourselves as another process."""
    return [sys.executable, "-m", "lamplight", *arguments]


def _spawn(part: Part) -> "subprocess.Popen[bytes]":
    part.log_path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if part.log_path.exists() and part.log_path.stat().st_size > MAX_LOG_BYTES:
        part.log_path.replace(part.log_path.with_suffix(".1.log"))
    with part.log_path.open("ab") as log:
        return subprocess.Popen(
            part.arguments,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env=dict(part.environment),
            pass_fds=part.pass_fds,
            # Ctrl-C goes to us alone; we end the parts in order.
            start_new_session=True,
        )


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(DRAIN_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdin is not None:
        process.stdin.close()


def _does_not_start(part: Part) -> PartFailed:
    return PartFailed(
        f"The {part.name} does not run.{_last_words(part.log_path)}",
        f"The whole story is in {part.log_path}.",
    )


def _last_words(log_path: Path) -> str:
    lines = log_path.read_text(errors="replace").strip().splitlines() if log_path.exists() else []
    return f" It said: {lines[-1]}" if lines else ""


def _how(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
