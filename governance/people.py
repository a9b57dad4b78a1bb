"""Keeps people, their identities and their roles.

A person is `active` or `suspended`, and can go back and forth. Suspending ends every session and
open link in the same transaction; keys ask for the owner's state at each use, so they stop at once
and work again when the person is restored. Whoever has an expiry date is as good as suspended from
then on.

Three rules are refused by name. The last active administrator is neither suspended nor loses the
role. Nobody gives themselves a role. A role stands where it makes sense: an administrator
everywhere, a department administrator in a department. Who else may grant what is `grants.py`.

What an identity provider's groups say is followed even when it takes the last administrator away:
keeping a right that the provider ended would be worse, and the owner of the data directory can
always issue a ticket for a new administrator.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, RowMapping, select
from sqlalchemy.exc import IntegrityError

from governance.clock import Clock, utc_now
from governance.errors import IllegalTransition, InvalidGrant, InvalidName, OwnRights, PersonExists
from governance.events import Action, Actor, Event, Fact
from governance.grants import GrantKind, HeldGrant, misplaced
from governance.people_rows import (
    GrantOrigin,
    add_grant,
    administrators,
    check_department,
    close_links,
    end_grant,
    held_grant,
    held_grants,
    keep_an_administrator,
    lock_person,
    no_person,
)
from governance.permissions import Grant, Principal, Role
from governance.record.database import Record
from governance.record.people_tables import grants, people, sessions

LOCAL = "local"
USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
MAX_NAME_CHARS = 120
MAX_IDENTITY_CHARS = 255


class PersonState(StrEnum):
    """Whether a person may use what they were granted."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


STEPS: Mapping[PersonState, frozenset[PersonState]] = {
    PersonState.ACTIVE: frozenset({PersonState.SUSPENDED}),
    PersonState.SUSPENDED: frozenset({PersonState.ACTIVE}),
}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an identity: `local` and a username, or a provider and its subject."""

    id: str
    issuer: str
    subject: str
    name: str
    state: PersonState
    created_at: datetime
    expires_at: datetime | None
    grants: tuple[HeldGrant, ...]

    def is_usable(self, now: datetime) -> bool:
        """Whether this person may come in at all."""
        return self.state is PersonState.ACTIVE and (
            self.expires_at is None or self.expires_at > now
        )


class PeopleStore:
    """What the record says about people; every change is written with its event."""

    def __init__(self, record: Record, clock: Clock = utc_now) -> None:
        self._record = record
        self._clock = clock

    def create(
        self,
        actor: Actor,
        name: str,
        username: str,
        expires_at: datetime | None = None,
        first: Grant | None = None,
    ) -> Person:
        """Add a person who signs in here, with a first role or none.

        Raises InvalidName, PersonExists, InvalidGrant, UnknownDepartment.
        """
        with self._record.write() as connection:
            person_id = self.create_within(connection, actor, LOCAL, username, name, expires_at)
            self._grant_first(connection, actor, person_id, first)
        return self.person(person_id)

    def create_identity(
        self, actor: Actor, issuer: str, subject: str, name: str, first: Grant | None = None
    ) -> Person:
        """Add a person whom an identity provider knows, with a first role or none.

        Raises InvalidName, PersonExists, InvalidGrant, UnknownDepartment.
        """
        if issuer == LOCAL:
            raise InvalidName("No provider is called `local`.", "Use the provider's own address.")
        with self._record.write() as connection:
            person_id = self.create_within(connection, actor, issuer, subject, name)
            self._grant_first(connection, actor, person_id, first)
        return self.person(person_id)

    def create_within(
        self,
        connection: Connection,
        actor: Actor,
        issuer: str,
        subject: str,
        name: str,
        expires_at: datetime | None = None,
    ) -> str:
        """Add a person in a transaction that does more; return the id."""
        person_id = str(uuid4())
        row = {
            "id": person_id,
            "issuer": issuer,
            "subject": _checked_subject(issuer, subject),
            "name": _checked_name(name),
            "state": PersonState.ACTIVE,
            "created_at": self._clock(),
            "expires_at": expires_at,
        }
        try:
            connection.execute(people.insert().values(row))
        except IntegrityError as error:
            raise PersonExists(
                "Somebody already has this name here.", "Choose another username."
            ) from error
        self._note(connection, Action.PERSON_CREATED, actor, person_id, {"issuer": issuer})
        return person_id

    def person(self, person_id: str) -> Person:
        """One person. Raises NotFound."""
        found = self._people(people.c.id == person_id)
        if not found:
            raise no_person()
        return found[0]

    def people(self, department_id: str | None = None) -> tuple[Person, ...]:
        """Everybody by name, or those with a role in a department."""
        if department_id is None:
            return self._people()
        there = select(grants.c.person_id).where(grants.c.department_id == department_id)
        return self._people(people.c.id.in_(there))

    def by_identity(self, issuer: str, subject: str) -> Person | None:
        """Whoever has this identity."""
        if not (issuer + subject).isprintable():
            return None
        found = self._people(people.c.issuer == issuer, people.c.subject == subject)
        return found[0] if found else None

    def by_username(self, username: str) -> Person | None:
        """Whoever signs in here under this name, in any case of letters."""
        username = username.strip().lower()
        return self.by_identity(LOCAL, username) if USERNAME.fullmatch(username) else None

    def suspend(self, actor: Actor, person_id: str) -> None:
        """End a person's rights and sessions.

        Raises NotFound, IllegalTransition, LastAdministrator.
        """
        with self._record.write() as connection:
            keep_an_administrator(connection, self._clock(), without=person_id)
            _step(connection, person_id, PersonState.SUSPENDED)
            ended = connection.execute(sessions.delete().where(sessions.c.person_id == person_id))
            facts: dict[str, Fact] = {"sessions_ended": ended.rowcount}
            self._note(connection, Action.PERSON_SUSPENDED, actor, person_id, facts)

    def restore(self, actor: Actor, person_id: str) -> None:
        """Give a suspended person their rights back. Raises NotFound, IllegalTransition."""
        with self._record.write() as connection:
            _step(connection, person_id, PersonState.ACTIVE)
            self._note(connection, Action.PERSON_RESTORED, actor, person_id, {})

    def grant(
        self,
        actor: Actor,
        person_id: str,
        role: Role,
        department_id: str | None,
        expires_at: datetime | None = None,
    ) -> HeldGrant:
        """Give a role. Raises NotFound, UnknownDepartment, OwnRights, InvalidGrant."""
        wanted = Grant(role, department_id, expires_at)
        if actor.person_id == person_id:
            raise OwnRights("Nobody gives themselves a role.", "Ask another administrator.")
        self._check_end(wanted)
        with self._record.write() as connection:
            grant_id = self.grant_within(connection, actor, person_id, wanted)
        return self.grant_of(grant_id)

    def grant_within(
        self,
        connection: Connection,
        actor: Actor,
        person_id: str,
        wanted: Grant,
        kind: GrantKind = GrantKind.STANDING,
    ) -> str:
        """Give a role in a transaction that does more; return the grant's id."""
        if (fault := misplaced(wanted.role, wanted.department_id)) is not None:
            raise InvalidGrant(fault, "Choose another role or another place.")
        lock_person(connection, person_id)
        check_department(connection, wanted.department_id)
        origin = GrantOrigin(kind, actor.person_id)
        grant_id = add_grant(connection, person_id, wanted, origin, self._clock())
        self._note_role(connection, actor, held_grant(connection, grant_id), Action.ROLE_GRANTED)
        return grant_id

    def withdraw(self, actor: Actor, grant_id: str) -> None:
        """Take a role away. Raises NotFound, LastAdministrator."""
        now = self._clock()
        with self._record.write() as connection:
            keep_an_administrator(connection, now, without=grant_id)
            self._take(connection, actor, held_grant(connection, grant_id, lock=True), now)

    def replace_group_grants(self, actor: Actor, person_id: str, wanted: Collection[Grant]) -> None:
        """Make the roles from the identity provider's groups exactly these.

        Raises NotFound, UnknownDepartment, InvalidGrant.
        """
        now, group = self._clock(), grants.c.kind == GrantKind.GROUP
        with self._record.write() as connection:
            lock_person(connection, person_id)
            held = held_grants(connection, group, grants.c.person_id == person_id)
            for one in held:
                if one.grant not in wanted:
                    self._take(connection, actor, one, now)
            for new in dict.fromkeys(wanted):
                if new not in [one.grant for one in held]:
                    self.grant_within(connection, actor, person_id, new, GrantKind.GROUP)

    def grant_of(self, grant_id: str) -> HeldGrant:
        """One grant, to ask `may_grant_role` about before `withdraw`. Raises NotFound."""
        with self._record.read() as connection:
            return held_grant(connection, grant_id)

    def principal(self, person_id: str, auth: str) -> Principal:
        """This person's rights as they are at this moment. Raises NotFound."""
        return principal_from(self.person(person_id), auth)

    def has_administrator(self) -> bool:
        """Whether somebody is an administrator and can come in."""
        with self._record.read() as connection:
            return bool(administrators(connection, self._clock()))

    def _people(self, *conditions: ColumnElement[bool]) -> tuple[Person, ...]:
        # The grants come by a second question with the same conditions: two in all, however many.
        chosen = select(people.c.id).where(*conditions)
        query = select(people).where(*conditions).order_by(people.c.name, people.c.id)
        with self._record.read() as connection:
            rows = connection.execute(query).mappings().all()
            held = held_grants(connection, grants.c.person_id.in_(chosen))
        return tuple(_person(row, held) for row in rows)

    def _grant_first(
        self, connection: Connection, actor: Actor, person_id: str, first: Grant | None
    ) -> None:
        if first is not None:
            self._check_end(first)
            self.grant_within(connection, actor, person_id, first)

    def _check_end(self, wanted: Grant) -> None:
        if wanted.expires_at is not None and wanted.expires_at <= self._clock():
            raise InvalidGrant("This role would end before it begins.", "Choose a later end.")

    def _take(self, connection: Connection, actor: Actor, held: HeldGrant, now: datetime) -> None:
        end_grant(connection, held, now)
        self._note_role(connection, actor, held, Action.ROLE_WITHDRAWN)

    def _note_role(
        self, connection: Connection, actor: Actor, held: HeldGrant, action: Action
    ) -> None:
        end = None if held.expires_at is None else held.expires_at.isoformat()
        facts: dict[str, Fact] = {
            "grant": held.id,
            "role": held.role.value,
            "kind": held.kind.value,
        }
        facts["expires_at"] = end
        self._note(connection, action, actor, held.person_id, facts, held.department_id)

    def _note(
        self,
        connection: Connection,
        action: Action,
        actor: Actor,
        person_id: str,
        facts: Mapping[str, Fact],
        department_id: str | None = None,
    ) -> None:
        self._record.trail.append(
            connection, Event(action, actor, department_id, "person", person_id, facts=facts)
        )


def principal_within(connection: Connection, person_id: str, auth: str) -> Principal:
    """A person's rights in a transaction that depends on them. Raises NotFound."""
    held = held_grants(connection, grants.c.person_id == person_id)
    return principal_from(_person(lock_person(connection, person_id), held), auth)


def principal_from(person: Person, auth: str) -> Principal:
    """The rights of a person who was just read."""
    return Principal(
        person_id=person.id,
        issuer=person.issuer,
        subject=person.subject,
        name=person.name,
        auth=auth,
        grants=tuple(held.grant for held in person.grants),
        suspended=person.state is PersonState.SUSPENDED,
        expires_at=person.expires_at,
    )


def _person(row: RowMapping, held: Iterable[HeldGrant]) -> Person:
    theirs = tuple(one for one in held if one.person_id == row["id"])
    return Person(**{**row, "state": PersonState(row["state"])}, grants=theirs)


def _step(connection: Connection, person_id: str, wanted: PersonState) -> None:
    current = PersonState(lock_person(connection, person_id)["state"])
    if wanted not in STEPS[current]:
        raise IllegalTransition(f"This person is {current} already.", "Reload the person's page.")
    close_links(connection, person_id)
    connection.execute(people.update().where(people.c.id == person_id).values(state=wanted))


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > MAX_NAME_CHARS or not name.isprintable():
        raise InvalidName(
            f"{name[:40]!r} cannot be a person's name.",
            f"Use 1 to {MAX_NAME_CHARS} printable characters.",
        )
    return name


def _checked_subject(issuer: str, subject: str) -> str:
    if issuer != LOCAL:
        for part in (issuer, subject):
            if not 0 < len(part) <= MAX_IDENTITY_CHARS or not part.isprintable():
                raise InvalidName("This identity cannot be kept.", "Ask who runs the provider.")
        return subject
    subject = subject.strip().lower()
    if USERNAME.fullmatch(subject) is None:
        raise InvalidName(
            f"{subject[:40]!r} cannot be a username.",
            "Use 1 to 64 of: a to z, 0 to 9, dot, underscore, hyphen.",
        )
    return subject
