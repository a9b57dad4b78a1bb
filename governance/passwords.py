"""Keeps passwords as argon2id hashes, and checks them with the same work for everybody.

What is refused is decided by `password_policy.py` and, if the operator set one, by a list of leaked
passwords. A hash that was made with other parameters is made anew at the next right sign-in. Each
check takes its memory, so only a few run at the same time and the others wait for their turn.
"""

from datetime import datetime
from functools import cached_property
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, select

from governance.breach_list import BreachList
from governance.clock import Clock, utc_now
from governance.config import GovernanceSettings
from governance.errors import PasswordRefused, SignInRefused
from governance.events import Action, Actor, Event
from governance.password_policy import MAX_CHARS, fault_of, normalised
from governance.people_rows import close_links, lock_person
from governance.record.database import Record
from governance.record.people_tables import grants, passwords, people, sessions
from governance.record.tables import departments

CHECKS_AT_ONCE = 4
# NFC can shorten a text, but not more than this; longer ones are wrong without looking.
MAX_RAW_CHARS = 4 * MAX_CHARS


class PasswordStore:
    """The passwords of people who sign in here."""

    def __init__(
        self, record: Record, settings: GovernanceSettings, clock: Clock = utc_now
    ) -> None:
        self._record = record
        self._clock = clock
        self._leaked = BreachList(settings.breach_list_path)
        self._turns = BoundedSemaphore(CHECKS_AT_ONCE)
        self._hasher = PasswordHasher(
            time_cost=settings.argon2_rounds,
            memory_cost=settings.argon2_memory_kib,
            parallelism=1,
        )

    def hash_of(self, new: str, context: tuple[str, ...] = ()) -> str:
        """Check a new password and hash it; slow on purpose, so never in a transaction.

        context: words that it must not consist of. Raises PasswordRefused.
        """
        new = normalised(new[:MAX_RAW_CHARS])
        fault = fault_of(new, context)
        if fault is None and self._leaked.holds(new):
            fault = "This password is in a list of leaked ones."
        if fault is not None:
            raise PasswordRefused(fault, "Choose another: four or five words of your own do well.")
        return self._hash(new)

    def set_password(
        self,
        actor: Actor,
        person_id: str,
        new: str,
        keep_session: str | None = None,
        replaces: datetime | None = None,
    ) -> None:
        """Set a password and end the person's other sessions.

        replaces: when the one was set that was just checked; a newer one stays. Raises NotFound,
        PasswordRefused, SignInRefused.
        """
        hashed = self.hash_of(new, self.context_of(person_id))
        with self._record.write() as connection:
            if replaces is not None:
                expect_password(connection, person_id, replaces)
            self.set_within(connection, actor, person_id, hashed, keep_session)

    def context_of(self, person_id: str) -> tuple[str, ...]:
        """The words that this person's password must not consist of."""
        there = select(grants.c.department_id).where(grants.c.person_id == person_id)
        with self._record.read() as connection:
            who = connection.execute(
                select(people.c.subject, people.c.name).where(people.c.id == person_id)
            ).all()
            where = connection.execute(
                select(departments.c.name).where(departments.c.id.in_(there))
            ).all()
        return tuple(str(word) for row in (*who, *where) for word in row)

    def set_within(
        self,
        connection: Connection,
        actor: Actor,
        person_id: str,
        hashed: str,
        keep_session: str | None = None,
    ) -> None:
        """Store a hash in a transaction that does more; end other sessions and all open links."""
        lock_person(connection, person_id)
        close_links(connection, person_id)
        connection.execute(passwords.delete().where(passwords.c.person_id == person_id))
        connection.execute(
            passwords.insert().values(person_id=person_id, hash=hashed, changed_at=self._clock())
        )
        theirs = sessions.c.person_id == person_id
        others = theirs if keep_session is None else theirs & (sessions.c.id != keep_session)
        ended = connection.execute(sessions.delete().where(others)).rowcount
        self._record.trail.append(
            connection,
            Event(
                Action.PASSWORD_SET,
                actor,
                object_type="person",
                object_id=person_id,
                facts={"sessions_ended": ended},
            ),
        )

    def has_password(self, person_id: str) -> bool:
        """Whether this person can sign in here at all."""
        return self._stored(person_id) is not None

    def verify(self, person_id: str | None, password: str) -> bool:
        """Whether the password is right; an unknown person costs the same work."""
        stored = None if person_id is None else self._stored(person_id)
        is_right = self._matches(stored or self._nobodys, normalised(password[:MAX_RAW_CHARS]))
        if stored is None or person_id is None or not is_right:
            return False
        if self._hasher.check_needs_rehash(stored):
            self._renew(person_id, stored, normalised(password))
        return True

    def set_at(self, person_id: str) -> datetime | None:
        """When the person's password was set; read before a check, it tells if that still holds."""
        with self._record.read() as connection:
            return _set_at(connection, person_id)

    def _stored(self, person_id: str) -> str | None:
        query = select(passwords.c.hash).where(passwords.c.person_id == person_id)
        with self._record.read() as connection:
            found: str | None = connection.execute(query).scalar_one_or_none()
        return found

    def _matches(self, hashed: str, password: str) -> bool:
        # A lone surrogate has no UTF-8 and can be in no password that was accepted.
        shown = password[:MAX_CHARS].encode("utf-8", "surrogatepass")
        try:
            with self._turns:
                is_right = self._hasher.verify(hashed, shown)
        except (VerificationError, InvalidHashError):
            return False
        return is_right and len(password) <= MAX_CHARS

    def _hash(self, password: str) -> str:
        with self._turns:
            return self._hasher.hash(password)

    @cached_property
    def _nobodys(self) -> str:
        return self._hash("nobody's password")

    def _renew(self, person_id: str, old: str, password: str) -> None:
        # The same password in a stronger form is no act of anybody, so the trail says nothing.
        hashed = self._hash(password)
        mine = (passwords.c.person_id == person_id) & (passwords.c.hash == old)
        with self._record.write() as connection:
            connection.execute(passwords.update().where(mine).values(hash=hashed))


def expect_password(connection: Connection, person_id: str, set_at: datetime) -> None:
    """Raise SignInRefused if another password was set since one was checked."""
    lock_person(connection, person_id)
    if _set_at(connection, person_id) != set_at:
        raise SignInRefused("The password was changed meanwhile.", "Sign in with the new one.")


def _set_at(connection: Connection, person_id: str) -> datetime | None:
    query = select(passwords.c.changed_at).where(passwords.c.person_id == person_id)
    return connection.execute(query).scalar_one_or_none()
