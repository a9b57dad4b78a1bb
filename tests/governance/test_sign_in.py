"""Signing in by password: one message for every refusal, and a bound on guessing."""

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from governance.config import GovernanceSettings
from governance.errors import IllegalTransition, PasswordRefused, PasswordsOff, SignInRefused
from governance.events import SYSTEM, Actor
from governance.passwords import PasswordStore
from governance.people import PeopleStore, Person
from governance.record.database import Record
from governance.record.trail_tables import audit_leaves
from governance.sessions import Session, SessionStore
from governance.sign_in import SignIn
from governance.testing_clock import START
from governance.throttle import Throttle

NOW = START
SECOND = timedelta(seconds=1)
GOOD, OTHER = "violet tractor hums at noon", "seven copper kites over the mill"


@pytest.fixture
def passwords(record: Record, settings: GovernanceSettings) -> PasswordStore:
    return PasswordStore(record, replace(settings, argon2_memory_kib=64, argon2_rounds=1))


@pytest.fixture
def desk(
    record: Record, people: PeopleStore, passwords: PasswordStore, sessions: SessionStore
) -> SignIn:
    return SignIn(record, people, passwords, sessions, Throttle(record, b"k" * 32))


@pytest.fixture
def ada(people: PeopleStore, passwords: PasswordStore) -> Person:
    person = people.create(SYSTEM, "Ada", "ada")
    passwords.set_password(SYSTEM, person.id, GOOD)
    return person


def bodies(record: Record, action: str) -> list[str]:
    with record.read() as connection:
        query = select(audit_leaves.c.body).where(audit_leaves.c.action == action)
        return list(connection.execute(query.order_by(audit_leaves.c.seq)).scalars())


def enter(desk: SignIn, sessions: SessionStore, now: datetime = NOW) -> tuple[str, Session]:
    token = desk.sign_in("ada", GOOD, "10.0.0.1", "Firefox", now)
    found = sessions.find(token, now)
    assert found is not None
    return token, found


def test_the_right_name_and_password_open_a_session(
    desk: SignIn, sessions: SessionStore, ada: Person, record: Record
) -> None:
    """In any case of the name; a new token each time."""
    tokens = {desk.sign_in(name, GOOD, "10.0.0.1", "Firefox", NOW) for name in ("ada", " ADA ")}
    assert len(tokens) == 2
    found = [sessions.find(token, NOW) for token in tokens]
    assert all(one is not None and one.person_id == ada.id for one in found)
    assert len(bodies(record, "session.started")) == 2
    assert bodies(record, "session.refused") == []


def test_a_password_that_is_replaced_while_it_is_checked_opens_nothing(
    desk: SignIn,
    sessions: SessionStore,
    passwords: PasswordStore,
    ada: Person,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The check takes a while; whoever has the old one must not slip in behind a new one."""
    slow, newer = passwords.verify, "seven copper kites over the mill"

    def overtaken(person_id: str | None, password: str) -> bool:
        is_right = slow(person_id, password)
        passwords.set_password(SYSTEM, ada.id, newer)
        return is_right

    monkeypatch.setattr(passwords, "verify", overtaken)
    with pytest.raises(SignInRefused):
        desk.sign_in("ada", GOOD, "10.0.0.1", "Firefox", NOW)
    assert sessions.sessions_of(ada.id, NOW) == ()
    monkeypatch.undo()
    session = sessions.find(desk.sign_in("ada", newer, "10.0.0.1", "Firefox", NOW), NOW)
    assert session is not None
    monkeypatch.setattr(passwords, "verify", overtaken)
    with pytest.raises(SignInRefused):
        desk.change_password(
            SYSTEM, session, newer, "three red kites above a hill", "10.0.0.1", NOW
        )
    monkeypatch.undo()
    assert passwords.verify(ada.id, newer)


def test_aut_4_every_refusal_says_the_same(
    desk: SignIn, people: PeopleStore, passwords: PasswordStore, ada: Person, record: Record
) -> None:
    """Wrong, unknown, without a password, suspended, expired, impossible: one message."""
    people.create(SYSTEM, "New", "new")
    people.create_identity(SYSTEM, "https://idp.example", "oda", "Oda")
    gone = people.create(SYSTEM, "Gone", "gone", expires_at=NOW)
    out = people.create(SYSTEM, "Out", "out")
    for person in (gone, out):
        passwords.set_password(SYSTEM, person.id, GOOD)
    people.suspend(SYSTEM, out.id)
    told = set()
    names = ["ada", "nobody", "new", "oda", "gone", "out", "", "a\x00", "\ud800", "x" * 10_000]
    for number, name in enumerate(names):
        password = OTHER if name == "ada" else GOOD
        with pytest.raises(SignInRefused) as caught:
            desk.sign_in(name, password, f"10.0.0.{number}", "Firefox", NOW)
        told.add((caught.value.message, caught.value.hint))
    assert len(told) == 1
    assert len(bodies(record, "session.refused")) == len(names)
    assert bodies(record, "session.started") == []


def test_aut_4_the_message_of_a_throttled_account_is_the_same(desk: SignIn, ada: Person) -> None:
    """Whoever waits is not told whether the account is there."""
    told = set()
    for name in ("ada", "nobody"):
        for number in range(12):
            with pytest.raises(SignInRefused) as caught:
                desk.sign_in(name, OTHER, f"10.0.0.{number}", "Firefox", NOW)
            told.add((caught.value.message, caught.value.hint))
    assert len(told) == 1


def test_hip_1_the_trail_names_no_unknown_account(
    desk: SignIn, ada: Person, record: Record
) -> None:
    """People type passwords into the field for the name; the trail has keyed hashes."""
    for name in (GOOD, "ada"):
        with pytest.raises(SignInRefused):
            desk.sign_in(name, OTHER, "10.0.0.1", "Firefox", NOW)
    text = " ".join(bodies(record, "session.refused"))
    assert GOOD not in text
    assert OTHER not in text
    assert "10.0.0.1" not in text
    assert ada.id not in json.loads(bodies(record, "session.refused")[0])
    with record.read() as connection:
        query = select(audit_leaves.c.object_id).where(audit_leaves.c.action == "session.refused")
        assert list(connection.execute(query.order_by(audit_leaves.c.seq)).scalars()) == [
            None,
            ada.id,
        ]


def test_aut_4_of_a_thousand_guesses_at_most_twenty_reach_the_password(
    desk: SignIn, passwords: PasswordStore, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One a second; the right password among them, once the waits are long, opens nothing."""
    checked = []
    real = passwords.verify

    def counting(person_id: str | None, password: str) -> bool:
        checked.append(password)
        return real(person_id, password)

    monkeypatch.setattr(passwords, "verify", counting)
    for number in range(1_000):
        guess = GOOD if number == 998 else f"guess {number}"
        with pytest.raises(SignInRefused):
            desk.sign_in("ada", guess, f"10.0.{number % 200}.1", "Firefox", NOW + number * SECOND)
    assert 5 <= len(checked) <= 20


def test_aut_4_the_right_password_makes_the_count_new(desk: SignIn, ada: Person) -> None:
    """Four typos a day keep nobody out."""
    for _ in range(5):
        for number in range(4):
            with pytest.raises(SignInRefused):
                desk.sign_in("ada", OTHER, f"10.0.0.{number}", "Firefox", NOW)
        assert desk.sign_in("ada", GOOD, "10.0.0.9", "Firefox", NOW)


def test_aut_5_the_browsers_old_session_ends(
    desk: SignIn, sessions: SessionStore, ada: Person
) -> None:
    """A sign-in replaces the token that the browser had."""
    old, _ = enter(desk, sessions)
    new = desk.sign_in("ada", GOOD, "10.0.0.1", "Firefox", NOW, replaces=old)
    assert sessions.find(old, NOW) is None
    assert sessions.find(new, NOW)


def test_a_locked_session_needs_its_persons_password(
    desk: SignIn, sessions: SessionStore, ada: Person
) -> None:
    """A wrong one leaves it locked; the right one opens it under a new token."""
    token, session = enter(desk, sessions)
    with pytest.raises(IllegalTransition):
        desk.unlock(session, GOOD, "10.0.0.1", NOW)
    sessions.lock(SYSTEM, session.id)
    with pytest.raises(SignInRefused):
        desk.unlock(session, OTHER, "10.0.0.1", NOW)
    locked = sessions.find(token, NOW)
    assert locked is not None
    assert locked.locked
    fresh = sessions.find(desk.unlock(session, GOOD, "10.0.0.1", NOW), NOW)
    assert fresh is not None
    assert not fresh.locked
    assert sessions.find(token, NOW) is None


def test_aut_4_a_locked_session_is_no_way_around_the_waits(
    desk: SignIn, sessions: SessionStore, ada: Person
) -> None:
    """Guesses at the lock and at the sign-in are counted together."""
    _, session = enter(desk, sessions)
    sessions.lock(SYSTEM, session.id)
    for number in range(5):
        with pytest.raises(SignInRefused):
            desk.unlock(session, OTHER, f"10.0.0.{number}", NOW)
    with pytest.raises(SignInRefused):
        desk.unlock(session, GOOD, "10.0.0.9", NOW)
    with pytest.raises(SignInRefused):
        desk.sign_in("ada", GOOD, "10.0.0.9", "Firefox", NOW)
    assert desk.unlock(session, GOOD, "10.0.0.9", NOW + 2 * SECOND)


def test_hip_10_a_session_of_the_suspended_does_not_unlock(
    desk: SignIn, sessions: SessionStore, people: PeopleStore, ada: Person
) -> None:
    """The right password is not enough."""
    _, session = enter(desk, sessions)
    sessions.lock(SYSTEM, session.id)
    people.suspend(SYSTEM, ada.id)
    with pytest.raises(SignInRefused):
        desk.unlock(session, GOOD, "10.0.0.1", NOW)


def test_a_new_password_needs_the_old_one(
    desk: SignIn, sessions: SessionStore, passwords: PasswordStore, ada: Person
) -> None:
    """Wrong, the same again and too easy are refused; then the other sessions end."""
    here, session = enter(desk, sessions)
    there, _ = enter(desk, sessions)
    her = Actor("local", "ada", "password", ada.id)
    with pytest.raises(SignInRefused):
        desk.change_password(her, session, OTHER, OTHER, "10.0.0.1", NOW)
    for weak in (GOOD, "short"):
        with pytest.raises(PasswordRefused):
            desk.change_password(her, session, GOOD, weak, "10.0.0.1", NOW)
    assert passwords.verify(ada.id, GOOD)
    assert sessions.find(there, NOW)
    desk.change_password(her, session, GOOD, OTHER, "10.0.0.1", NOW)
    assert passwords.verify(ada.id, OTHER)
    assert not passwords.verify(ada.id, GOOD)
    assert sessions.find(here, NOW)
    assert sessions.find(there, NOW) is None


def test_hip_7_while_passwords_are_off_none_is_looked_at(
    record: Record,
    people: PeopleStore,
    passwords: PasswordStore,
    sessions: SessionStore,
    desk: SignIn,
    ada: Person,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither to sign in, to unlock nor to choose another; and no wait comes of trying."""
    _, held = enter(desk, sessions)
    throttle = Throttle(record, b"k" * 32)
    closed = SignIn(record, people, passwords, sessions, throttle, passwords_on=False)
    checked: list[str] = []
    monkeypatch.setattr(passwords, "verify", lambda *_: checked.append("looked"))
    actor = Actor("local", "ada", "password", ada.id)
    sessions.lock(actor, held.id)
    for _ in range(20):
        with pytest.raises(PasswordsOff):
            closed.sign_in("ada", GOOD, "10.0.0.1", "Firefox", NOW)
        with pytest.raises(PasswordsOff):
            closed.unlock(held, GOOD, "10.0.0.1", NOW)
        with pytest.raises(PasswordsOff):
            closed.change_password(actor, held, GOOD, OTHER, "10.0.0.1", NOW)
    assert checked == []
    monkeypatch.undo()
    assert [one.locked for one in sessions.sessions_of(ada.id, NOW)] == [True]
    assert desk.sign_in("ada", GOOD, "10.0.0.1", "Firefox", NOW)
