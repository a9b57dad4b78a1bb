"""Lets in whom the identity provider vouches for: the person, the roles of their groups, a session.

Whoever comes for the first time becomes a person without a role. What the groups give is made
exact at every sign-in, so that a group that somebody left ends its role here, too; roles that were
given here by hand are not touched.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from governance.errors import FlowRefused, PersonExists
from governance.events import Actor
from governance.people import PeopleStore, Person
from governance.permissions import Grant, Role
from governance.sessions import Session, SessionStore

AUTH = "oidc"


@dataclass(frozen=True, slots=True, repr=False)
class LetIn:
    """A session that was opened; its token does not print."""

    token: str
    person: Person


class ProviderSignIn:
    """The way in for people whose passwords are kept elsewhere."""

    def __init__(self, people: PeopleStore, sessions: SessionStore) -> None:
        self._people = people
        self._sessions = sessions

    def locked_session(self, token: str | None, now: datetime) -> str:
        """The id of the locked session of this token, or nothing."""
        held = self._held(token, now)
        return held.id if held is not None and held.locked else ""

    def let_in(
        self,
        issuer: str,
        subject: str,
        name: str,
        grants: Collection[Grant],
        client: str,
        now: datetime,
        replaces: str | None = None,
        began_locked: str = "",
    ) -> LetIn:
        """Open a session for this identity, or again the one that it locked.

        client: the browser's own words. replaces: the token of this browser's older session.
        began_locked: the id of the session that was locked when the sign-in began.
        Raises SignInRefused, FlowRefused, UnknownDepartment, InvalidName, IllegalTransition.
        """
        held = self._held(replaces, now)
        locked = held if held is not None and held.locked else None
        if locked is not None:
            self._expect_own(locked, began_locked, issuer, subject)
        person = self._known(issuer, subject, name)
        if person.is_usable(now):
            self._people.replace_group_grants(provider(issuer), person.id, grants)
        actor = Actor(issuer, subject, AUTH, person_id=person.id)
        if locked is not None:
            token = self._sessions.unlock(actor, locked.id, now)
        else:
            token = self._sessions.start(actor, person.id, AUTH, client, now, replaces)
        return LetIn(token, self._people.person(person.id))

    def let_go(self, issuer: str, subject: str) -> int:
        """End every session of this identity, as its provider asks; return how many."""
        person = self._people.by_identity(issuer, subject)
        return 0 if person is None else self._sessions.end_all(provider(issuer), person.id)

    def administrators(self) -> tuple[str, ...]:
        """Whom somebody without a role can ask, by name."""
        return tuple(
            person.name
            for person in self._people.people()
            if any(held.role is Role.ADMINISTRATOR for held in person.grants)
        )

    def _held(self, token: str | None, now: datetime) -> Session | None:
        return None if token is None else self._sessions.find(token, now, touch=False)

    def _expect_own(self, locked: Session, began_locked: str, issuer: str, subject: str) -> None:
        """Raise FlowRefused unless this identity locked the session, and came afterwards."""
        person = self._people.by_identity(issuer, subject)
        if person is None or person.id != locked.person_id:
            raise FlowRefused("Another person locked this session, and nobody else can open it.")
        # Begun before the lock, it may hold what its person did at the provider before leaving.
        if began_locked != locked.id:
            raise FlowRefused("It was begun before this session was locked.")

    def _known(self, issuer: str, subject: str, name: str) -> Person:
        person = self._people.by_identity(issuer, subject)
        if person is not None:
            return person
        try:
            return self._people.create_identity(provider(issuer), issuer, subject, name)
        except PersonExists:
            # Signed in twice at the same moment: the other one was quicker.
            person = self._people.by_identity(issuer, subject)
            if person is None:
                raise
            return person


def provider(issuer: str) -> Actor:
    """The identity provider itself, as whoever gives roles and ends sessions by its groups."""
    return Actor(issuer, "identity provider", AUTH)
