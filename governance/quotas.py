"""Limits how much is asked of the models: requests and tokens, by day and by month (UTC).

A reservation becomes a charge or nothing:

    reserved → settled     the answer ended: what it really took counts
             → released    it did not begin, or the process died: after the lease it counts as this

A limit covers the whole platform, a department, one person, or each person for themselves; where a
limit names a person, it takes the place of the one for each. Every limit that covers a request must
have room for it. Checking and reserving is one transaction under the writer's lock, so of many at
once exactly as many pass as there is room for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, Row, and_, case, delete, func, or_, select, update

from governance.charges import Charge, State, bounded, close
from governance.errors import IllegalTransition, NotFound
from governance.events import Action, Actor, Event, Fact
from governance.limits import (
    MAX_LIMIT,
    Limit,
    Period,
    QuotaLeft,
    Used,
    check_limit,
    check_room,
    what_is_left,
)
from governance.model_uses import ModelUse, note_use
from governance.record.database import Record
from governance.record.people_tables import people
from governance.record.tables import UtcDateTime, departments
from governance.record.use_tables import quotas, usage

LEASE = timedelta(minutes=5)
# A reservation whose lease ran out so long ago is nobody's any more.
FORGOTTEN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Reservation:
    """Room that is kept for one request; tokens: how many it may take."""

    id: str
    tokens: int
    lease_until: datetime


class QuotaStore:
    """Reserves, settles and shows use against the limits."""

    def __init__(self, record: Record) -> None:
        self._record = record

    def reserve(
        self, person_id: str | None, department_id: str | None, tokens: int, now: datetime
    ) -> Reservation:
        """Keep room for one request of so many tokens (prompt and longest answer).

        Raises QuotaExceeded.
        """
        reservation = Reservation(str(uuid4()), bounded(tokens), now + LEASE)
        with self._record.write() as connection:
            for limit in _limits_of(connection, person_id, department_id):
                used = _used(connection, limit, person_id, now)
                check_room(limit, used, reservation.tokens, now)
            connection.execute(
                usage.insert().values(
                    id=reservation.id,
                    person_id=person_id,
                    department_id=department_id,
                    at=now,
                    state=State.RESERVED,
                    requests=1,
                    tokens=reservation.tokens,
                    lease_until=reservation.lease_until,
                )
            )
        return reservation

    def renew(self, reservation_id: str, now: datetime) -> None:
        """Keep the room while an answer goes on for longer than the lease."""
        with self._record.write() as connection:
            connection.execute(
                update(usage)
                .where(usage.c.id == reservation_id, usage.c.state == State.RESERVED)
                .values(lease_until=now + LEASE)
            )

    def settle(self, reservation_id: str, tokens: int) -> None:
        """Charge what the request really took, even after its lease. Raises IllegalTransition."""
        with self._record.write() as connection:
            if not close(connection, Charge(reservation_id, tokens)):
                raise IllegalTransition(
                    "This reservation was settled or released already.", "Reserve again."
                )

    def release(self, reservation_id: str) -> None:
        """Give the room back; does nothing to what was settled, so a `finally` may call it."""
        with self._record.write() as connection:
            close(connection, Charge(reservation_id, None))

    def record_use(self, event: Event, charge: Charge | None, use: ModelUse | None = None) -> None:
        """Write the event of a use together with its charge: both are there, or neither.

        A reservation that was ended meanwhile stays as it is; the event says what was used.
        use: what the inventory counts.
        """
        with self._record.write() as connection:
            if charge is not None:
                close(connection, charge)
            if use is not None:
                note_use(connection, use)
            self._record.trail.append(connection, event)

    def compact(self, now: datetime) -> int:
        """Fold the charges of each earlier day into one a month for each person and department.

        The sums stay as they are, and a reservation stays fast however long the platform has run.
        To be called once a day; returns how many rows it removed.
        """
        with self._record.write() as connection:
            dead = and_(usage.c.state == State.RESERVED, usage.c.lease_until <= now - FORGOTTEN)
            gone = connection.execute(
                delete(usage).where(or_(usage.c.state == State.RELEASED, dead))
            ).rowcount
            today = Period.DAY.start(now)
            settled = usage.c.state == State.SETTLED
            month = connection.execute(
                select(func.min(usage.c.at, type_=UtcDateTime())).where(settled)
            ).scalar_one()
            while month is not None and month < today:
                begin, end = Period.MONTH.start(month), Period.MONTH.end(month)
                gone += _fold(connection, begin, min(end, today))
                month = end
        return gone

    def left(
        self, person_id: str | None, department_id: str | None, now: datetime
    ) -> tuple[QuotaLeft, ...]:
        """Each limit that covers this person here, with what is left of it."""
        with self._record.read() as connection:
            limits = _limits_of(connection, person_id, department_id)
            return tuple(
                what_is_left(limit, _used(connection, limit, person_id, now), now)
                for limit in limits
            )

    def limits(self, department_id: str | None = None) -> tuple[Limit, ...]:
        """Every limit, or those of one department, widest first."""
        query = select(quotas).order_by(
            quotas.c.department_id.is_not(None),
            quotas.c.department_id,
            quotas.c.person_id.is_not(None),
            quotas.c.person_id,
            quotas.c.each_person,
            quotas.c.period,
        )
        if department_id is not None:
            query = query.where(quotas.c.department_id == department_id)
        with self._record.read() as connection:
            return tuple(_limit(row) for row in connection.execute(query))

    def set_limit(self, actor: Actor, limit: Limit) -> None:
        """Set a limit in place of the one of the same cover and period, or, without numbers, none.

        Raises InvalidQuota, NotFound.
        """
        check_limit(limit)
        with self._record.write() as connection:
            _check_known(connection, limit)
            row = connection.execute(select(quotas).where(quotas.c.id == limit.id)).one_or_none()
            before = (row.requests, row.tokens) if row is not None else (None, None)
            if before == (limit.requests, limit.tokens):
                return
            connection.execute(delete(quotas).where(quotas.c.id == limit.id))
            if (limit.requests, limit.tokens) != (None, None):
                connection.execute(quotas.insert().values(_columns(limit)))
            self._record.trail.append(connection, _changed(actor, limit, *before))


def _limits_of(
    connection: Connection, person_id: str | None, department_id: str | None
) -> Sequence[Limit]:
    """The limits that cover a request, in an order that all who lock them keep."""
    where: list[ColumnElement[bool]] = [quotas.c.department_id.is_(None)]
    who: list[ColumnElement[bool]] = [quotas.c.person_id.is_(None)]
    if department_id is not None:
        where.append(quotas.c.department_id == department_id)
    if person_id is not None:
        who.append(quotas.c.person_id == person_id)
    query = select(quotas).where(or_(*where), or_(*who)).order_by(quotas.c.id)
    if not connection.get_execution_options().get("reads_only", False):
        query = query.with_for_update()
    found = [_limit(row) for row in connection.execute(query)]
    named = {(one.department_id, one.period) for one in found if one.person_id is not None}
    return [
        one for one in found if not (one.each_person and (one.department_id, one.period) in named)
    ]


def _used(connection: Connection, limit: Limit, person_id: str | None, now: datetime) -> Used:
    settled = usage.c.state == State.SETTLED
    held = and_(usage.c.state == State.RESERVED, usage.c.lease_until > now)
    counted: tuple[ColumnElement[bool], ...] = (
        usage.c.at >= limit.period.start(now),
        or_(settled, held),
    )
    if limit.department_id is not None:
        counted += (usage.c.department_id == limit.department_id,)
    if limit.of_one_person:
        # Whoever has no account (a client of the loopback runtime) is one person together.
        counted += (usage.c.person_id.is_not_distinct_from(person_id),)
    row = connection.execute(
        select(
            *(
                func.coalesce(func.sum(case((state, column), else_=0)), 0)
                for state in (settled, held)
                for column in (usage.c.requests, usage.c.tokens)
            ),
            func.min(case((held, usage.c.lease_until)), type_=UtcDateTime()),
        ).where(*counted)
    ).one()
    return Used(int(row[0]), int(row[1]), int(row[2]), int(row[3]), row[4])


def _fold(connection: Connection, begin: datetime, end: datetime) -> int:
    """Put one row in the place of several of the same person and department."""
    within = and_(usage.c.state == State.SETTLED, usage.c.at >= begin, usage.c.at < end)
    tokens, rows = func.sum(usage.c.tokens), func.count()
    groups = connection.execute(
        select(usage.c.person_id, usage.c.department_id, func.sum(usage.c.requests), tokens, rows)
        .where(within)
        .group_by(usage.c.person_id, usage.c.department_id)
        .having(rows > 1, tokens <= MAX_LIMIT)
    ).all()
    for person_id, department_id, requests, token_sum, _ in groups:
        connection.execute(
            delete(usage).where(
                within,
                usage.c.person_id.is_not_distinct_from(person_id),
                usage.c.department_id.is_not_distinct_from(department_id),
            )
        )
        connection.execute(
            usage.insert().values(
                id=str(uuid4()),
                person_id=person_id,
                department_id=department_id,
                at=begin,
                state=State.SETTLED,
                requests=int(requests),
                tokens=int(token_sum),
                lease_until=begin,
            )
        )
    return sum(count - 1 for *_, count in groups)


def _check_known(connection: Connection, limit: Limit) -> None:
    for table, wanted, name in (
        (departments, limit.department_id, "department"),
        (people, limit.person_id, "person"),
    ):
        known = select(table.c.id).where(table.c.id == wanted)
        if wanted is not None and connection.execute(known).first() is None:
            raise NotFound(f"There is no such {name}.", "Check its id.")


def _limit(row: Row[Any]) -> Limit:
    return Limit(
        row.department_id,
        row.person_id,
        row.each_person,
        Period(row.period),
        row.requests,
        row.tokens,
    )


def _columns(limit: Limit) -> dict[str, object]:
    return {
        "id": limit.id,
        "department_id": limit.department_id,
        "person_id": limit.person_id,
        "each_person": limit.each_person,
        "period": limit.period,
        "requests": limit.requests,
        "tokens": limit.tokens,
    }


def _changed(
    actor: Actor, limit: Limit, requests_before: int | None, tokens_before: int | None
) -> Event:
    facts: dict[str, Fact] = {
        "person_id": limit.person_id,
        "each_person": limit.each_person,
        "period": str(limit.period),
        "requests": limit.requests,
        "tokens": limit.tokens,
        "requests_before": requests_before,
        "tokens_before": tokens_before,
    }
    return Event(Action.QUOTA_CHANGED, actor, limit.department_id, "quota", limit.id, facts=facts)
