"""Parts are started, started again when they die, given up when they are broken, and drained."""

import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path

import pytest

from lamplight.errors import PartFailed, PortTaken
from lamplight.supervisor import (
    DEATH_WINDOW_S,
    MAX_DEATHS,
    Part,
    Supervisor,
    check_port,
    free_port,
    restart_delay_s,
)

# Counts its starts in a file, then waits for the end of its input.
COUNTING = "import sys; open(sys.argv[1], 'a').write('x'); sys.stdin.read()"


def counting_part(tmp_path: Path, code: str = COUNTING) -> tuple[Part, Path]:
    starts = tmp_path / "starts"
    part = Part(
        name="part",
        arguments=[sys.executable, "-c", code, str(starts)],
        environment=dict(os.environ),
        log_path=tmp_path / "logs" / "part.log",
        is_ready=starts.exists,
    )
    return part, starts


def until(condition: object, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def test_a_part_that_dies_is_started_again(tmp_path: Path) -> None:
    """A killed process comes back, and the report says so."""
    part, starts = counting_part(tmp_path)
    notes: list[str] = []
    supervisor = Supervisor([part], notes.append)
    supervisor.start()
    watcher = threading.Thread(target=supervisor.watch)
    watcher.start()
    try:
        os.kill(supervisor.process_ids()["part"], signal.SIGKILL)
        until(lambda: starts.read_text() == "xx")
    finally:
        supervisor.request_stop()
        watcher.join()
        supervisor.stop()
    assert "SIGKILL" in notes[0]


def test_a_part_that_does_not_start_is_named_with_its_last_words(tmp_path: Path) -> None:
    """The person sees why, and where the rest is."""
    part, _ = counting_part(tmp_path, "raise SystemExit('the disk is full')")
    supervisor = Supervisor([part], print)
    with pytest.raises(PartFailed, match="the disk is full") as failure:
        supervisor.start()
    supervisor.stop()
    assert "part.log" in failure.value.hint


def test_parts_end_when_their_supervisor_stops(tmp_path: Path) -> None:
    """No process is left behind."""
    part, _ = counting_part(tmp_path)
    supervisor = Supervisor([part], print)
    supervisor.start()
    process_id = supervisor.process_ids()["part"]
    supervisor.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(process_id, 0)


def test_restarts_back_off_and_end() -> None:
    """Waits grow; too many deaths within the window are given up; old deaths are forgotten."""
    now = 1000.0
    delays = [restart_delay_s([now] * n, now) for n in range(MAX_DEATHS)]
    assert all(delays[n + 1] > delays[n] for n in range(MAX_DEATHS - 1))  # type: ignore[operator]
    assert restart_delay_s([now] * MAX_DEATHS, now) is None
    assert restart_delay_s([now - DEATH_WINDOW_S - 1] * MAX_DEATHS, now) == delays[0]


def test_a_taken_port_is_refused_with_the_option_to_change_it() -> None:
    """The refusal comes before anything is started."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PortTaken, match=str(port)) as refusal:
            check_port("127.0.0.1", port, "--port")
    assert "--port" in refusal.value.hint


def test_a_free_port_is_accepted() -> None:
    """Looking at a port does not occupy it."""
    port = free_port("127.0.0.1")
    check_port("127.0.0.1", port, "--port")
    check_port("127.0.0.1", port, "--port")
