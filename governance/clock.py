"""Tells the time; whoever needs another one passes another clock."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """This moment, with its zone."""
    return datetime.now(UTC)


def day_begins(day: date, zone: str = "") -> datetime:
    """Midnight of a day in a time zone (IANA name; empty is the machine's own)."""
    start = datetime.combine(day, time())
    return (start.replace(tzinfo=ZoneInfo(zone)) if zone else start.astimezone()).astimezone(UTC)
