"""Raises the walls around a worker, then lets it begin; with `--probe`, says which walls stand.

The walls come first because libraries start threads when they are imported, and a wall holds for
the thread that raises it and for later ones.
"""

import argparse
import contextlib
import json
import subprocess
import sys
from pathlib import Path

from runtime.walls import Limits, Wall, raise_walls

# What a worker writes is at most a complaint in a log that is open already.
WORKER_LIMITS = Limits(open_files=256, file_bytes=64 * 1024 * 1024)
FIRST_TO_END = "800"  # when memory runs out, the kernel ends a model and not the record
PROBE_TIMEOUT_S = 30.0


def main() -> None:
    """Serve the connection of the first argument, seeing only the folder of the second."""
    parser = argparse.ArgumentParser()
    parser.add_argument("fd", type=int, nargs="?")
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--probe", action="store_true")
    asked = parser.parse_args()
    with contextlib.suppress(OSError):  # not on this system
        Path("/proc/self/oom_score_adj").write_text(FIRST_TO_END)
    walls = raise_walls(WORKER_LIMITS, [asked.folder] if asked.folder else [])
    if asked.probe:
        sys.stdout.write(json.dumps(sorted(walls)))
        return
    from runtime import worker  # not before the walls: numpy and llama.cpp start threads

    worker.serve(asked.fd)


def standing_walls() -> frozenset[Wall]:
    """The walls that a worker has on this machine, found out by raising them in a process."""
    done = subprocess.run(
        [sys.executable, "-I", "-m", "runtime.enclosure", "--probe"],
        capture_output=True,
        timeout=PROBE_TIMEOUT_S,
        env={},
        check=True,
    )
    return frozenset(Wall(name) for name in json.loads(done.stdout))


if __name__ == "__main__":
    main()
