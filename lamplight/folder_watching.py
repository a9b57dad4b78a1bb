"""Looks at watched folders as long as the platform runs, in a thread of its own.

A share that does not answer can hold up whoever asks it for as long as it likes: so it holds up
neither housekeeping nor the end of the platform.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from governance.clock import Clock, utc_now
from ingest.folder_watch import FolderWatch

GRACE_S = 10.0

log = structlog.get_logger(__name__)


@contextmanager
def watching(watch: FolderWatch, every_s: float, clock: Clock = utc_now) -> Iterator[None]:
    """Look now and whenever the interval has passed, for the length of the block."""
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set():
            try:
                watch.look_at_all(clock(), stop.is_set)
            except Exception:
                log.exception("watched folders could not be looked at and are looked at again")
            stop.wait(every_s)

    # A daemon, for what waits for a dead share cannot be asked to end.
    thread = threading.Thread(target=run, name="folder-watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(GRACE_S)
        if thread.is_alive():
            log.warning("a watched folder does not answer, and is left to itself")
