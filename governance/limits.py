"""What a limit of requests and tokens is, whether there is room, and what is left of it.

Pure. A limit covers the whole platform, a department, one person, or each person for themselves,
and counts by day or by month (UTC). It warns from 80 % on.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from math import ceil
from uuid import NAMESPACE_OID, uuid5

from governance.errors import InvalidQuota, QuotaExceeded

WARNING_SHARE = 0.8
MAX_LIMIT = 2**31 - 1


class Period(StrEnum):
    """How long a limit counts before it begins anew."""

    DAY = "day"
    MONTH = "month"

    def start(self, now: datetime) -> datetime:
        """When the period that holds this moment began, in UTC."""
        midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight if self is Period.DAY else midnight.replace(day=1)

    def end(self, now: datetime) -> datetime:
        """When the next period begins, in UTC."""
        # 32 days after its first day, any month is over and the next is not.
        longest = timedelta(days=1 if self is Period.DAY else 32)
        return self.start(self.start(now) + longest)


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit; without department it holds everywhere, without person for everybody together.

    each_person: for each person alone. requests, tokens: per period; None sets no limit, 0 forbids.
    """

    department_id: str | None
    person_id: str | None
    each_person: bool
    period: Period
    requests: int | None
    tokens: int | None

    @property
    def of_one_person(self) -> bool:
        """Whether only the asking person's own use counts."""
        return self.each_person or self.person_id is not None

    @property
    def id(self) -> str:
        """The same for the same cover and period, so that no two limits stand side by side."""
        cover = f"{self.department_id}|{self.person_id}|{self.each_person}|{self.period}"
        return str(uuid5(NAMESPACE_OID, cover))

    @property
    def covers(self) -> str:
        """Whom it limits, in words."""
        who = "your own use" if self.of_one_person else "everybody's use"
        return f"{who} {'on this platform' if self.department_id is None else 'in this department'}"


@dataclass(frozen=True, slots=True)
class QuotaLeft:
    """A limit, what is left of it, and when it begins anew.

    requests_left, tokens_left: None where there is no such limit. warning: 80 % are used.
    """

    limit: Limit
    requests_left: int | None
    tokens_left: int | None
    resets_at: datetime
    resets_in_s: int
    warning: bool


@dataclass(frozen=True, slots=True)
class Used:
    """What counts against a limit: settled for good, and held by requests that still run."""

    requests: int
    tokens: int
    held_requests: int
    held_tokens: int
    first_lease_until: datetime | None


def check_limit(limit: Limit) -> None:
    """Raise InvalidQuota for a limit that means nothing."""
    if limit.each_person and limit.person_id is not None:
        raise InvalidQuota(
            "A limit is for one person or for each, not both.", "Leave one of them out."
        )
    for name, number in (("requests", limit.requests), ("tokens", limit.tokens)):
        if number is not None and not 0 <= number <= MAX_LIMIT:
            raise InvalidQuota(
                f"A limit cannot be {number} {name}.", f"Choose 0 to {MAX_LIMIT}, or none."
            )


def check_room(limit: Limit, used: Used, tokens: int, now: datetime) -> None:
    """Raise QuotaExceeded when one more request of so many tokens does not fit."""
    wanted = (
        ("requests", limit.requests, 1, used.requests, used.held_requests),
        ("tokens", limit.tokens, tokens, used.tokens, used.held_tokens),
    )
    for what, most, more, settled, held in wanted:
        if most is None or settled + held + more <= most:
            continue
        again_at, hint = limit.period.end(now), "Ask less until then, or ask for a higher limit."
        if settled + more <= most and used.first_lease_until is not None:
            again_at, hint = used.first_lease_until, "Requests that still run hold the rest: wait."
        elif more > most:
            hint = "This request alone is more than the limit: make it shorter."
        raise QuotaExceeded(
            f"The limit of {most} {what} per {limit.period} for {limit.covers} is used up.",
            f"{hint} There is room again at {again_at:%Y-%m-%d %H:%M} UTC at the latest.",
            what=what,
            period=limit.period,
            retry_after_s=_seconds(again_at - now),
        )


def what_is_left(limit: Limit, used: Used, now: datetime) -> QuotaLeft:
    """A limit with what is left of it now."""
    requests, tokens = used.requests + used.held_requests, used.tokens + used.held_tokens
    resets_at = limit.period.end(now)
    return QuotaLeft(
        limit,
        None if limit.requests is None else max(0, limit.requests - requests),
        None if limit.tokens is None else max(0, limit.tokens - tokens),
        resets_at,
        _seconds(resets_at - now),
        _nearly(requests, limit.requests) or _nearly(tokens, limit.tokens),
    )


def _nearly(used: int, limit: int | None) -> bool:
    return limit is not None and used >= WARNING_SHARE * limit


def _seconds(left: timedelta) -> int:
    return max(1, ceil(left.total_seconds()))
