"""How many streams the runtime's front carries at once, and what that takes of memory and time.

python -m benchmarks.streams [--streams 1000] [--pieces 50]

Behind the front is a worker without a model, which writes to all streams in turn: what is measured
is HTTP, the engine and the way between the processes.
"""

import argparse
import tempfile
from pathlib import Path

from benchmarks.machine import describe
from runtime.testing_streams import measure

MOST_MIB = 600


def main() -> None:
    """Measure, print, and stop with status 1 if a stream was not whole or memory not bounded."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--streams", type=int, default=1000)
    options.add_argument("--pieces", type=int, default=50)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), asked.streams, asked.pieces)
    print(describe())
    print(
        f"{found.streams} streams of {asked.pieces} pieces in {found.seconds:.1f} s"
        f" ({found.lines / found.seconds:,.0f} lines/s), {found.wrong} wrong;"
        f" the front: {found.before_mib:.0f} MiB before, {found.peak_mib:.0f} MiB at most"
    )
    raise SystemExit(0 if found.wrong == 0 and found.peak_mib < MOST_MIB else 1)


if __name__ == "__main__":
    main()
