"""Passwords: what is refused, how they are kept, and that an unknown person costs the same."""

import hashlib
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from governance.breach_list import BreachList
from governance.config import GovernanceSettings
from governance.errors import BreachListUnreadable, NotFound, PasswordRefused
from governance.events import SYSTEM
from governance.password_policy import MAX_CHARS, fault_of, normalised
from governance.passwords import PasswordStore
from governance.people import PeopleStore, Person
from governance.permissions import Role
from governance.policies import Department
from governance.record.database import Record
from governance.record.people_tables import passwords as table
from governance.record.trail_tables import audit_leaves
from governance.sessions import SessionStore, digest_of

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
GOOD = "violet tractor hums at noon"


@pytest.fixture
def cheap(settings: GovernanceSettings) -> GovernanceSettings:
    """The same work for everybody, but little of it."""
    return replace(settings, argon2_memory_kib=64, argon2_rounds=1)


@pytest.fixture
def passwords(record: Record, cheap: GovernanceSettings) -> PasswordStore:
    return PasswordStore(record, cheap, lambda: NOW)


@pytest.fixture
def ada(record: Record) -> Person:
    return PeopleStore(record).create(SYSTEM, "Ada Lovelace", "ada.lovelace")


def stored(record: Record) -> list[str]:
    with record.read() as connection:
        return [row.hash for row in connection.execute(select(table.c.hash))]


def actions(record: Record) -> list[str]:
    with record.read() as connection:
        query = select(audit_leaves.c.action).order_by(audit_leaves.c.seq)
        return [row.action for row in connection.execute(query)]


@pytest.mark.parametrize(
    "password",
    [
        GOOD,
        "vTq7-Lm2k-99xP-aa",
        "グレープフルーツは朝に食べると美味しい",
        "🦊🌊🎻🪁🧭🥁🪵🧲🛶🪴🧩🪺🎈🦔🌶",
        "ein gruener Traktor brummt am Mittag",
        "a" * 0 + "zebra-quince-lantern-mosaic-" * 1 + "w" * 3,
    ],
)
def test_asvs_6_2_any_long_password_of_ones_own_is_taken(password: str) -> None:
    """No capital, no digit and no sign is asked for, and every script is welcome."""
    assert fault_of(normalised(password)) is None


@pytest.mark.parametrize(
    "password",
    [
        "",
        "short",
        "fourteen chars",
        "v" * 129,
        "passwordpassword",
        "Password1234567",
        "P@ssw0rd P@ssw0rd",
        "correct horse battery staple",
        "CorrectHorseBatteryStaple1",
        "aaaaaaaaaaaaaaaaaaaa",
        "abababababababababab",
        "winter2026winter2026",
        "abcdefghijklmnopqrst",
        "zyxwvutsrqponmlkjihg",
        "qwertyuiopasdfghjkl",
        "1qaz2wsx3edc4rfv",
        "123456789012345678",
        "lamplight lamplight 1",
        "lamplight-hospital-1",
        "welcome hospital admin",
        "ada.lovelace.2026",
        "cardiology ward 12",
        "AdaLovelaceCardiology",
        "violet tractor\x00hums at noon",
        "violet tractor \ud800 hums at noon",
    ],
)
def test_asvs_6_2_what_is_easy_to_guess_is_refused(password: str) -> None:
    """Short, well-known, repeated, in sequence, or made of the words around it."""
    assert fault_of(normalised(password), ("ada.lovelace", "Ada Lovelace", "Cardiology"))


@given(st.text(max_size=200))
def test_asvs_6_2_the_policy_answers_for_every_text(text: str) -> None:
    """No text makes it stumble, and none outside the lengths passes."""
    password = normalised(text)
    fault = fault_of(password, ("ada", text[:20]))
    assert fault or 15 <= len(password) <= MAX_CHARS


def test_asvs_6_2_a_password_is_kept_as_argon2id_only(
    passwords: PasswordStore, ada: Person, record: Record
) -> None:
    """The record holds a salted hash and the trail the act alone."""
    assert not passwords.has_password(ada.id)
    passwords.set_password(SYSTEM, ada.id, GOOD)
    first = stored(record)
    assert first[0].startswith("$argon2id$")
    passwords.set_password(SYSTEM, ada.id, GOOD)
    assert stored(record) != first
    assert passwords.has_password(ada.id)
    assert actions(record)[1:] == ["password.set", "password.set"]
    with record.read() as connection:
        bodies = connection.execute(select(audit_leaves.c.body)).scalars().all()
    assert not any(GOOD in body or first[0] in body for body in bodies)


def test_the_usual_work_is_that_of_the_guideline(settings: GovernanceSettings) -> None:
    """19 MiB, two rounds, one lane."""
    assert (settings.argon2_memory_kib, settings.argon2_rounds) == (19_456, 2)


def test_only_the_password_is_right(passwords: PasswordStore, ada: Person) -> None:
    """Case and every character count; two ways to write one character are one."""
    passwords.set_password(SYSTEM, ada.id, "Café " + GOOD)
    assert passwords.verify(ada.id, "Café " + GOOD)
    assert passwords.verify(ada.id, unicodedata.normalize("NFD", "Café " + GOOD))
    for wrong in ("café " + GOOD, GOOD, "", "x" * 10_000, "\ud800" * 20, "a\x00b"):
        assert not passwords.verify(ada.id, wrong)


def test_asvs_6_2_nothing_is_cut_off(passwords: PasswordStore, ada: Person) -> None:
    """The longest password counts to its last character, and one more is wrong."""
    longest = "".join(chr(0x4E00 + number) for number in range(MAX_CHARS))
    passwords.set_password(SYSTEM, ada.id, longest)
    assert passwords.verify(ada.id, longest)
    assert not passwords.verify(ada.id, longest[:-1])
    assert not passwords.verify(ada.id, longest + "x")


def test_aut_4_an_unknown_person_costs_the_same_work(
    passwords: PasswordStore, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Known, unknown and without a password: each is one check with the same parameters."""
    checked: list[str] = []
    real = passwords._matches

    def counting(hashed: str, password: str) -> bool:
        checked.append(hashed.rsplit("$", 2)[0])
        return real(hashed, password)

    monkeypatch.setattr(passwords, "_matches", counting)
    assert not passwords.verify(None, GOOD)
    assert not passwords.verify(ada.id, GOOD)
    passwords.set_password(SYSTEM, ada.id, GOOD)
    assert passwords.verify(ada.id, GOOD)
    assert len(checked) == 3
    assert len(set(checked)) == 1
    assert not passwords.verify(None, "nobody's password")


def test_a_refused_password_leaves_the_old_one(
    passwords: PasswordStore, ada: Person, record: Record
) -> None:
    """Nothing is stored and nothing is recorded."""
    passwords.set_password(SYSTEM, ada.id, GOOD)
    before, acts = stored(record), actions(record)
    for bad in ("short", "ada.lovelace ada", "v" * 129, "v" * 5_000):
        with pytest.raises(PasswordRefused):
            passwords.set_password(SYSTEM, ada.id, bad)
    assert (stored(record), actions(record)) == (before, acts)
    assert passwords.verify(ada.id, GOOD)
    with pytest.raises(NotFound):
        passwords.set_password(SYSTEM, "nobody", GOOD)


def test_asvs_6_2_the_department_is_a_word_of_the_context(
    passwords: PasswordStore, ada: Person, record: Record, demo: Department
) -> None:
    """The name, the username and the departments of the person are looked for."""
    PeopleStore(record).grant(SYSTEM, ada.id, Role.STAFF, demo.id)
    assert set(passwords.context_of(ada.id)) == {"ada.lovelace", "Ada Lovelace", "demo"}


def test_asvs_7_a_new_password_ends_the_other_sessions(
    passwords: PasswordStore, ada: Person, record: Record, cheap: GovernanceSettings
) -> None:
    """The session in which it was changed goes on, if it is named."""
    sessions = SessionStore(record, cheap, b"k" * 32)
    here, there = (sessions.start(SYSTEM, ada.id, "password", "B", NOW) for _ in range(2))
    passwords.set_password(SYSTEM, ada.id, GOOD, keep_session=digest_of(here))
    assert sessions.find(here, NOW)
    assert sessions.find(there, NOW) is None
    passwords.set_password(SYSTEM, ada.id, GOOD)
    assert sessions.find(here, NOW) is None


def test_an_older_hash_is_renewed_at_the_next_right_password(
    passwords: PasswordStore, ada: Person, record: Record, cheap: GovernanceSettings
) -> None:
    """Stronger parameters reach everybody who signs in, and a wrong password renews nothing."""
    passwords.set_password(SYSTEM, ada.id, GOOD)
    before = stored(record)
    stronger = PasswordStore(record, replace(cheap, argon2_rounds=2), lambda: NOW)
    assert not stronger.verify(ada.id, "wrong")
    assert stored(record) == before
    assert stronger.verify(ada.id, GOOD)
    assert "t=2" in stored(record)[0]
    assert stronger.verify(ada.id, GOOD)


def test_asvs_6_2_a_list_of_leaked_passwords_is_asked(
    record: Record, cheap: GovernanceSettings, ada: Person, tmp_path: Path
) -> None:
    """An operator's list refuses what it holds, and a broken path is named."""
    path = tmp_path / "leaked.txt"
    path.write_text(f"other\n{GOOD}\n")
    store = PasswordStore(record, replace(cheap, breach_list_path=path))
    with pytest.raises(PasswordRefused, match="leaked"):
        store.set_password(SYSTEM, ada.id, GOOD)
    store.set_password(SYSTEM, ada.id, GOOD + "!")
    path.unlink()
    with pytest.raises(BreachListUnreadable):
        store.set_password(SYSTEM, ada.id, GOOD)


@pytest.mark.parametrize("ending", ["\n", "\r\n", ":17\n"])
@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_a_list_of_digests_is_searched_by_halves(tmp_path: Path, ending: str, size: int) -> None:
    """The first, the last and every other line is found, and what is between them is not."""
    leaked = [f"leaked password {number}" for number in range(size)]
    digests = sorted(hashlib.sha1(word.encode()).hexdigest().upper() for word in leaked)
    path = tmp_path / "digests.txt"
    path.write_bytes("".join(digest + ending for digest in digests).encode())
    breaches = BreachList(path)
    assert all(breaches.holds(word) for word in leaked)
    assert not any(breaches.holds(f"own password {number}") for number in range(50))


def test_an_empty_list_and_no_list_hold_nothing(tmp_path: Path) -> None:
    """Neither stands in anybody's way."""
    (tmp_path / "empty").touch()
    assert not BreachList(tmp_path / "empty").holds(GOOD)
    assert not BreachList(None).holds(GOOD)
