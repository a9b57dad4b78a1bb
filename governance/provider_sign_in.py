"""Lets in whom the identity provider vouches for: the person, the roles of their groups, a session.

Whoever comes for the first time becomes a person without a role. What the groups give is made
exact at every sign-in, so that a group that somebody left ends its role here, too; roles that were
given here by hand are not touched.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from governance.errors import PersonExists
from governance.events import Actor
from governance.people import PeopleStore, Person
from governance.permissions import Grant, Role
from governance.sessions import SessionStore

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

    def let_in(
        self,
        issuer: str,
        subject: str,
        name: str,
        grants: Collection[Grant],
        client: str,
        now: datetime,
        replaces: str | None = None,
    ) -> LetIn:
        """Open a session for this identity. Raises SignInRefused, UnknownDepartment, InvalidName.

        client: the browser's own words. replaces: the token of this browser's older session.
        """
        person = self._known(issuer, subject, name)
        if person.is_usable(now):
            self._people.replace_group_grants(provider(issuer), person.id, grants)
        actor = Actor(issuer, subject, AUTH, person_id=person.id)
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
