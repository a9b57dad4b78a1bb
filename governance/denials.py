"""Keeps refusals of unknown visitors from filling the trail: some a minute, and a count.

Pure but for its memory. Anybody can be refused as often as they like, so that a refusal with no
name must not cost a place in the trail each time.
"""

from datetime import datetime, timedelta
from threading import Lock

PER_MINUTE = 30
WINDOW = timedelta(minutes=1)


class Denials:
    """Counts the refusals of the current minute."""

    def __init__(self, per_minute: int = PER_MINUTE) -> None:
        self._per_minute = per_minute
        self._lock = Lock()
        self._since: datetime | None = None
        self._written = 0
        self._left_out = 0

    def take(self, now: datetime) -> int | None:
        """Whether to write this one: the number left out before it, or None not to."""
        with self._lock:
            if self._since is None or now - self._since >= WINDOW:
                self._since, self._written = now, 0
            if self._written >= self._per_minute:
                self._left_out += 1
                return None
            self._written += 1
            left_out, self._left_out = self._left_out, 0
            return left_out
