"""Lets people in by username and password, and tells nobody why it did not.

Every refusal says the same and, whether or not there is such an account, costs the same work. The
trail knows more: the person where there is one, the account and the address as keyed hashes, never
the name that was typed, for people do type their password there.
"""

from datetime import datetime

from governance.errors import PasswordRefused, PasswordsOff, SignInRefused
from governance.events import SYSTEM, Action, Actor, Event
from governance.passwords import PasswordStore
from governance.people import LOCAL, PeopleStore, Person
from governance.record.database import Record
from governance.sessions import Session, SessionStore
from governance.throttle import Admission, Throttle

AUTH = "password"
MAX_USERNAME_CHARS = 256


class SignIn:
    """The one place where passwords from outside are checked."""

    def __init__(
        self,
        record: Record,
        people: PeopleStore,
        passwords: PasswordStore,
        sessions: SessionStore,
        throttle: Throttle,
        passwords_on: bool = True,
    ) -> None:
        """passwords_on: whether a password lets anybody in; if not, none is even looked at."""
        self._record = record
        self._people = people
        self._passwords = passwords
        self._sessions = sessions
        self._throttle = throttle
        self._passwords_on = passwords_on

    def sign_in(
        self,
        username: str,
        password: str,
        address: str,
        client: str,
        now: datetime,
        replaces: str | None = None,
    ) -> str:
        """Open a session and return its token. Raises SignInRefused, PasswordsOff.

        replaces: the token of an older session of this browser, which ends.
        """
        self._expect_passwords()
        username = username[:MAX_USERNAME_CHARS].strip().lower()
        person = self._people.by_username(username)
        set_at = self._check(username, person, password, address, now)
        if person is None or not person.is_usable(now):
            raise self._refused(person, username, address, "not usable")
        return self._sessions.start(
            _actor(person),
            person.id,
            AUTH,
            client,
            now,
            replaces,
            {"account": self._name(username)},
            set_at,
        )

    def unlock(self, session: Session, password: str, address: str, now: datetime) -> str:
        """Open a locked session again under a new token.

        Raises SignInRefused, PasswordsOff, IllegalTransition, NotFound.
        """
        self._expect_passwords()
        person = self._people.person(session.person_id)
        self._check(_account(person), person, password, address, now)
        if not person.is_usable(now):
            raise self._refused(person, _account(person), address, "not usable")
        return self._sessions.unlock(_actor(person), session.id, now)

    def change_password(
        self, actor: Actor, session: Session, current: str, new: str, address: str, now: datetime
    ) -> None:
        """Change one's own password; the other sessions end.

        Raises SignInRefused, PasswordsOff, PasswordRefused, NotFound.
        """
        self._expect_passwords()
        person = self._people.person(session.person_id)
        set_at = self._check(_account(person), person, current, address, now)
        if current == new:
            raise PasswordRefused("This is the old password.", "Choose another one.")
        self._passwords.set_password(actor, person.id, new, session.id, set_at)

    def _expect_passwords(self) -> None:
        if not self._passwords_on:
            raise PasswordsOff

    def _check(
        self, account: str, person: Person | None, password: str, address: str, now: datetime
    ) -> datetime | None:
        """When the password was set that is right. Raises SignInRefused.

        Read before the slow check, so that one that is set meanwhile is noticed where it matters.
        """
        admission = self._throttle.admit(account, address, now)
        if admission is Admission.REFUSE_QUIETLY:
            raise _refusal()
        if admission is Admission.REFUSE:
            raise self._refused(person, account, address, "throttled")
        set_at = None if person is None else self._passwords.set_at(person.id)
        if not self._passwords.verify(None if person is None else person.id, password):
            raise self._refused(person, account, address, "wrong")
        self._throttle.succeeded(account, address)
        return set_at

    def _refused(
        self, person: Person | None, account: str, address: str, reason: str
    ) -> SignInRefused:
        """Write the refusal down and return what to raise."""
        facts = {"account": self._name(account), "address": self._throttle.address_key(address)}
        event = Event(
            Action.SESSION_REFUSED,
            SYSTEM,
            object_type="person",
            object_id=None if person is None else person.id,
            outcome="refused",
            reason=reason,
            facts=facts,
        )
        with self._record.write() as connection:
            self._record.trail.append(connection, event)
        return _refusal()

    def _name(self, account: str) -> str:
        return self._throttle.account_key(account)


def _actor(person: Person) -> Actor:
    return Actor(person.issuer, person.subject, AUTH, person.id)


def _account(person: Person) -> str:
    """The name under which failures are counted; a provider's people have no username."""
    return person.subject if person.issuer == LOCAL else f"{person.issuer}|{person.subject}"


def _refusal() -> SignInRefused:
    return SignInRefused(
        "The name or the password is not right.",
        "After several tries you must wait, a minute or longer; an administrator can help at once.",
    )
