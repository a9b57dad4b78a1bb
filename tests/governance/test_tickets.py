"""One-time links: the first administrator, and a new password."""

from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import select

from governance.config import GovernanceSettings
from governance.errors import (
    IllegalTransition,
    InvalidName,
    LastAdministrator,
    NotFound,
    PasswordRefused,
    PasswordsOff,
    PersonExists,
    TicketRefused,
)
from governance.events import SYSTEM, Actor
from governance.passwords import PasswordStore
from governance.people import PeopleStore, Person
from governance.permissions import Permission, Role, decide
from governance.policies import PolicyStore
from governance.record.database import Record
from governance.record.people_tables import tickets as table
from governance.record.trail_tables import audit_leaves
from governance.sessions import SessionStore
from governance.sign_in import SignIn
from governance.testing_clock import START, Watch
from governance.throttle import Admission, Throttle
from governance.tickets import Purpose, TicketStore

GOOD, OTHER = "violet tractor hums at noon", "seven copper kites over the mill"


@pytest.fixture
def passwords(record: Record, settings: GovernanceSettings, watch: Watch) -> PasswordStore:
    return PasswordStore(record, replace(settings, argon2_memory_kib=64, argon2_rounds=1), watch)


@pytest.fixture
def throttle(record: Record) -> Throttle:
    return Throttle(record, b"k" * 32)


@pytest.fixture
def tickets(
    record: Record,
    people: PeopleStore,
    passwords: PasswordStore,
    throttle: Throttle,
    watch: Watch,
) -> TicketStore:
    return TicketStore(record, people, passwords, throttle, watch)


@pytest.fixture
def ada(people: PeopleStore, passwords: PasswordStore) -> Person:
    person = people.create(SYSTEM, "Ada", "ada")
    passwords.set_password(SYSTEM, person.id, GOOD)
    return person


def acts(record: Record) -> list[str]:
    with record.read() as connection:
        query = select(audit_leaves.c.action).order_by(audit_leaves.c.seq)
        return list(connection.execute(query).scalars())


def test_asvs_6_3_the_first_administrator_comes_in_by_a_link(
    tickets: TicketStore, people: PeopleStore, passwords: PasswordStore, record: Record
) -> None:
    """There is no default account; the link makes one, with a password of its own."""
    assert people.people() == ()
    secret = tickets.issue_administrator(SYSTEM)
    assert tickets.look(secret).purpose is Purpose.ADMINISTRATOR
    boss = tickets.redeem_administrator(secret, " Grace ", "Grace Hopper", GOOD)
    assert (boss.subject, boss.name) == ("grace", "Grace Hopper")
    principal = people.principal(boss.id, "password")
    assert decide(principal, Permission.PLATFORM_OPERATE, None, START).allowed
    assert passwords.verify(boss.id, GOOD)
    assert acts(record) == [
        "ticket.issued",
        "person.created",
        "ticket.used",
        "password.set",
        "role.granted",
    ]
    with pytest.raises(LastAdministrator):
        people.suspend(SYSTEM, boss.id)


def test_a_link_is_kept_as_a_digest(tickets: TicketStore, record: Record) -> None:
    """256 random bits that neither the record nor the trail holds."""
    secret = tickets.issue_administrator(SYSTEM)
    assert len(secret) == 43
    with record.read() as connection:
        kept = connection.execute(select(table.c.id)).scalar_one()
        bodies = connection.execute(select(audit_leaves.c.body)).scalars().all()
    assert kept != secret
    assert not any(secret in body for body in bodies)


def test_a_link_works_once(tickets: TicketStore, people: PeopleStore, record: Record) -> None:
    """The second use changes nothing."""
    secret = tickets.issue_administrator(SYSTEM)
    tickets.redeem_administrator(secret, "grace", "Grace", GOOD)
    before = acts(record)
    with pytest.raises(TicketRefused):
        tickets.redeem_administrator(secret, "eve", "Eve", GOOD)
    with pytest.raises(TicketRefused):
        tickets.look(secret)
    assert [person.subject for person in people.people()] == ["grace"]
    assert acts(record) == before


def test_of_two_who_redeem_a_link_at_the_same_time_one_does(
    tickets: TicketStore, people: PeopleStore
) -> None:
    """On both databases."""
    secret = tickets.issue_administrator(SYSTEM)
    start, refused = Barrier(2), []

    def redeem(username: str) -> None:
        start.wait()
        try:
            tickets.redeem_administrator(secret, username, "Somebody", GOOD)
        except TicketRefused as error:
            refused.append(error)

    threads = [Thread(target=redeem, args=(name,)) for name in ("ada", "eve")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    assert len(people.people()) == 1


def test_asvs_6_3_no_link_while_there_is_an_administrator(
    tickets: TicketStore, people: PeopleStore, ada: Person, record: Record
) -> None:
    """Neither a new one, nor an old one that was left over."""
    secret = tickets.issue_administrator(SYSTEM)
    people.grant(SYSTEM, ada.id, Role.ADMINISTRATOR, None)
    before = acts(record)
    with pytest.raises(IllegalTransition):
        tickets.issue_administrator(SYSTEM)
    with pytest.raises(TicketRefused):
        tickets.redeem_administrator(secret, "eve", "Eve", GOOD)
    assert people.people() == (people.person(ada.id),)
    assert acts(record) == before


def test_a_newer_link_makes_the_older_worthless(
    tickets: TicketStore, people: PeopleStore, ada: Person
) -> None:
    """For the administrator and, person by person, for passwords."""
    grace = people.create(SYSTEM, "Grace", "grace")
    first, second = (tickets.issue_administrator(SYSTEM) for _ in range(2))
    hers = tickets.issue_password(SYSTEM, ada.id)
    other = tickets.issue_password(SYSTEM, grace.id)
    newer = tickets.issue_password(SYSTEM, ada.id)
    for dead in (first, hers):
        with pytest.raises(TicketRefused):
            tickets.look(dead)
    for live in (second, other, newer):
        assert tickets.look(live)


@pytest.mark.parametrize(
    ("purpose", "hours"), [(Purpose.ADMINISTRATOR, 24), (Purpose.PASSWORD, 72)]
)
def test_a_link_expires(
    tickets: TicketStore,
    ada: Person,
    passwords: PasswordStore,
    watch: Watch,
    record: Record,
    purpose: Purpose,
    hours: int,
) -> None:
    """To the second; the sweep takes it away then, and not before."""
    is_first = purpose is Purpose.ADMINISTRATOR
    secret = (
        tickets.issue_administrator(SYSTEM) if is_first else tickets.issue_password(SYSTEM, ada.id)
    )
    watch.now = START + timedelta(hours=hours, seconds=-1)
    assert tickets.look(secret).purpose is purpose
    assert tickets.sweep() == 0
    watch.now += timedelta(seconds=1)
    before = acts(record)
    with pytest.raises(TicketRefused):
        if is_first:
            tickets.redeem_administrator(secret, "eve", "Eve", OTHER)
        else:
            tickets.redeem_password(secret, OTHER)
    assert passwords.verify(ada.id, GOOD)
    assert acts(record) == before
    assert tickets.sweep() == 1


def test_what_is_refused_does_not_use_the_link_up(
    tickets: TicketStore, people: PeopleStore, ada: Person, record: Record
) -> None:
    """A weak password or a taken name can be corrected on the same page."""
    secret = tickets.issue_administrator(SYSTEM)
    before = acts(record)
    with pytest.raises(PasswordRefused):
        tickets.redeem_administrator(secret, "grace", "Grace", "short")
    with pytest.raises(PasswordRefused):
        tickets.redeem_administrator(secret, "grace.hopper", "Grace", "grace.hopper.123")
    with pytest.raises(InvalidName):
        tickets.redeem_administrator(secret, "gr ace", "Grace", GOOD)
    with pytest.raises(PersonExists):
        tickets.redeem_administrator(secret, "ada", "Another", GOOD)
    assert people.people() == (ada,)
    assert acts(record) == before
    assert tickets.redeem_administrator(secret, "grace", "Grace", GOOD)


def test_a_password_is_set_by_a_link_and_sessions_end(
    tickets: TicketStore,
    passwords: PasswordStore,
    ada: Person,
    record: Record,
    settings: GovernanceSettings,
) -> None:
    """Whoever had the old password is out."""
    sessions = SessionStore(record, settings, b"k" * 32)
    token = sessions.start(SYSTEM, ada.id, "password", "B", START)
    secret = tickets.issue_password(SYSTEM, ada.id)
    assert tickets.look(secret).person_id == ada.id
    with pytest.raises(PasswordRefused):
        tickets.redeem_password(secret, "short")
    assert tickets.redeem_password(secret, OTHER).id == ada.id
    assert passwords.verify(ada.id, OTHER)
    assert not passwords.verify(ada.id, GOOD)
    assert sessions.find(token, START) is None
    with pytest.raises(TicketRefused):
        tickets.redeem_password(secret, GOOD)
    assert passwords.verify(ada.id, OTHER)
    assert acts(record)[-2:] == ["ticket.used", "password.set"]


def test_a_link_is_good_for_its_purpose_only(
    tickets: TicketStore, people: PeopleStore, passwords: PasswordStore, ada: Person
) -> None:
    """One for a password makes no administrator, and the other way round; nor does a guess."""
    first, hers = tickets.issue_administrator(SYSTEM), tickets.issue_password(SYSTEM, ada.id)
    for secret in (hers, "", "x" * 43, "\ud800", "a\x00", hers + "x"):
        with pytest.raises(TicketRefused):
            tickets.redeem_administrator(secret, "eve", "Eve", OTHER)
    for secret in (first, "", "x" * 10_000):
        with pytest.raises(TicketRefused):
            tickets.redeem_password(secret, OTHER)
    assert not people.has_administrator()
    assert passwords.verify(ada.id, GOOD)


def test_a_link_goes_only_to_who_signs_in_here(
    tickets: TicketStore, people: PeopleStore, ada: Person, record: Record
) -> None:
    """Not to a provider's people, the suspended, the expired or nobody."""
    theirs = people.create_identity(SYSTEM, "https://idp.example", "oda", "Oda")
    gone = people.create(SYSTEM, "Gone", "gone", expires_at=START)
    secret = tickets.issue_password(SYSTEM, ada.id)
    people.suspend(SYSTEM, ada.id)
    before = acts(record)
    for person in (theirs, gone, ada):
        with pytest.raises(IllegalTransition):
            tickets.issue_password(SYSTEM, person.id)
    with pytest.raises(NotFound):
        tickets.issue_password(SYSTEM, "nobody")
    with pytest.raises(TicketRefused):
        tickets.redeem_password(secret, OTHER)
    assert acts(record) == before


def by(person: Person) -> Actor:
    return Actor(person.issuer, person.subject, "password", person.id)


def refused(tickets: TicketStore, passwords: PasswordStore, person: Person, secret: str) -> bool:
    """Whether the link does nothing."""
    with pytest.raises(TicketRefused):
        tickets.redeem_password(secret, "a password of somebody else")
    return not passwords.verify(person.id, "a password of somebody else")


def test_a_link_ends_with_a_new_password_and_with_a_suspension(
    tickets: TicketStore, passwords: PasswordStore, people: PeopleStore, ada: Person
) -> None:
    """However it was set; and a link from before a suspension stays dead after it."""
    secret = tickets.issue_password(SYSTEM, ada.id)
    passwords.set_password(SYSTEM, ada.id, OTHER)
    assert refused(tickets, passwords, ada, secret)
    secret = tickets.issue_password(SYSTEM, ada.id)
    people.suspend(SYSTEM, ada.id)
    people.restore(SYSTEM, ada.id)
    assert refused(tickets, passwords, ada, secret)
    assert passwords.verify(ada.id, OTHER)


def test_a_link_is_worth_no_more_than_its_issuer_may(
    tickets: TicketStore,
    passwords: PasswordStore,
    people: PeopleStore,
    ada: Person,
    record: Record,
    settings: GovernanceSettings,
) -> None:
    """It opens no role that came later and is not theirs to manage, nor outlives their own."""
    chief = people.create(SYSTEM, "Chief", "chief")
    department = PolicyStore(record, settings).create_department(SYSTEM, "wards").id
    held = people.grant(SYSTEM, chief.id, Role.DEPARTMENT_ADMINISTRATOR, department)
    people.grant(SYSTEM, ada.id, Role.STAFF, department)
    secret = tickets.issue_password(by(chief), ada.id)
    risen = people.grant(SYSTEM, ada.id, Role.APPROVER, department)
    assert refused(tickets, passwords, ada, secret)
    people.withdraw(SYSTEM, risen.id)
    people.withdraw(SYSTEM, held.id)
    assert refused(tickets, passwords, ada, secret)
    people.grant(SYSTEM, chief.id, Role.DEPARTMENT_ADMINISTRATOR, department)
    people.suspend(SYSTEM, chief.id)
    assert refused(tickets, passwords, ada, secret)
    people.restore(SYSTEM, chief.id)
    assert tickets.redeem_password(secret, OTHER).id == ada.id


def test_aut_4_whoever_must_wait_comes_in_by_a_link(
    tickets: TicketStore,
    people: PeopleStore,
    passwords: PasswordStore,
    throttle: Throttle,
    ada: Person,
    record: Record,
    settings: GovernanceSettings,
) -> None:
    """Somebody else's guesses lock nobody out for good."""
    for number in range(100):
        moment = START + timedelta(hours=number)
        throttle.admit("ada", f"10.0.0.{number}", moment - timedelta(hours=100))
    assert throttle.admit("ada", "10.1.0.1", START) is Admission.CHECK
    assert throttle.admit("ada", "10.1.0.2", START) is not Admission.CHECK
    tickets.redeem_password(tickets.issue_password(SYSTEM, ada.id), OTHER)
    sessions = SessionStore(record, settings, b"k" * 32)
    desk = SignIn(record, people, passwords, sessions, throttle)
    assert desk.sign_in("ada", OTHER, "10.1.0.3", "Firefox", START)


def test_hip_7_while_passwords_are_off_links_come_from_the_owner_alone(
    tickets: TicketStore,
    people: PeopleStore,
    passwords: PasswordStore,
    throttle: Throttle,
    ada: Person,
    record: Record,
    watch: Watch,
) -> None:
    """An administrator's are refused, older ones too; the owner's still let somebody in."""
    chief = people.create(SYSTEM, "Chief", "chief")
    people.grant(SYSTEM, chief.id, Role.ADMINISTRATOR, None)
    closed = TicketStore(record, people, passwords, throttle, watch, passwords_on=False)
    older = tickets.issue_password(by(chief), ada.id)
    assert refused(closed, passwords, ada, older)
    before = acts(record)
    with pytest.raises(PasswordsOff):
        closed.issue_password(by(chief), ada.id)
    assert acts(record) == before
    owner = Actor("local", "owner", "socket")
    assert closed.redeem_password(closed.issue_password(owner, ada.id), OTHER).id == ada.id


def test_hip_7_while_passwords_are_off_there_can_be_a_first_administrator(
    people: PeopleStore,
    passwords: PasswordStore,
    throttle: Throttle,
    record: Record,
    watch: Watch,
) -> None:
    """Or nobody could ever say who is one."""
    closed = TicketStore(record, people, passwords, throttle, watch, passwords_on=False)
    secret = closed.issue_administrator(SYSTEM)
    boss = closed.redeem_administrator(secret, "grace", "Grace Hopper", GOOD)
    assert people.person(boss.id).grants
