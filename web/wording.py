"""Dates, counts and sizes in the words that people read."""

from datetime import UTC, date, datetime, timedelta

from ingest.split import cells


def date_words(value: date | datetime | str | None) -> str:
    """A date as `1 March 2026`; an ISO string is read first; nothing gives nothing."""
    if value is None or value == "":
        return ""
    if isinstance(value, str):
        value = date.fromisoformat(value[:10])
    return f"{value.day} {value:%B %Y}"


def when_words(value: datetime) -> str:
    """A moment as `1 March 2026, 14:05 UTC`."""
    value = value.astimezone(UTC)
    return f"{date_words(value)}, {value:%H:%M} UTC"


def until_words(value: datetime) -> str:
    """An end: the last day where it falls on midnight, else the moment."""
    value = value.astimezone(UTC)
    if (value.hour, value.minute) == (0, 0):
        return date_words(value - timedelta(days=1))
    return when_words(value)


def pages_words(page_from: int, page_to: int) -> str:
    """`page 3`, or `pages 3 to 5`."""
    if page_from == page_to:
        return f"page {page_from}"
    return f"pages {page_from} to {page_to}"


def count_words(count: int, one: str, many: str | None = None) -> str:
    """`1 policy`, `2 policies`, `1,204 passages`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def name_words(policy_number: str | None, title: str) -> str:
    """A policy as people call it: number and title, the number only once."""
    if not policy_number or title.startswith(policy_number):
        return title
    return f"{policy_number} {title}"


def table_words(text: str) -> str:
    """Markdown table rows in the text as plain lines; other lines stay as they are."""
    lines = []
    for line in text.splitlines():
        if not line.lstrip().startswith("|"):
            lines.append(line)
        elif set(line) - set("|-: "):
            lines.append(" · ".join(cell for cell in cells(line) if cell))
    return "\n".join(lines)


def list_words(items: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"
