"""Keeps one-time links: to become the first administrator, and to set a password.

A link holds 256 random bits and the record only their digest. It works once and expires. There is
no default password anywhere: the first administrator comes in by such a link, which can be issued
only while nobody is an administrator. A newer link makes the older ones worthless, and so does a
new password, a suspension, or a role that is not the issuer's to manage: a link is never worth more
than what its issuer may do at the moment it is used. Redeeming needs no other right, and no
waiting: whoever guesses a link had guessed everything else.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, RowMapping, select

from governance.clock import Clock, utc_now
from governance.errors import IllegalTransition, PasswordsOff, TicketRefused
from governance.events import Action, Actor, Event
from governance.grants import lasting, may_manage
from governance.passwords import PasswordStore
from governance.people import LOCAL, PeopleStore, Person, principal_within
from governance.people_rows import administrators, held_grants, is_usable, lock_person
from governance.permissions import Grant, Role
from governance.record.database import Record
from governance.record.people_tables import grants, tickets
from governance.throttle import Throttle

AUTH = "ticket"
SECRET_BYTES = 32
MAX_SECRET_CHARS = 64


class Purpose(StrEnum):
    """What a ticket is good for."""

    ADMINISTRATOR = "administrator"
    PASSWORD = "password"  # noqa: S105


VALID: Mapping[Purpose, timedelta] = {
    Purpose.ADMINISTRATOR: timedelta(hours=24),
    Purpose.PASSWORD: timedelta(hours=72),
}


@dataclass(frozen=True, slots=True)
class Ticket:
    """What an open link is for, to show the right form; without its secret."""

    purpose: Purpose
    person_id: str | None
    expires_at: datetime


class TicketStore:
    """Issues and redeems one-time links."""

    def __init__(
        self,
        record: Record,
        people: PeopleStore,
        passwords: PasswordStore,
        throttle: Throttle,
        clock: Clock = utc_now,
        *,
        passwords_on: bool = True,
    ) -> None:
        """passwords_on: whether people sign in with passwords; if not, links come from the owner
        of the data directory alone, as the way in when everything else has failed.
        """
        self._record = record
        self._people = people
        self._passwords = passwords
        self._throttle = throttle
        self._clock = clock
        self._passwords_on = passwords_on

    def issue_administrator(self, actor: Actor) -> str:
        """The secret of a link for the first administrator. Raises IllegalTransition."""
        with self._record.write() as connection:
            if administrators(connection, self._clock()):
                raise IllegalTransition(
                    "There is an administrator already.", "Ask one of them for a role."
                )
            return self._issue(connection, actor, Purpose.ADMINISTRATOR, None)

    def issue_password(self, actor: Actor, person_id: str) -> str:
        """The secret of a link by which a person sets a password.

        Raises NotFound, IllegalTransition, PasswordsOff.
        """
        self.expect_may_issue(actor)
        with self._record.write() as connection:
            row = lock_person(connection, person_id)
            if row["issuer"] != LOCAL or not is_usable(row, self._clock()):
                raise IllegalTransition(
                    "This person does not sign in here with a password.",
                    "The account belongs to an identity provider, is suspended or has expired.",
                )
            return self._issue(connection, actor, Purpose.PASSWORD, person_id)

    def expect_may_issue(self, actor: Actor) -> None:
        """Raise PasswordsOff where this actor issues no links to passwords at the moment."""
        if not self._passwords_on and actor.person_id is not None:
            raise PasswordsOff

    def look(self, secret: str) -> Ticket:
        """What a link is for, without using it. Raises TicketRefused."""
        with self._record.read() as connection:
            row = _open(connection, secret, self._clock())
        return Ticket(Purpose(row["purpose"]), row["person_id"], row["expires_at"])

    def redeem_administrator(self, secret: str, username: str, name: str, password: str) -> Person:
        """Make the first administrator.

        Raises TicketRefused, InvalidName, PersonExists, PasswordRefused.
        """
        self._expect(secret, Purpose.ADMINISTRATOR)
        hashed = self._passwords.hash_of(password, (username, name))
        with self._record.write() as connection:
            # All of them are locked, so that of two links at the same time the second finds the
            # administrator of the first.
            others = tickets.c.purpose == Purpose.ADMINISTRATOR
            connection.execute(select(tickets.c.id).where(others).with_for_update()).all()
            if administrators(connection, self._clock()):
                raise _refusal()
            actor = Actor(LOCAL, username.strip().lower(), AUTH)
            person_id = self._people.create_within(connection, actor, LOCAL, username, name)
            actor = Actor(LOCAL, username.strip().lower(), AUTH, person_id)
            self._use(connection, actor, secret)
            self._passwords.set_within(connection, actor, person_id, hashed)
            self._people.grant_within(connection, actor, person_id, Grant(Role.ADMINISTRATOR, None))
        return self._people.person(person_id)

    def redeem_password(self, secret: str, password: str) -> Person:
        """Set the password of the link's person. Raises TicketRefused, PasswordRefused."""
        person_id = self._expect(secret, Purpose.PASSWORD).person_id
        if person_id is None:
            raise _refusal()
        hashed = self._passwords.hash_of(password, self._passwords.context_of(person_id))
        with self._record.write() as connection:
            row = lock_person(connection, person_id)
            if not is_usable(row, self._clock()):
                raise _refusal()
            actor = Actor(row["issuer"], row["subject"], AUTH, person_id)
            self._expect_issuer(connection, secret, person_id)
            self._use(connection, actor, secret)
            self._passwords.set_within(connection, actor, person_id, hashed)
            self._throttle.release(connection, row["subject"])
        return self._people.person(person_id)

    def sweep(self) -> int:
        """Remove the links that nobody can use any more; return how many."""
        over = (tickets.c.expires_at <= self._clock()) | tickets.c.used_at.is_not(None)
        with self._record.write() as connection:
            return connection.execute(tickets.delete().where(over)).rowcount

    def _issue(
        self, connection: Connection, actor: Actor, purpose: Purpose, person_id: str | None
    ) -> str:
        now, secret = self._clock(), secrets.token_urlsafe(SECRET_BYTES)
        older: ColumnElement[bool] = tickets.c.used_at.is_(None) & (tickets.c.purpose == purpose)
        if person_id is not None:
            older &= tickets.c.person_id == person_id
        connection.execute(tickets.delete().where(older))
        connection.execute(
            tickets.insert().values(
                id=_digest(secret),
                purpose=purpose,
                person_id=person_id,
                issued_by=actor.person_id,
                created_at=now,
                expires_at=now + VALID[purpose],
            )
        )
        self._note(connection, Action.TICKET_ISSUED, actor, secret, purpose, person_id)
        return secret

    def _expect(self, secret: str, purpose: Purpose) -> Ticket:
        ticket = self.look(secret)
        if ticket.purpose is not purpose:
            raise _refusal()
        return ticket

    def _expect_issuer(self, connection: Connection, secret: str, person_id: str) -> None:
        """Raise TicketRefused where the issuer may not manage this person any more."""
        issuer = _open(connection, secret, self._clock())["issued_by"]
        if issuer is None:  # the owner of the data directory
            return
        if not self._passwords_on:
            raise _refusal()
        theirs = held_grants(connection, grants.c.person_id == person_id)
        who = principal_within(connection, issuer, AUTH)
        if not may_manage(who, lasting(theirs, self._clock()), self._clock()).allowed:
            raise _refusal()

    def _use(self, connection: Connection, actor: Actor, secret: str) -> None:
        row = _open(connection, secret, self._clock(), lock=True)
        mine = tickets.update().where(tickets.c.id == row["id"])
        connection.execute(mine.values(used_at=self._clock()))
        purpose = Purpose(row["purpose"])
        self._note(connection, Action.TICKET_USED, actor, secret, purpose, row["person_id"])

    def _note(
        self,
        connection: Connection,
        action: Action,
        actor: Actor,
        secret: str,
        purpose: Purpose,
        person_id: str | None,
    ) -> None:
        facts = {"purpose": purpose.value, "person": person_id}
        event = Event(action, actor, None, "ticket", _digest(secret), facts=facts)
        self._record.trail.append(connection, event)


def _open(connection: Connection, secret: str, now: datetime, lock: bool = False) -> RowMapping:
    """The row of a link that can be used now. Raises TicketRefused."""
    query = select(tickets).where(
        tickets.c.id == _digest(secret), tickets.c.used_at.is_(None), tickets.c.expires_at > now
    )
    row = connection.execute(query.with_for_update() if lock else query).mappings().one_or_none()
    if row is None:
        raise _refusal()
    return row


def _digest(secret: str) -> str:
    return hashlib.sha256(secret[:MAX_SECRET_CHARS].encode("utf-8", "replace")).hexdigest()


def _refusal() -> TicketRefused:
    return TicketRefused(
        "This link cannot be used.", "It was used, has expired or was replaced; ask for a new one."
    )
