"""Tells the time; whoever needs another one passes another clock."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """This moment, with its zone."""
    return datetime.now(UTC)
