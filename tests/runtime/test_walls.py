"""What a process cannot do any more behind its walls, as far as this machine has them."""

import json
import subprocess
import sys
from typing import Any

import pytest

from runtime.enclosure import standing_walls
from runtime.walls import WHAT_IT_KEEPS, Wall

STANDING = standing_walls()
TRIES = """
import json, os, socket, subprocess, sys
from pathlib import Path
from runtime.enclosure import WORKER_LIMITS
from runtime.walls import raise_walls

folder, secret, port = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
inherited = socket.socket(fileno=int(sys.argv[4]))
tries = {
    "own file": lambda: (folder / "model").read_bytes(),
    "secret": lambda: Path(secret).read_bytes(),
    "writing": lambda: Path(secret).parent.joinpath("x").write_text("x"),
    "parent's memory": lambda: Path(f"/proc/{os.getppid()}/environ").read_bytes(),
    "memory of all": lambda: os.listdir("/dev/shm"),
    "signal": lambda: os.kill(os.getppid(), 0),
    "socket": lambda: socket.socket(),
    "unix socket": lambda: socket.socket(socket.AF_UNIX),
    "connect": lambda: inherited.connect(("127.0.0.1", port)),
    "program": lambda: subprocess.run(["true"]),
}
raise_walls(WORKER_LIMITS, [folder])
outcome = {}
for name, attempt in tries.items():
    try:
        attempt()
        outcome[name] = "done"
    except OSError as error:
        outcome[name] = type(error).__name__
os.write(1, json.dumps(outcome).encode())
"""


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What became of each try behind the walls; a server really listens."""
    import socket

    folder = tmp_path_factory.mktemp("models")
    (folder / "model").write_text("weights")
    keys = tmp_path_factory.mktemp("data") / "keys"
    keys.mkdir()
    (keys / "trail.key").write_text("secret")
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as inherited:
        arguments = (folder, keys / "trail.key", server.getsockname()[1], inherited.fileno())
        done = subprocess.run(
            [sys.executable, "-I", "-c", TRIES, *map(str, arguments)],
            capture_output=True,
            env={},
            pass_fds=(inherited.fileno(),),
            check=True,
        )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def needs(wall: Wall) -> None:
    if wall not in STANDING:
        pytest.skip(f"this machine denies the wall that {WHAT_IT_KEEPS[wall]}")


def test_a_worker_reads_its_model(outcome: dict[str, Any]) -> None:
    """The walls leave what it is there for."""
    assert outcome["own file"] == "done"


@pytest.mark.parametrize("name", ["secret", "writing", "parent's memory", "memory of all"])
def test_a_worker_reads_no_keys(outcome: dict[str, Any], name: str) -> None:
    """D11: neither the keys, nor what its front remembers; and it writes nothing."""
    needs(Wall.FILES)
    assert outcome[name] == "PermissionError"


def test_a_worker_opens_no_socket(outcome: dict[str, Any]) -> None:
    """D11: not of the internet, nor the command line's own on this machine."""
    needs(Wall.CALLS)
    assert outcome["socket"] == outcome["unix socket"] == "PermissionError"
    assert outcome["program"] == "PermissionError"


def test_a_worker_connects_nowhere(outcome: dict[str, Any]) -> None:
    """D11: with a socket that it was left, it cannot reach a server that listens."""
    if not STANDING & {Wall.CALLS, Wall.NETWORK, Wall.FILES}:
        pytest.skip("this machine has no wall against connections")
    assert outcome["connect"] != "done"


FORKS = """
import json, os, subprocess, threading
from runtime.walls import Limits, raise_walls

def fork():
    if os.fork() == 0:
        os._exit(0)

def thread():
    began = threading.Thread(target=str)
    began.start()
    began.join()

raise_walls(Limits(), forks=False)
outcome = {}
for attempt in (fork, thread, lambda: os.posix_spawn("/bin/true", ["true"], {})):
    try:
        attempt()
        outcome[attempt.__name__] = "done"
    except OSError as error:
        outcome[attempt.__name__] = type(error).__name__
os.write(1, json.dumps(outcome).encode())
"""


def test_a_reader_starts_no_process_but_threads() -> None:
    """FLT-19: nothing of it is left when it is ended; libraries may have their threads."""
    needs(Wall.CALLS)
    done = subprocess.run(
        [sys.executable, "-I", "-c", FORKS], capture_output=True, env={}, check=True
    )
    assert json.loads(done.stdout) == {
        "fork": "PermissionError",
        "thread": "done",
        "<lambda>": "PermissionError",
    }


def test_the_walls_of_this_machine_are_told() -> None:
    """`lamplight doctor` names each wall; limits stand everywhere."""
    assert Wall.LIMITS in STANDING
    assert set(WHAT_IT_KEEPS) == set(Wall)
