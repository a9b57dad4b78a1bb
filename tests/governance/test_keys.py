"""API keys: shown once, checked before the record is asked, never more than their owner."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from governance.errors import (
    IllegalTransition,
    InvalidKey,
    NotFound,
    OwnRights,
    UnknownDepartment,
)
from governance.events import SYSTEM, Actor
from governance.keys import ALPHABET, KEY_PATTERN, KeyStore, key_text, parsed
from governance.people import PeopleStore, Person
from governance.permissions import Permission, Role, decide
from governance.policies import Department, PolicyStore
from governance.record.database import Record
from governance.record.people_tables import api_keys
from governance.record.trail_tables import audit_leaves

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
MONTH = NOW + timedelta(days=30)
ASK = frozenset({Permission.POLICIES_ASK})


@pytest.fixture
def people(record: Record) -> PeopleStore:
    return PeopleStore(record, lambda: NOW)


@pytest.fixture
def keys(record: Record, people: PeopleStore) -> KeyStore:
    return KeyStore(record, people)


@pytest.fixture
def ada(people: PeopleStore, demo: Department) -> Person:
    person = people.create(SYSTEM, "Ada", "ada")
    people.grant(SYSTEM, person.id, Role.STAFF, demo.id)
    return people.person(person.id)


@pytest.fixture
def her(ada: Person) -> Actor:
    return Actor("local", "ada", "password", ada.id)


def rows(record: Record) -> int:
    with record.read() as connection:
        return len(connection.execute(select(api_keys.c.id)).all())


def acts(record: Record) -> list[str]:
    with record.read() as connection:
        query = select(audit_leaves.c.action).where(audit_leaves.c.action.like("key.%"))
        return list(connection.execute(query.order_by(audit_leaves.c.seq)).scalars())


def test_aut_3_a_key_is_shown_once_and_kept_as_a_digest(
    keys: KeyStore, ada: Person, her: Actor, demo: Department, record: Record
) -> None:
    """Its form is published for scanners; the record and the trail hold no secret."""
    key, text = keys.create(her, ada.id, "  ward   screen ", ASK, demo.id, MONTH, NOW)
    match = KEY_PATTERN.fullmatch(text)
    assert match is not None
    assert match[1] == key.id
    assert (key.name, key.scopes, key.department_id) == ("ward screen", ASK, demo.id)
    with record.read() as connection:
        kept = connection.execute(select(api_keys.c.digest)).scalar_one()
        bodies = connection.execute(select(audit_leaves.c.body)).scalars().all()
    assert kept == hashlib.sha256(match[2].encode()).hexdigest()
    assert not any(match[2] in body for body in bodies)
    assert acts(record) == ["key.created"]
    assert keys.keys_of(ada.id) == (key,)


def test_aut_3_a_key_speaks_for_its_owner_in_its_scopes_and_department(
    keys: KeyStore,
    people: PeopleStore,
    policies: PolicyStore,
    ada: Person,
    her: Actor,
    demo: Department,
) -> None:
    """What the owner may, and no more than the key says."""
    other = policies.create_department(SYSTEM, "other")
    people.grant(SYSTEM, ada.id, Role.STAFF, other.id)
    key, text = keys.create(her, ada.id, "k", ASK, demo.id, MONTH, NOW)
    principal = keys.principal_of(text, NOW)
    assert principal is not None
    assert (principal.person_id, principal.key_id, principal.auth) == (ada.id, key.id, "key")
    assert decide(principal, Permission.POLICIES_ASK, demo.id, NOW).allowed
    assert not decide(principal, Permission.POLICIES_SEARCH, demo.id, NOW).allowed
    assert not decide(principal, Permission.POLICIES_ASK, other.id, NOW).allowed
    assert not decide(principal, Permission.POLICIES_ASK, demo.id, MONTH).allowed


def test_owu_1_a_role_that_ended_ends_for_the_key(
    keys: KeyStore, people: PeopleStore, ada: Person, her: Actor, demo: Department
) -> None:
    """The owner's rights are those of the moment, not those of the key's making."""
    _, text = keys.create(her, ada.id, "k", ASK, None, MONTH, NOW)
    people.withdraw(SYSTEM, ada.grants[0].id)
    principal = keys.principal_of(text, NOW)
    assert principal is not None
    assert not decide(principal, Permission.POLICIES_ASK, demo.id, NOW).allowed


def test_key_2_a_key_of_the_suspended_or_expired_is_no_good(
    keys: KeyStore, people: PeopleStore, ada: Person, her: Actor, demo: Department
) -> None:
    """It stops with its owner and comes back with a restored one."""
    _, text = keys.create(her, ada.id, "k", ASK, demo.id, MONTH, NOW)
    people.suspend(SYSTEM, ada.id)
    assert keys.principal_of(text, NOW) is None
    people.restore(SYSTEM, ada.id)
    assert keys.principal_of(text, NOW)
    guest = people.create(SYSTEM, "Guest", "guest", expires_at=NOW + timedelta(days=1))
    people.grant(SYSTEM, guest.id, Role.STAFF, demo.id)
    _, text = keys.create(SYSTEM, guest.id, "k", ASK, demo.id, MONTH, NOW)
    assert keys.principal_of(text, NOW)
    assert keys.principal_of(text, NOW + timedelta(days=1)) is None


def test_aut_3_a_key_ends_at_its_time(
    keys: KeyStore, ada: Person, her: Actor, demo: Department
) -> None:
    """To the second."""
    _, text = keys.create(her, ada.id, "k", ASK, demo.id, MONTH, NOW)
    assert keys.principal_of(text, MONTH - timedelta(seconds=1))
    assert keys.principal_of(text, MONTH) is None


def test_aut_3_a_revoked_key_is_no_good_and_stays_so(
    keys: KeyStore, ada: Person, her: Actor, demo: Department, record: Record
) -> None:
    """Revoking twice is refused and recorded once."""
    key, text = keys.create(her, ada.id, "k", ASK, demo.id, MONTH, NOW)
    keys.revoke(her, key.id, NOW)
    assert keys.principal_of(text, NOW) is None
    assert keys.key(key.id).revoked_at == NOW
    with pytest.raises(IllegalTransition):
        keys.revoke(her, key.id, NOW + timedelta(days=1))
    with pytest.raises(NotFound):
        keys.revoke(her, "nothing", NOW)
    assert keys.key(key.id).revoked_at == NOW
    assert acts(record) == ["key.created", "key.revoked"]


def test_aut_3_a_typo_is_refused_without_the_record(
    people: PeopleStore, keys: KeyStore, ada: Person, her: Actor, demo: Department
) -> None:
    """Every single wrong character is caught by the checksum; a closed record is not missed."""
    _, text = keys.create(her, ada.id, "k", ASK, demo.id, MONTH, NOW)
    assert parsed(text)
    for place in range(len(text)):
        typo = text[:place] + ("x" if text[place] != "x" else "y") + text[place + 1 :]
        assert parsed(typo) is None
    nowhere = KeyStore(None, people)  # type: ignore[arg-type]
    for wrong in ("", "lmp_", text[:-1], text + "0", text + "\n", "x" * 10_000, "\ud800"):
        assert nowhere.principal_of(wrong, NOW) is None


@given(st.text(ALPHABET, min_size=12, max_size=12), st.text(ALPHABET, min_size=43, max_size=43))
def test_a_keys_text_gives_its_parts_back(key_id: str, secret: str) -> None:
    """Writing and reading are each other's reverse."""
    assert parsed(key_text(key_id, secret)) == (key_id, secret)


def test_aut_3_a_key_with_another_secret_or_id_is_no_good(
    keys: KeyStore, ada: Person, her: Actor, demo: Department
) -> None:
    """A right checksum alone opens nothing."""
    one, one_text = keys.create(her, ada.id, "k", ASK, demo.id, MONTH, NOW)
    two, _ = keys.create(her, ada.id, "k", ASK, demo.id, MONTH, NOW)
    parts = parsed(one_text)
    assert parts is not None
    for forged in (
        key_text(one.id, "0" * 43),
        key_text(two.id, parts[1]),
        key_text("0" * 12, parts[1]),
    ):
        assert parsed(forged)
        assert keys.principal_of(forged, NOW) is None


def test_last_use_is_written_at_most_once_a_minute(
    keys: KeyStore, ada: Person, her: Actor, demo: Department
) -> None:
    """And only by a use that was let in."""
    key, text = keys.create(her, ada.id, "k", ASK, demo.id, MONTH, NOW)
    keys.principal_of(key_text(key.id, "0" * 43), NOW)
    assert keys.key(key.id).last_used_at is None
    for second, written in ((0, 0), (59, 0), (60, 60), (61, 60)):
        keys.principal_of(text, NOW + timedelta(seconds=second))
        assert keys.key(key.id).last_used_at == NOW + timedelta(seconds=written)


def test_a_key_is_made_by_its_owner_and_by_no_key(
    keys: KeyStore, people: PeopleStore, ada: Person, her: Actor, demo: Department, record: Record
) -> None:
    """Else it would be a way to somebody else's rights, or to wider scopes."""
    grace = people.create(SYSTEM, "Grace", "grace")
    with pytest.raises(OwnRights):
        keys.create(
            Actor("local", "grace", "password", grace.id), ada.id, "k", ASK, None, MONTH, NOW
        )
    by_key = Actor("local", "ada", "key", ada.id, key_id="abc")
    with pytest.raises(OwnRights):
        keys.create(by_key, ada.id, "k", ASK, None, MONTH, NOW)
    assert rows(record) == 0
    assert acts(record) == []


def test_a_key_that_makes_no_sense_is_refused(
    keys: KeyStore, ada: Person, her: Actor, demo: Department, record: Record
) -> None:
    """No scope, more than the owner has, no name, too long a life, a wrong place."""
    more = frozenset({Permission.POLICIES_ASK, Permission.AUDIT_READ})
    year = NOW + timedelta(days=365)
    for name, scopes, place, end in (
        ("k", frozenset(), demo.id, MONTH),
        ("k", more, demo.id, MONTH),
        ("k", more, None, MONTH),
        ("k", ASK, "nowhere", MONTH),
        ("", ASK, demo.id, MONTH),
        ("k" * 81, ASK, demo.id, MONTH),
        ("k\x00", ASK, demo.id, MONTH),
        ("k", ASK, demo.id, NOW),
        ("k", ASK, demo.id, year + timedelta(seconds=1)),
    ):
        with pytest.raises((InvalidKey, UnknownDepartment)):
            keys.create(her, ada.id, name, scopes, place, end, NOW)
    with pytest.raises(NotFound):
        keys.create(SYSTEM, "nobody", "k", ASK, demo.id, MONTH, NOW)
    assert rows(record) == 0
    assert acts(record) == []
    assert keys.create(her, ada.id, "k", ASK, demo.id, year, NOW)
