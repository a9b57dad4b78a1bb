"""Reads and writes the rows of people and grants inside somebody else's transaction.

Rows that a rule depends on are locked before it is decided, so that on PostgreSQL, too, two at the
same time cannot each take away what they take for the second last administrator.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, RowMapping, or_, select

from governance.errors import LastAdministrator, NotFound, UnknownDepartment
from governance.grants import GrantKind, HeldGrant
from governance.permissions import Grant, Role
from governance.record.people_tables import grants, people, tickets
from governance.record.tables import departments


@dataclass(frozen=True, slots=True)
class GrantOrigin:
    """Where a new grant comes from: its kind, who gave it, and in an emergency why."""

    kind: GrantKind
    granted_by: str | None
    reason: str | None = None


def lock_person(connection: Connection, person_id: str) -> RowMapping:
    """The person's row, which nobody else changes until the transaction ends. Raises NotFound."""
    query = select(people).where(people.c.id == person_id).with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise no_person()
    return row


def is_usable(row: RowMapping, now: datetime) -> bool:
    """Whether the person of this row may come in at all."""
    return row["state"] == "active" and (row["expires_at"] is None or row["expires_at"] > now)


def no_person() -> NotFound:
    """What to raise for a person that the record does not hold."""
    return NotFound("This person is not here.", "Reload the list of people.")


def close_links(connection: Connection, person_id: str) -> None:
    """End the open links to a new password for this person."""
    theirs = (tickets.c.person_id == person_id) & tickets.c.used_at.is_(None)
    connection.execute(tickets.delete().where(theirs))


def check_department(connection: Connection, department_id: str | None) -> None:
    """Raise UnknownDepartment for one that the record does not hold; None is the platform."""
    if department_id is None:
        return
    query = select(departments.c.id).where(departments.c.id == department_id)
    if connection.execute(query).one_or_none() is None:
        raise UnknownDepartment("There is no such department.", "Reload the list of departments.")


def held_grants(connection: Connection, *conditions: ColumnElement[bool]) -> list[HeldGrant]:
    """The grants of which all conditions are true, oldest first."""
    query = select(grants).where(*conditions).order_by(grants.c.created_at, grants.c.id)
    return [_held(row) for row in connection.execute(query).mappings()]


def held_grant(connection: Connection, grant_id: str, lock: bool = False) -> HeldGrant:
    """One grant; lock where a change of it follows. Raises NotFound."""
    query = select(grants).where(grants.c.id == grant_id)
    row = connection.execute(query.with_for_update() if lock else query).mappings().one_or_none()
    if row is None:
        raise NotFound("This role is not here any more.", "Reload the person's page.")
    return _held(row)


def add_grant(
    connection: Connection, person_id: str, wanted: Grant, origin: GrantOrigin, now: datetime
) -> str:
    """Write a grant and return its id."""
    grant_id = str(uuid4())
    connection.execute(
        grants.insert().values(
            id=grant_id,
            person_id=person_id,
            role=wanted.role,
            department_id=wanted.department_id,
            kind=origin.kind,
            reason=origin.reason,
            granted_by=origin.granted_by,
            created_at=now,
            expires_at=wanted.expires_at,
        )
    )
    return grant_id


def end_grant(connection: Connection, held: HeldGrant, now: datetime) -> None:
    """Take a grant away; that of an emergency stays, ended, for its review."""
    this = grants.c.id == held.id
    if held.kind is not GrantKind.EMERGENCY:
        connection.execute(grants.delete().where(this))
    elif held.expires_at is None or held.expires_at > now:
        connection.execute(grants.update().where(this).values(expires_at=now))


def administrators(
    connection: Connection, now: datetime, lock: bool = False
) -> Sequence[tuple[str, str]]:
    """Person and grant of every administrator who can come in."""
    query = (
        select(people.c.id, grants.c.id)
        .join_from(people, grants)
        .where(
            people.c.state == "active",
            or_(people.c.expires_at.is_(None), people.c.expires_at > now),
            grants.c.role == Role.ADMINISTRATOR,
            grants.c.department_id.is_(None),
            or_(grants.c.expires_at.is_(None), grants.c.expires_at > now),
        )
        .order_by(grants.c.id)
    )
    rows = connection.execute(query.with_for_update() if lock else query)
    return [(row[0], row[1]) for row in rows]


def keep_an_administrator(connection: Connection, now: datetime, *, without: str) -> None:
    """Raise LastAdministrator where nobody else is one without this person or this grant."""
    before = administrators(connection, now, lock=True)
    if before and all(without in pair for pair in before):
        raise LastAdministrator(
            "This is the last administrator.", "Make somebody else an administrator first."
        )


def _held(row: RowMapping) -> HeldGrant:
    return HeldGrant(**{**row, "role": Role(row["role"]), "kind": GrantKind(row["kind"])})
