"""Figures as people read them. Pure."""

from rag.statistics import Interval


def number(value: float | None, unit: str = "") -> str:
    """A share in per cent, seconds with one place, a count as it is."""
    if value is None:
        return "not measured"
    if unit == "s":
        return f"{value:.1f} s"
    if unit:
        return f"{value:.0f}"
    return f"{value:.0%}" if value <= 1 else f"{value:.0f}"


def between(interval: Interval, unit: str = "") -> str:
    """The interval, where it is one."""
    if interval.low is None or interval.high is None or interval.low == interval.high:
        return ""
    return f"{number(interval.low, unit)} to {number(interval.high, unit)}"
