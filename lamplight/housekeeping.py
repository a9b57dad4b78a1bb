"""What has to be done again and again while the platform runs, by one thread for all of it.

A chore that fails is logged and tried again at its next turn; the others go on.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from governance.clock import Clock, utc_now

LOOK_EVERY_S = 5.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Chore:
    """Something to do at every interval; `act` gets the time."""

    name: str
    every: timedelta
    act: Callable[[datetime], object]


class Housekeeping:
    """Does each chore at the start, and then whenever its interval has passed."""

    def __init__(self, chores: Sequence[Chore], clock: Clock = utc_now) -> None:
        self._chores = chores
        self._clock = clock
        self._next: dict[str, datetime] = {}

    def tick(self) -> None:
        """Do what is due now."""
        for chore in self._chores:
            now = self._clock()
            if self._next.get(chore.name, now) > now:
                continue
            self._next[chore.name] = now + chore.every
            try:
                chore.act(now)
            except Exception:
                log.exception("a chore failed and is tried again", chore=chore.name)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Keep house for the length of the block."""
        stop = threading.Event()

        def run() -> None:
            self.tick()
            while not stop.wait(LOOK_EVERY_S):
                self.tick()

        thread = threading.Thread(target=run, name="housekeeping")
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
