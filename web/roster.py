"""What one caller may see of people and do to them: the one way for pages, API and command line.

Whoever reads people in some departments sees those with a role there, and of their roles those
that stand there or everywhere. Who may give which role is decided in `governance/grants.py`.
"""

from dataclasses import dataclass
from datetime import datetime

from governance.errors import NotFound
from governance.grants import (
    GIVEN_BY_ADMINISTRATORS,
    HeldGrant,
    lasting,
    may_grant,
    may_grant_role,
    may_manage,
)
from governance.keys import ApiKey, KeyStore
from governance.people import PeopleStore, Person
from governance.permissions import Decision, Grant, Permission, Role
from governance.policies import Department
from governance.tickets import TicketStore
from web.caller import Caller
from web.client_certificate import ISSUER as CERTIFICATE_ISSUER
from web.errors import Forbidden

NOT_HERE = ("This person is not here.", "Reload the list of people.")


@dataclass(frozen=True, slots=True)
class NewRole:
    """A role that somebody is to get; department_id None is everywhere."""

    role: Role
    department_id: str | None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """A person as this caller sees them; elsewhere: how many more roles they have."""

    person: Person
    grants: tuple[HeldGrant, ...]
    elsewhere: int


class Roster:
    """People, seen and managed by a caller."""

    def __init__(
        self,
        people: PeopleStore,
        keys: KeyStore,
        tickets: TicketStore,
    ) -> None:
        self._people = people
        self._keys = keys
        self._tickets = tickets

    def people(self, caller: Caller, department_id: str | None = None) -> tuple[Shown, ...]:
        """Everybody whom the caller may see, by name, or those with a role in one department."""
        if department_id is not None:
            caller.require(Permission.PEOPLE_READ, department_id)
            found = self._people.people(department_id)
        elif caller.may(Permission.PEOPLE_READ):
            found = self._people.people()
        else:
            found = self._people_of(caller)
        everybody = department_id is None and caller.may(Permission.PEOPLE_READ)
        shown = (self._shown(caller, person) for person in found)
        # Somebody whose emergency here has ended has no role here any more.
        return tuple(one for one in shown if everybody or one.grants)

    def person(self, caller: Caller, person_id: str) -> Shown:
        """One person whom the caller may see. Raises NotFound."""
        shown = self._shown(caller, self._people.person(person_id))
        is_self = caller.principal.person_id == person_id
        may_read = caller.may_somewhere(Permission.PEOPLE_READ) and shown.grants
        if not (is_self or may_read or caller.may(Permission.PEOPLE_READ)):
            raise NotFound(*NOT_HERE)
        return shown

    def by_username(self, caller: Caller, username: str) -> Shown:
        """Whoever signs in under this name, seen by the caller. Raises NotFound."""
        found = self._people.by_username(username)
        try:
            return self.person(caller, found.id if found else "")
        except NotFound as error:
            unknown = f"There is nobody with the user name {username[:64]!r}."
            raise NotFound(unknown, NOT_HERE[1]) from error

    def may_manage(self, caller: Caller, person: Person) -> Decision:
        """Whether the caller may suspend or restore this person, or link to a new password."""
        now = caller.clock()
        return may_manage(caller.principal, lasting(person.grants, now), now)

    def may_withdraw(self, caller: Caller, held: HeldGrant) -> bool:
        """Whether the caller may take this role away."""
        where, now = held.department_id, caller.clock()
        return may_grant_role(caller.principal, held.role, where, now).allowed

    def places(self, caller: Caller) -> tuple[Department, ...]:
        """The departments in which the caller gives roles."""
        return caller.departments(Permission.PEOPLE_MANAGE)

    def roles(self, caller: Caller) -> tuple[Role, ...]:
        """The roles that the caller may give somewhere."""
        everything = self.manages_all(caller)
        return tuple(role for role in Role if everything or role not in GIVEN_BY_ADMINISTRATORS)

    def manages_all(self, caller: Caller) -> bool:
        """Whether the caller may give roles everywhere."""
        return caller.may(Permission.PEOPLE_MANAGE)

    def add(
        self, caller: Caller, name: str, username: str, first: NewRole | None
    ) -> tuple[Person, str]:
        """Add a person with a first role; the secret of their link comes with them.

        Raises Forbidden, InvalidName, InvalidGrant, PersonExists, PasswordsOff.
        """
        self._check_first(caller, first)
        self._tickets.expect_may_issue(caller.actor)
        made = self._people.create(caller.actor, name, username, first=_grant(first))
        return made, self._tickets.issue_password(caller.actor, made.id)

    def add_certified(
        self, caller: Caller, name: str, subject: str, first: NewRole | None
    ) -> Person:
        """Add a person who shows a client certificate of this subject, with a first role.

        Raises Forbidden, InvalidName, InvalidGrant, PersonExists.
        """
        self._check_first(caller, first)
        issuer = CERTIFICATE_ISSUER
        return self._people.create_identity(caller.actor, issuer, subject, name, _grant(first))

    def give(self, caller: Caller, person_id: str, wanted: NewRole) -> HeldGrant:
        """Give a role. Raises Forbidden, NotFound, InvalidGrant, OwnRights."""
        self._people.person(person_id)
        self._check_grant(caller, person_id, wanted)
        return self._give(caller, person_id, wanted)

    def withdraw(self, caller: Caller, person_id: str, grant_id: str) -> HeldGrant:
        """Take a role away. Raises Forbidden, NotFound, LastAdministrator."""
        shown = self.person(caller, person_id)
        held = next((one for one in shown.grants if one.id == grant_id), None)
        if held is None:
            raise NotFound("This role is not here any more.", "Reload the person's page.")
        decision = may_grant_role(caller.principal, held.role, held.department_id, caller.clock())
        _expect(caller, decision, held.department_id)
        self._people.withdraw(caller.actor, grant_id)
        return held

    def suspend(self, caller: Caller, person_id: str) -> None:
        """Stop a person. Raises Forbidden, NotFound, IllegalTransition, LastAdministrator."""
        self._expect_managed(caller, person_id)
        self._people.suspend(caller.actor, person_id)

    def restore(self, caller: Caller, person_id: str) -> None:
        """Let a person come in again. Raises Forbidden, NotFound, IllegalTransition."""
        self._expect_managed(caller, person_id)
        self._people.restore(caller.actor, person_id)

    def link(self, caller: Caller, person_id: str) -> str:
        """The secret of a one-time link to a new password.

        Raises Forbidden, NotFound, IllegalTransition.
        """
        self._expect_managed(caller, person_id)
        return self._tickets.issue_password(caller.actor, person_id)

    def keys(self, caller: Caller, person_id: str) -> tuple[ApiKey, ...]:
        """One's own keys, or those of somebody whom one manages; else none. Raises NotFound."""
        person = self.person(caller, person_id).person
        is_self = caller.principal.person_id == person_id
        everything = caller.may(Permission.PEOPLE_READ)
        may_look = is_self or everything or self.may_manage(caller, person).allowed
        return self._keys.keys_of(person_id) if may_look else ()

    def revoke(self, caller: Caller, key_id: str) -> None:
        """End a key: one's own, or that of somebody whom one manages.

        Raises Forbidden, NotFound, IllegalTransition.
        """
        key = self._keys.key(key_id)
        if caller.principal.person_id is None or caller.principal.person_id != key.person_id:
            self._expect_managed(caller, key.person_id)
        self._keys.revoke(caller.actor, key_id, caller.clock())

    def _give(self, caller: Caller, person_id: str, wanted: NewRole) -> HeldGrant:
        return self._people.grant(
            caller.actor, person_id, wanted.role, wanted.department_id, wanted.expires_at
        )

    def _check_first(self, caller: Caller, first: NewRole | None) -> None:
        if first is None:
            caller.require(Permission.PEOPLE_MANAGE, None)
        else:
            self._check_grant(caller, "", first)

    def _check_grant(self, caller: Caller, person_id: str, wanted: NewRole) -> None:
        where = wanted.department_id
        decision = may_grant(caller.principal, person_id, wanted.role, where, caller.clock())
        _expect(caller, decision, where)

    def _expect_managed(self, caller: Caller, person_id: str) -> None:
        shown = self.person(caller, person_id)
        _expect(caller, self.may_manage(caller, shown.person), None)

    def _people_of(self, caller: Caller) -> tuple[Person, ...]:
        """Those with a role in a department of the caller's, each once, by name."""
        found = {
            person.id: person
            for place in caller.departments(Permission.PEOPLE_READ)
            for person in self._people.people(place.id)
        }
        return tuple(sorted(found.values(), key=lambda person: (person.name, person.id)))

    def _shown(self, caller: Caller, person: Person) -> Shown:
        everywhere = caller.may(Permission.PEOPLE_READ)
        places = {place.id for place in caller.departments(Permission.PEOPLE_READ)}
        grants = tuple(
            held
            for held in lasting(person.grants, caller.clock())
            if everywhere or held.department_id is None or held.department_id in places
        )
        return Shown(person, grants, len(lasting(person.grants, caller.clock())) - len(grants))


def _grant(role: NewRole | None) -> Grant | None:
    return None if role is None else Grant(role.role, role.department_id, role.expires_at)


def _expect(caller: Caller, decision: Decision, department_id: str | None) -> None:
    """Raise Forbidden, and record it, where the rule says no."""
    if not decision.allowed:
        caller.denied(Permission.PEOPLE_MANAGE, department_id, decision.reason)
        raise Forbidden(decision.reason, "Ask an administrator to do it.")
