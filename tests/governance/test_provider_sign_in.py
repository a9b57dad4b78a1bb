"""AUT-1: whom the identity provider vouches for becomes a person with the roles of the groups."""

from datetime import UTC, datetime

import pytest

from governance.config import GovernanceSettings
from governance.errors import FlowRefused, SignInRefused, UnknownDepartment
from governance.events import SYSTEM, Actor
from governance.people import PeopleStore
from governance.permissions import Grant, Role
from governance.policies import Department
from governance.provider_sign_in import ProviderSignIn
from governance.record.database import Record
from governance.sessions import SessionStore

ISSUER = "https://idp.hospital.example"
NOW = datetime.now(UTC)


@pytest.fixture
def people(record: Record) -> PeopleStore:
    return PeopleStore(record)


@pytest.fixture
def sessions(record: Record, settings: GovernanceSettings) -> SessionStore:
    return SessionStore(record, settings, b"k" * 32)


@pytest.fixture
def sign_in(people: PeopleStore, sessions: SessionStore) -> ProviderSignIn:
    return ProviderSignIn(people, sessions)


def test_aut_1_a_new_person_has_no_role(sign_in: ProviderSignIn, sessions: SessionStore) -> None:
    """Known, signed in, and without any right."""
    let_in = sign_in.let_in(ISSUER, "ada", "Ada", (), "browser", NOW)
    assert (let_in.person.issuer, let_in.person.subject) == (ISSUER, "ada")
    assert let_in.person.grants == ()
    found = sessions.find(let_in.token, NOW)
    assert found is not None
    assert (found.person_id, found.auth) == (let_in.person.id, "oidc")
    assert let_in.token not in repr(let_in)


def test_aut_1_groups_are_followed_and_hands_are_not_touched(
    sign_in: ProviderSignIn, people: PeopleStore, demo: Department
) -> None:
    """What the provider gave it takes away; what an administrator gave stays."""
    editor = Grant(Role.EDITOR, demo.id)
    ada = sign_in.let_in(ISSUER, "ada", "Ada", (editor,), "browser", NOW).person
    people.grant(SYSTEM, ada.id, Role.STAFF, demo.id)
    assert {held.role for held in people.person(ada.id).grants} == {Role.EDITOR, Role.STAFF}
    again = sign_in.let_in(ISSUER, "ada", "Ada", (), "browser", NOW)
    assert again.person.id == ada.id
    assert [held.role for held in again.person.grants] == [Role.STAFF]


def test_aut_1_a_sign_in_replaces_the_session_of_this_browser(
    sign_in: ProviderSignIn, sessions: SessionStore
) -> None:
    """A token that somebody planted before is worth nothing afterwards."""
    first = sign_in.let_in(ISSUER, "ada", "Ada", (), "browser", NOW)
    second = sign_in.let_in(ISSUER, "ada", "Ada", (), "browser", NOW, replaces=first.token)
    assert sessions.find(first.token, NOW) is None
    assert sessions.find(second.token, NOW) is not None


def test_aut_6_who_is_suspended_is_refused_and_gets_no_role(
    sign_in: ProviderSignIn, people: PeopleStore, demo: Department
) -> None:
    """Nothing about them changes."""
    ada = sign_in.let_in(ISSUER, "ada", "Ada", (), "browser", NOW).person
    people.suspend(SYSTEM, ada.id)
    with pytest.raises(SignInRefused):
        sign_in.let_in(ISSUER, "ada", "Ada", (Grant(Role.EDITOR, demo.id),), "browser", NOW)
    assert people.person(ada.id).grants == ()


def test_a_role_in_a_department_that_is_gone_lets_nobody_in(
    sign_in: ProviderSignIn, sessions: SessionStore, people: PeopleStore
) -> None:
    """No session without the roles that belong to it."""
    with pytest.raises(UnknownDepartment):
        sign_in.let_in(ISSUER, "ada", "Ada", (Grant(Role.EDITOR, "gone"),), "browser", NOW)
    ada = people.by_identity(ISSUER, "ada")
    assert ada is not None
    assert sessions.sessions_of(ada.id, NOW) == ()


def test_aut_1_the_provider_ends_only_that_persons_sessions(
    sign_in: ProviderSignIn, sessions: SessionStore
) -> None:
    """Of the same subject at another provider, too, nothing ends."""
    for issuer, subject in (
        (ISSUER, "ada"),
        (ISSUER, "ada"),
        (ISSUER, "bob"),
        ("https://b", "ada"),
    ):
        last = sign_in.let_in(issuer, subject, subject, (), "browser", NOW)
    assert sign_in.let_go(ISSUER, "ada") == 2
    assert sign_in.let_go(ISSUER, "nobody") == 0
    assert sessions.find(last.token, NOW) is not None


def test_somebody_without_a_role_is_told_whom_to_ask(sign_in: ProviderSignIn) -> None:
    """Administrators by name, and nobody else."""
    sign_in.let_in(ISSUER, "ada", "Ada", (Grant(Role.ADMINISTRATOR, None),), "browser", NOW)
    sign_in.let_in(ISSUER, "bob", "Bob", (), "browser", NOW)
    assert sign_in.administrators() == ("Ada",)


def locked_by(sign_in: ProviderSignIn, sessions: SessionStore, subject: str) -> str:
    """The token of a session that this person locked."""
    let_in = sign_in.let_in(ISSUER, subject, subject, (), "browser", NOW)
    found = sessions.find(let_in.token, NOW)
    assert found is not None
    assert sign_in.locked_session(let_in.token, NOW) == ""
    sessions.lock(Actor(ISSUER, subject, "oidc", let_in.person.id), found.id)
    assert sign_in.locked_session(let_in.token, NOW) == found.id
    return let_in.token


def test_hip_3_whoever_locked_a_session_opens_it_again(
    sign_in: ProviderSignIn, sessions: SessionStore
) -> None:
    """The same session under a new token."""
    token = locked_by(sign_in, sessions, "ada")
    locked = sign_in.locked_session(token, NOW)
    again = sign_in.let_in(ISSUER, "ada", "Ada", (), "browser", NOW, token, locked)
    assert sessions.find(token, NOW) is None
    assert sign_in.locked_session(again.token, NOW) == ""
    assert len(sessions.sessions_of(again.person.id, NOW)) == 1


@pytest.mark.parametrize(
    ("issuer", "subject"),
    [(ISSUER, "bob"), (ISSUER, "new"), ("https://b", "ada"), ("local", "ada")],
)
def test_hip_3_nobody_else_opens_a_locked_session(
    sign_in: ProviderSignIn, sessions: SessionStore, people: PeopleStore, issuer: str, subject: str
) -> None:
    """Whether known or not: it stays as it is, and nobody new comes of it."""
    sign_in.let_in(ISSUER, "bob", "Bob", (), "browser", NOW)
    token = locked_by(sign_in, sessions, "ada")
    locked, had = sign_in.locked_session(token, NOW), people.people()
    with pytest.raises(FlowRefused, match="Another person locked"):
        sign_in.let_in(issuer, subject, subject, (), "browser", NOW, token, locked)
    assert sign_in.locked_session(token, NOW) == locked
    assert people.people() == had


@pytest.mark.parametrize("began_locked", ["", "b" * 64])
def test_hip_3_what_was_begun_before_the_lock_does_not_open_it(
    sign_in: ProviderSignIn, sessions: SessionStore, began_locked: str
) -> None:
    """The person may have signed in at the provider and left since."""
    token = locked_by(sign_in, sessions, "ada")
    with pytest.raises(FlowRefused, match="before this session was locked"):
        sign_in.let_in(ISSUER, "ada", "Ada", (), "browser", NOW, token, began_locked)
    assert sign_in.locked_session(token, NOW)


def test_hip_3_a_session_that_is_gone_is_not_locked(sign_in: ProviderSignIn) -> None:
    """Nor is none at all."""
    assert sign_in.locked_session(None, NOW) == ""
    assert sign_in.locked_session("unknown", NOW) == ""
