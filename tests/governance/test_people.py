"""People, their identities and their roles, with every refusal leaving things as they were."""

from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import select

from governance.config import GovernanceSettings
from governance.errors import (
    IllegalTransition,
    InvalidGrant,
    InvalidName,
    LastAdministrator,
    NotFound,
    OwnRights,
    PersonExists,
    UnknownDepartment,
)
from governance.events import SYSTEM, Actor
from governance.grants import GrantKind
from governance.people import PeopleStore, Person, PersonState
from governance.permissions import Grant, Permission, Role, decide
from governance.policies import Department
from governance.record.database import Record
from governance.record.trail_tables import audit_leaves
from governance.sessions import SessionStore

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)


@pytest.fixture
def people(record: Record) -> PeopleStore:
    return PeopleStore(record, lambda: NOW)


@pytest.fixture
def ada(people: PeopleStore) -> Person:
    return people.create(SYSTEM, "Ada Lovelace", "ada")


@pytest.fixture
def boss(people: PeopleStore) -> Person:
    person = people.create(SYSTEM, "Grace Hopper", "grace")
    people.grant(SYSTEM, person.id, Role.ADMINISTRATOR, None)
    return people.person(person.id)


def actions(record: Record) -> list[str]:
    with record.read() as connection:
        query = select(audit_leaves.c.action).where(audit_leaves.c.action.not_like("department.%"))
        return list(connection.execute(query.order_by(audit_leaves.c.seq)).scalars())


def actor_of(person: Person) -> Actor:
    return Actor(person.issuer, person.subject, "password", person.id)


def test_hip_1_a_person_is_created_with_an_identity_and_an_event(
    people: PeopleStore, record: Record
) -> None:
    """A username is kept in small letters and the event says who made the person."""
    person = people.create(SYSTEM, "  Ada   Lovelace ", " Ada.L ")
    assert (person.issuer, person.subject, person.name) == ("local", "ada.l", "Ada Lovelace")
    assert person.state is PersonState.ACTIVE
    assert person.grants == ()
    assert people.by_username("ADA.L") == person
    assert actions(record) == ["person.created"]


@pytest.mark.parametrize("username", ["", "a b", "ada@x", "ädä", "a" * 65, "-a", "a\x00b", "a\nb"])
def test_a_bad_username_is_refused(people: PeopleStore, record: Record, username: str) -> None:
    """Only plain short names can be typed on every keyboard."""
    with pytest.raises(InvalidName):
        people.create(SYSTEM, "Ada", username)
    assert people.people() == ()
    assert actions(record) == []
    assert people.by_username(username) is None


@pytest.mark.parametrize("name", ["", "  ", "a" * 121, "a\x00b", "\ud800"])
def test_a_bad_name_is_refused(people: PeopleStore, name: str) -> None:
    """A name can be shown and is not endless."""
    with pytest.raises(InvalidName):
        people.create(SYSTEM, name, "ada")
    assert people.people() == ()


def test_hip_1_an_identity_belongs_to_one_person(
    people: PeopleStore, ada: Person, record: Record
) -> None:
    """A second person of the same username, in any case of letters, is refused."""
    with pytest.raises(PersonExists):
        people.create(SYSTEM, "Another Ada", "ADA")
    assert people.people() == (ada,)
    assert actions(record) == ["person.created"]


def test_aut_1_a_provider_identity_is_issuer_and_subject(people: PeopleStore, ada: Person) -> None:
    """The same subject of two providers is two people; nobody can pass for a local one."""
    one = people.create_identity(SYSTEM, "https://a.example", "ada", "Ada")
    two = people.create_identity(SYSTEM, "https://b.example", "ada", "Ada")
    assert len({one.id, two.id, ada.id}) == 3
    assert people.by_identity("https://a.example", "ada") == one
    assert people.by_identity("https://a.example", "ADA") is None
    with pytest.raises(PersonExists):
        people.create_identity(SYSTEM, "https://a.example", "ada", "Ada again")
    for issuer, subject in (("local", "eve"), ("https://a.example", ""), ("x", "a\x00")):
        with pytest.raises(InvalidName):
            people.create_identity(SYSTEM, issuer, subject, "Eve")
    assert len(people.people()) == 3


def test_a_person_who_is_not_there_is_not_found(people: PeopleStore) -> None:
    """Every way to name a person says so."""
    for act in (
        lambda: people.person("nobody"),
        lambda: people.principal("nobody", "password"),
        lambda: people.suspend(SYSTEM, "nobody"),
        lambda: people.restore(SYSTEM, "nobody"),
        lambda: people.grant(SYSTEM, "nobody", Role.STAFF, None),
        lambda: people.replace_group_grants(SYSTEM, "nobody", ()),
        lambda: people.withdraw(SYSTEM, "nothing"),
        lambda: people.grant_of("nothing"),
    ):
        with pytest.raises(NotFound):
            act()


def test_aut_6_a_role_is_there_at_the_next_look_and_gone_at_the_next(
    people: PeopleStore, ada: Person, demo: Department, record: Record
) -> None:
    """The rights of a person are read from the record each time."""

    def allowed() -> bool:
        principal = people.principal(ada.id, "password")
        return decide(principal, Permission.POLICIES_ASK, demo.id, NOW).allowed

    assert not allowed()
    held = people.grant(SYSTEM, ada.id, Role.STAFF, demo.id)
    assert allowed()
    assert [one.name for one in people.people(demo.id)] == ["Ada Lovelace"]
    people.withdraw(SYSTEM, held.id)
    assert not allowed()
    assert people.people(demo.id) == ()
    assert actions(record) == ["person.created", "role.granted", "role.withdrawn"]


def test_a_role_ends_at_its_time(people: PeopleStore, ada: Person, demo: Department) -> None:
    """A role with an end holds until then and not at that second."""
    end = NOW + timedelta(hours=1)
    people.grant(SYSTEM, ada.id, Role.STAFF, demo.id, expires_at=end)
    principal = people.principal(ada.id, "password")
    before = end - timedelta(seconds=1)
    assert decide(principal, Permission.POLICIES_ASK, demo.id, before).allowed
    assert not decide(principal, Permission.POLICIES_ASK, demo.id, end).allowed


def test_nobody_gives_themselves_a_role(
    people: PeopleStore, boss: Person, demo: Department, record: Record
) -> None:
    """Not even an administrator; nothing changes and nothing is recorded as done."""
    before = actions(record)
    with pytest.raises(OwnRights):
        people.grant(actor_of(boss), boss.id, Role.AUDITOR, demo.id)
    assert people.person(boss.id) == boss
    assert actions(record) == before


def test_a_role_must_fit_its_place_and_its_time(
    people: PeopleStore, ada: Person, demo: Department, record: Record
) -> None:
    """An administrator of one department, one of none, and a role from the past are refused."""
    with pytest.raises(InvalidGrant):
        people.grant(SYSTEM, ada.id, Role.ADMINISTRATOR, demo.id)
    with pytest.raises(InvalidGrant):
        people.grant(SYSTEM, ada.id, Role.DEPARTMENT_ADMINISTRATOR, None)
    with pytest.raises(InvalidGrant):
        people.grant(SYSTEM, ada.id, Role.STAFF, demo.id, expires_at=NOW)
    with pytest.raises(UnknownDepartment):
        people.grant(SYSTEM, ada.id, Role.STAFF, "nowhere")
    assert people.person(ada.id).grants == ()
    assert actions(record) == ["person.created"]


def test_hip_10_suspending_ends_rights_and_sessions(
    people: PeopleStore,
    ada: Person,
    demo: Department,
    record: Record,
    settings: GovernanceSettings,
) -> None:
    """A suspended person has no session left and no right; restoring gives the rights back."""
    people.grant(SYSTEM, ada.id, Role.STAFF, demo.id)
    sessions = SessionStore(record, settings, b"k" * 32)
    token = sessions.start(actor_of(ada), ada.id, "password", "Browser", NOW)
    people.suspend(SYSTEM, ada.id)
    assert sessions.find(token, NOW) is None
    principal = people.principal(ada.id, "password")
    assert not decide(principal, Permission.POLICIES_ASK, demo.id, NOW).allowed
    people.restore(SYSTEM, ada.id)
    assert sessions.find(token, NOW) is None
    principal = people.principal(ada.id, "password")
    assert decide(principal, Permission.POLICIES_ASK, demo.id, NOW).allowed
    assert actions(record)[-2:] == ["person.suspended", "person.restored"]


def test_a_step_that_the_table_does_not_have_is_refused(
    people: PeopleStore, ada: Person, record: Record
) -> None:
    """Suspending the suspended and restoring the active change nothing."""
    with pytest.raises(IllegalTransition):
        people.restore(SYSTEM, ada.id)
    people.suspend(SYSTEM, ada.id)
    with pytest.raises(IllegalTransition):
        people.suspend(SYSTEM, ada.id)
    assert actions(record) == ["person.created", "person.suspended"]


def test_the_last_administrator_stays(
    people: PeopleStore, boss: Person, ada: Person, record: Record
) -> None:
    """The last one is neither suspended nor loses the role, whoever asks."""
    before = actions(record)
    for actor in (SYSTEM, actor_of(boss)):
        with pytest.raises(LastAdministrator):
            people.suspend(actor, boss.id)
        with pytest.raises(LastAdministrator):
            people.withdraw(actor, boss.grants[0].id)
    assert people.person(boss.id) == boss
    assert actions(record) == before
    people.grant(SYSTEM, ada.id, Role.ADMINISTRATOR, None)
    people.withdraw(actor_of(boss), boss.grants[0].id)
    assert people.person(boss.id).grants == ()
    assert people.has_administrator()


def test_one_who_cannot_come_in_is_no_second_administrator(
    people: PeopleStore, boss: Person, record: Record
) -> None:
    """Suspended people, expired people and expired roles do not count."""
    suspended = people.create(SYSTEM, "S", "s")
    gone = people.create(SYSTEM, "G", "g", expires_at=NOW)
    brief = people.create(SYSTEM, "B", "b")
    for person in (suspended, gone):
        people.grant(SYSTEM, person.id, Role.ADMINISTRATOR, None)
    end = NOW + timedelta(minutes=1)
    people.grant(SYSTEM, brief.id, Role.ADMINISTRATOR, None, expires_at=end)
    people.suspend(SYSTEM, suspended.id)
    later = PeopleStore(record, lambda: end)
    with pytest.raises(LastAdministrator):
        later.suspend(SYSTEM, boss.id)
    assert later.person(boss.id).state is PersonState.ACTIVE


def test_of_two_administrators_who_suspend_each_other_one_stays(
    people: PeopleStore, boss: Person, ada: Person
) -> None:
    """At the same time as one after the other, on both databases."""
    people.grant(SYSTEM, ada.id, Role.ADMINISTRATOR, None)
    start, refused = Barrier(2), []

    def suspend(actor: Actor, person_id: str) -> None:
        start.wait()
        try:
            people.suspend(actor, person_id)
        except LastAdministrator as error:
            refused.append(error)

    threads = [
        Thread(target=suspend, args=(actor_of(boss), ada.id)),
        Thread(target=suspend, args=(actor_of(ada), boss.id)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    assert people.has_administrator()


def test_aut_1_group_roles_are_replaced_and_standing_ones_stay(
    people: PeopleStore, ada: Person, demo: Department, record: Record
) -> None:
    """What the provider's groups say is exactly what holds; only differences are recorded."""
    people.grant(SYSTEM, ada.id, Role.STAFF, demo.id)
    people.replace_group_grants(
        SYSTEM, ada.id, [Grant(Role.EDITOR, demo.id), Grant(Role.AUDITOR, demo.id)]
    )
    people.replace_group_grants(
        SYSTEM, ada.id, [Grant(Role.AUDITOR, demo.id), Grant(Role.APPROVER, demo.id)]
    )
    held = {(one.role, one.kind) for one in people.person(ada.id).grants}
    assert held == {
        (Role.STAFF, GrantKind.STANDING),
        (Role.AUDITOR, GrantKind.GROUP),
        (Role.APPROVER, GrantKind.GROUP),
    }
    assert actions(record)[2:] == ["role.granted"] * 2 + ["role.withdrawn", "role.granted"]
    with pytest.raises(InvalidGrant):
        people.replace_group_grants(SYSTEM, ada.id, [Grant(Role.ADMINISTRATOR, demo.id)])
    assert {(one.role, one.kind) for one in people.person(ada.id).grants} == held


def test_aut_1_the_provider_can_take_the_last_administrator_away(
    people: PeopleStore, ada: Person
) -> None:
    """A right that the provider ended does not live on here."""
    people.replace_group_grants(SYSTEM, ada.id, [Grant(Role.ADMINISTRATOR, None)])
    assert people.has_administrator()
    people.replace_group_grants(SYSTEM, ada.id, [])
    assert not people.has_administrator()


def test_aud_5_without_its_event_there_is_no_change(
    people: PeopleStore, ada: Person, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trail that cannot be written takes the act back."""

    def full(*_: object) -> int:
        raise OSError("no space")

    monkeypatch.setattr(record.trail, "append", full)
    with pytest.raises(OSError, match="no space"):
        people.suspend(SYSTEM, ada.id)
    with pytest.raises(OSError, match="no space"):
        people.create(SYSTEM, "Eve", "eve")
    assert people.people() == (ada,)
