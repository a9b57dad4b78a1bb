"""Dates as people write them in policies, without guessing which number is the month.

03/04/2026 is two dates. It is read only where the same text also holds a date that can be read in
one way alone (25/12/2025), and then in the same order; where both orders occur, it is not read.
"""

import calendar
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import Enum

_MONTHS = {name.casefold(): number for number, name in enumerate(calendar.month_name) if name} | {
    name.casefold(): number for number, name in enumerate(calendar.month_abbr) if name
}
_MONTHS["sept"] = 9
_NAMED = r"(?P<month>" + "|".join(sorted(_MONTHS, key=len, reverse=True)) + r")\b\.?"
_YEAR = r"(?P<year>(?:19|20)\d\d)\b"
_DAY = r"(?P<day>[0-3]?\d)(?:st|nd|rd|th)?"
_AFTER = r"(?![\d/]|[-.]\d)"
_BEFORE = r"(?<![\w/])(?<!\d[-.,])"
_PATTERNS = tuple(
    (precise, re.compile(pattern, re.IGNORECASE))
    for precise, pattern in (
        (True, _BEFORE + r"(?P<year>(?:19|20)\d\d)(?P<sep>[-/.])(?P<month>\d\d?)(?P=sep)"
         r"(?P<day>\d\d?)(?![\d/]|[-.]\d)"),
        (True, _BEFORE + _DAY + r"(?:\s+of)?[\s-]*" + _NAMED + r"[\s,-]*" + _YEAR),
        (True, _BEFORE + _NAMED + r"\s*" + _DAY + r"\s*(?:,\s*|\s)" + _YEAR),
        (True, _BEFORE + r"(?P<one>\d\d?)\s?(?P<sep>[-/.])\s?(?P<two>\d\d?)\s?(?P=sep)\s?"
         r"(?P<year>(?:19|20)\d\d|\d\d)" + _AFTER),
        (False, _BEFORE + _NAMED + r"[\s,-]*" + _YEAR),
        (False, _BEFORE + r"(?P<month>[01]?\d)/(?P<year>(?:19|20)\d\d)" + _AFTER),
        (False, _BEFORE + r"(?P<year>(?:19|20)\d\d)-(?P<month>[01]\d)" + _AFTER),
    )
)  # fmt: skip


class Order(Enum):
    """Which number of a date of numbers comes first."""

    DAY_FIRST = "day first"
    MONTH_FIRST = "month first"


@dataclass(frozen=True, slots=True)
class FoundDate:
    """A date in a text: its characters from start to end.

    day: of a month without a day, its first. whole: whether the day is stated.
    """

    day: date
    start: int
    end: int
    whole: bool

    @property
    def last(self) -> date:
        """The last day that it can mean."""
        if self.whole:
            return self.day
        return self.day.replace(day=calendar.monthrange(self.day.year, self.day.month)[1])


def dates_in(text: str, order: Order | None = None) -> tuple[FoundDate, ...]:
    """The dates in a text in reading order; one that could be two dates is left out.

    order: of the document as a whole, from `order_of`.
    """
    taken: list[tuple[int, int]] = []
    found: list[FoundDate] = []
    for whole, pattern in _PATTERNS:
        for match in pattern.finditer(text):
            start, end = match.span()
            if any(start < other_end and other_start < end for other_start, other_end in taken):
                continue
            taken.append((start, end))
            day = _day(match, order)
            if day is not None:
                found.append(FoundDate(day, start, end, whole))
    return tuple(sorted(found, key=lambda one: one.start))


def date_of(text: str, order: Order | None = None) -> date | None:
    """The date that a text is as a whole; None if it is something else, or could be two dates."""
    match dates_in(text.strip(), order):
        case (FoundDate(whole=True) as only,) if only.end - only.start == len(text.strip()):
            return only.day
    return None


def order_of(texts: Iterable[str]) -> Order | None:
    """The order that dates of numbers have in these texts; None if none or both are seen."""
    seen = {order for text in texts for order in _orders(text)}
    return seen.pop() if len(seen) == 1 else None


def holds_unread(text: str, order: Order | None = None) -> bool:
    """Whether the text holds a date of numbers that `dates_in` leaves out."""
    return any(_day(match, order) is None for match in _PATTERNS[3][1].finditer(text))


def is_ambiguous(text: str) -> bool:
    """Whether the text is a date of numbers that could be two dates."""
    match = _PATTERNS[3][1].fullmatch(text.strip())
    return match is not None and len(_readings(match)) == 2


def years_after(day: date, years: int) -> date:
    """The same day that many years later; 28 February for 29 February."""
    last = calendar.monthrange(day.year + years, day.month)[1]
    return day.replace(year=day.year + years, day=min(day.day, last))


def _orders(text: str) -> Iterator[Order]:
    for match in _PATTERNS[3][1].finditer(text):
        readings = _readings(match)
        # Dots are the writing of countries that put the day first; they prove nothing of slashes.
        if len(readings) == 1 and match["one"] != match["two"] and match["sep"] != ".":
            yield from readings


def _readings(match: re.Match[str]) -> dict[Order, date]:
    """What a date of numbers can mean; a date with both numbers alike means one thing."""
    one, two, year = int(match["one"]), int(match["two"]), _year(match["year"])
    readings = {
        order: day
        for order, day in (
            (Order.DAY_FIRST, _valid(year, two, one)),
            (Order.MONTH_FIRST, _valid(year, one, two)),
        )
        if day is not None
    }
    if one == two:
        readings.pop(Order.MONTH_FIRST, None)
    return readings


def _day(match: re.Match[str], order: Order | None) -> date | None:
    groups = match.groupdict()
    if "one" in groups:
        return _numbers(match, order)
    month = groups["month"]
    number = int(month) if month.isdecimal() else _MONTHS[month.casefold()]
    return _valid(int(groups["year"]), number, int(groups.get("day") or 1))


def _numbers(match: re.Match[str], order: Order | None) -> date | None:
    readings = _readings(match)
    # 26/04/03 could have its year in front: two figures of a year need an order that is known.
    if len(match["year"]) == 2 and order is None and int(match["two"]) <= 12:
        return None
    if len(readings) == 1:
        return next(iter(readings.values()))
    if match["sep"] == "." and order is None:
        order = Order.DAY_FIRST
    return readings.get(order) if order else None


def _year(figures: str) -> int:
    year = int(figures)
    return year if year > 99 else year + (2000 if year < 70 else 1900)


def _valid(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
