"""Emergency access: at once, short, and looked at by somebody else (HIP-2)."""

import hashlib
from datetime import timedelta

import pytest
from sqlalchemy import select

from governance.emergency import EmergencyStore
from governance.errors import (
    IllegalTransition,
    InvalidGrant,
    NotFound,
    OwnRights,
    UnknownDepartment,
)
from governance.events import SYSTEM, Actor
from governance.grants import GrantKind
from governance.people import PeopleStore, Person
from governance.permissions import Permission, Role, decide
from governance.policies import Department, PolicyStore
from governance.record.database import Record
from governance.record.trail_tables import audit_leaves
from governance.testing_clock import START, Watch

REASON = "Patient in bed 12 reacts to the infusion; allergy protocol needed now."


@pytest.fixture
def emergencies(record: Record, watch: Watch) -> EmergencyStore:
    return EmergencyStore(record, watch)


@pytest.fixture
def officer(people: PeopleStore) -> Actor:
    person = people.create(SYSTEM, "Officer", "officer")
    return Actor("local", "officer", "password", person.id)


def leaves(record: Record) -> list[tuple[str, str]]:
    with record.read() as connection:
        query = select(audit_leaves.c.action, audit_leaves.c.body)
        query = query.where(audit_leaves.c.action.like("emergency.%"))
        return [(row[0], row[1]) for row in connection.execute(query.order_by(audit_leaves.c.seq))]


def test_hip_2_access_comes_at_once_and_ends_to_the_second(
    emergencies: EmergencyStore, people: PeopleStore, ada: Person, her: Actor, demo: Department
) -> None:
    """A role for so many minutes, of its own kind, and nothing that staff may not do."""
    held = emergencies.start(her, ada.id, demo.id, Role.STAFF, REASON, 30)
    assert (held.kind, held.reason, held.granted_by) == (GrantKind.EMERGENCY, REASON, ada.id)
    principal, end = people.principal(ada.id, "password"), START + timedelta(minutes=30)
    assert held.expires_at == end
    before = end - timedelta(seconds=1)
    assert decide(principal, Permission.POLICIES_ASK, demo.id, before).allowed
    assert not decide(principal, Permission.POLICIES_ASK, demo.id, end).allowed
    for never in (Permission.AUDIT_READ, Permission.MODELS_MANAGE, Permission.RETENTION_MANAGE):
        assert not decide(principal, never, demo.id, START).allowed


def test_hip_2_it_waits_for_review_until_somebody_looked(
    emergencies: EmergencyStore,
    ada: Person,
    her: Actor,
    officer: Actor,
    demo: Department,
    watch: Watch,
    record: Record,
) -> None:
    """It stays an open item from its start, is reviewed once, and is then closed."""
    held = emergencies.start(her, ada.id, demo.id, Role.EDITOR, REASON, 10)
    assert emergencies.open_reviews(None) == (held,)
    with pytest.raises(IllegalTransition):
        emergencies.review(officer, held.id)
    watch.now += timedelta(minutes=10)
    emergencies.review(officer, held.id)
    assert emergencies.open_reviews(None) == ()
    with pytest.raises(IllegalTransition):
        emergencies.review(officer, held.id)
    assert [action for action, _ in leaves(record)] == ["emergency.started", "emergency.reviewed"]


def test_hip_2_nobody_reviews_their_own(
    emergencies: EmergencyStore,
    ada: Person,
    her: Actor,
    demo: Department,
    watch: Watch,
    record: Record,
) -> None:
    """Whatever else they are; the owner of the data directory can."""
    held = emergencies.start(her, ada.id, demo.id, Role.STAFF, REASON)
    watch.now += timedelta(hours=1)
    with pytest.raises(OwnRights):
        emergencies.review(her, held.id)
    assert len(emergencies.open_reviews(None)) == 1
    assert len(leaves(record)) == 1
    emergencies.review(Actor("local", "owner", "socket"), held.id)
    assert emergencies.open_reviews(None) == ()


def test_the_trail_holds_the_digest_of_the_reason_alone(
    emergencies: EmergencyStore, ada: Person, her: Actor, demo: Department, record: Record
) -> None:
    """A reason can name a patient; what was reviewed can still be proven."""
    emergencies.start(her, ada.id, demo.id, Role.STAFF, REASON)
    ((_, body),) = leaves(record)
    assert "bed 12" not in body
    assert hashlib.sha256(REASON.encode()).hexdigest() in body


def test_reviews_are_shown_by_department(
    emergencies: EmergencyStore,
    policies: PolicyStore,
    ada: Person,
    her: Actor,
    demo: Department,
) -> None:
    """Those of one, of several, of none, and all."""
    other = policies.create_department(SYSTEM, "other")
    here = emergencies.start(her, ada.id, demo.id, Role.STAFF, REASON)
    there = emergencies.start(her, ada.id, other.id, Role.STAFF, REASON)
    assert emergencies.open_reviews([demo.id]) == (here,)
    assert set(emergencies.open_reviews([demo.id, other.id])) == {here, there}
    assert emergencies.open_reviews([]) == ()
    assert set(emergencies.open_reviews(None)) == {here, there}


@pytest.mark.parametrize(
    ("role", "reason", "minutes"),
    [
        (Role.STAFF, "", 10),
        (Role.STAFF, "   because   ", 10),
        (Role.STAFF, "x" * 501, 10),
        (Role.STAFF, REASON + "\x00", 10),
        (Role.STAFF, REASON, 0),
        (Role.STAFF, REASON, -5),
        (Role.STAFF, REASON, 61),
        (Role.ADMINISTRATOR, REASON, 10),
        (Role.DEPARTMENT_ADMINISTRATOR, REASON, 10),
        (Role.AUDITOR, REASON, 10),
        (Role.APPROVER, REASON, 10),
    ],
)
def test_hip_2_without_a_reason_or_beyond_its_bounds_it_is_refused(
    emergencies: EmergencyStore,
    people: PeopleStore,
    ada: Person,
    her: Actor,
    demo: Department,
    record: Record,
    role: Role,
    reason: str,
    minutes: int,
) -> None:
    """Nothing is granted and nothing is recorded as done."""
    with pytest.raises(InvalidGrant):
        emergencies.start(her, ada.id, demo.id, role, reason, minutes)
    assert people.person(ada.id).grants == ()
    assert leaves(record) == []


def test_hip_2_it_is_for_oneself_and_one_at_a_time(
    emergencies: EmergencyStore,
    people: PeopleStore,
    ada: Person,
    her: Actor,
    officer: Actor,
    demo: Department,
    watch: Watch,
) -> None:
    """Not for another, not in no department, not for the suspended, not on top of a running one."""
    with pytest.raises(InvalidGrant):
        emergencies.start(officer, ada.id, demo.id, Role.STAFF, REASON)
    with pytest.raises(UnknownDepartment):
        emergencies.start(her, ada.id, "nowhere", Role.STAFF, REASON)
    assert emergencies.open_reviews(None) == ()
    emergencies.start(her, ada.id, demo.id, Role.STAFF, REASON)
    with pytest.raises(IllegalTransition):
        emergencies.start(her, ada.id, demo.id, Role.EDITOR, REASON)
    assert len(people.person(ada.id).grants) == 1
    watch.now += timedelta(hours=1)
    emergencies.start(her, ada.id, demo.id, Role.EDITOR, REASON)
    people.suspend(SYSTEM, ada.id)
    with pytest.raises(InvalidGrant):
        emergencies.start(her, ada.id, demo.id, Role.STAFF, REASON)


def test_a_withdrawn_emergency_ends_now_and_stays_for_review(
    emergencies: EmergencyStore,
    people: PeopleStore,
    ada: Person,
    her: Actor,
    officer: Actor,
    demo: Department,
    watch: Watch,
) -> None:
    """Ending one early does not make it disappear."""
    held = emergencies.start(her, ada.id, demo.id, Role.STAFF, REASON)
    watch.now += timedelta(minutes=5)
    people.withdraw(officer, held.id)
    principal = people.principal(ada.id, "password")
    assert not decide(principal, Permission.POLICIES_ASK, demo.id, watch.now).allowed
    assert [one.id for one in emergencies.open_reviews(None)] == [held.id]
    emergencies.review(officer, held.id)


def test_only_an_emergency_is_reviewed(
    emergencies: EmergencyStore, people: PeopleStore, ada: Person, officer: Actor, demo: Department
) -> None:
    """A standing role is no review item."""
    held = people.grant(SYSTEM, ada.id, Role.STAFF, demo.id)
    for grant_id in (held.id, "nothing"):
        with pytest.raises(NotFound):
            emergencies.review(officer, grant_id)
    assert people.grant_of(held.id).reviewed_at is None
