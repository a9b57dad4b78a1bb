"""For tests: a clock that the test sets."""

from datetime import UTC, datetime

START = datetime(2026, 3, 1, 8, tzinfo=UTC)


class Watch:
    """Tells START until the test says another time."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        """The time that it was set to."""
        return self.now
