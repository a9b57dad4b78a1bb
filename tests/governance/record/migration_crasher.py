"""A process of its own: brings copies of a record up to date and is killed before each statement.

Arguments: the record to start from, a folder for the copies, the target revision. For every
statement of the migration it leaves a copy that a process was killed at, named by the statement's
number, and says how many there are.
"""

import os
import shutil
import signal
import sys
from itertools import count
from pathlib import Path

from sqlalchemy import event

from governance.record.schema import migrate
from governance.record.sqlite import sqlite_engine


def bring_up_to_date(path: Path, target: str, kill_at: int) -> None:
    """Run the migration, and die by SIGKILL before its statement of this number (from 1)."""
    engine = sqlite_engine(f"sqlite:///{path}", busy_timeout_s=5)
    numbers = count(1)

    @event.listens_for(engine, "before_cursor_execute")
    def _maybe_die(*_arguments: object) -> None:
        if next(numbers) == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    @event.listens_for(engine, "commit")
    def _maybe_die_at_commit(*_arguments: object) -> None:
        if next(numbers) == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    migrate(engine, target)
    engine.dispose()


def main(start: Path, folder: Path, target: str) -> None:
    """Fork one child for each point, until one comes through alive."""
    for kill_at in count(1):
        place = folder / str(kill_at)
        place.mkdir()
        shutil.copy(start, place / "record.db")
        child = os.fork()
        if child == 0:
            bring_up_to_date(place / "record.db", target, kill_at)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            sys.stdout.write(f"{kill_at - 1} {os.WEXITSTATUS(status)}\n")
            return


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
