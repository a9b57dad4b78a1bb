"""For tests: two people, and limits with nothing in them but what is asked for."""

from datetime import UTC, datetime

from governance.events import Actor
from governance.limits import Limit, Period

NOW = datetime(2026, 5, 12, 9, 30, tzinfo=UTC)
DAY, MONTH = Period
OWNER = Actor("local", "owner", "socket")
ANNA, BEN = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"


def limit(
    department_id: str | None = None,
    person_id: str | None = None,
    *,
    each_person: bool = False,
    period: Period = DAY,
    requests: int | None = None,
    tokens: int | None = None,
) -> Limit:
    return Limit(department_id, person_id, each_person, period, requests, tokens)
