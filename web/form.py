"""Reads the fields of a small form: text, a date of three boxes, a whole number, a choice."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from starlette.requests import Request

from web.errors import WrongField

Choice = TypeVar("Choice", bound=StrEnum)
MAX_FIELDS = 60


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form without files, each without blanks around it."""
    async with request.form(max_files=0, max_fields=MAX_FIELDS) as form:
        return {name: value.strip() for name, value in form.items() if isinstance(value, str)}


def date_in(fields: Mapping[str, str], name: str) -> date | None:
    """The date in `name-day`, `name-month`, `name-year`; None where all are empty.

    Raises WrongField.
    """
    parts = [fields.get(f"{name}-{part}", "") for part in ("year", "month", "day")]
    if not any(parts):
        return None
    try:
        return date(*map(int, parts))
    except ValueError:
        raise WrongField(
            name, "This is no date.", "Write it as day, month and year: 31 12 2026."
        ) from None


def end_of(day: date | None) -> datetime | None:
    """The moment when a day is over, in UTC; None for no day."""
    if day is None:
        return None
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)


def start_of(day: date | None) -> datetime | None:
    """The moment when a day begins, in UTC; None for no day."""
    return None if day is None else datetime(day.year, day.month, day.day, tzinfo=UTC)


def number_in(fields: Mapping[str, str], name: str, label: str) -> int | None:
    """A whole number, blanks and commas between the digits allowed; None where it is empty.

    Raises WrongField.
    """
    text = fields.get(name, "").replace(",", "").replace(" ", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise WrongField(
            name, f"{label} is not a whole number.", "Write digits only, or leave it empty."
        )
    return int(text)


def choice_in(fields: Mapping[str, str], name: str, kind: type[Choice], label: str) -> Choice:
    """One of the fixed choices. Raises WrongField."""
    try:
        return kind(fields.get(name, ""))
    except ValueError:
        raise WrongField(name, f"Choose {label}.", "Choose one of those that are shown.") from None
