"""HIP-7: where an identity provider is set, passwords that are kept here let nobody in."""

import re
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
from starlette.testclient import TestClient

from governance.config import GovernanceSettings
from governance.events import SYSTEM, Actor
from governance.oidc_flows import OidcFlows
from governance.passwords import PasswordStore
from governance.provider_sign_in import ProviderSignIn
from governance.sessions import digest_of
from governance.sign_in import SignIn
from governance.throttle import Throttle
from governance.tickets import TicketStore
from web.app import create_app
from web.config import WebSettings
from web.parts import Platform, ProviderParts
from web.session_cookie import PLAIN_NAME
from web.testing import Site

PASSWORD = "harbour lantern violet tram"
FORM = {"username": "staff", "password": PASSWORD}
ISSUER, CLIENT = "https://idp.hospital.example", "lamplight"


def off(site: Site, local_passwords: bool | None) -> Platform:
    """The same platform with an identity provider."""
    shared, key = site.platform, b"k" * 32
    web = replace(
        shared.settings,
        oidc_issuer=ISSUER,
        oidc_client_id=CLIENT,
        local_passwords=local_passwords,
    )
    governance = GovernanceSettings(None, argon2_memory_kib=64, argon2_rounds=1)
    passwords = PasswordStore(shared.record, governance, shared.clock)
    parts = (shared.record, shared.people, passwords, shared.sessions, Throttle(shared.record, key))
    tickets = TicketStore(
        shared.record,
        shared.people,
        passwords,
        parts[4],
        shared.clock,
        passwords_on=web.passwords_on,
    )
    return replace(
        shared,
        settings=web,
        tickets=tickets,
        sign_in=SignIn(*parts, passwords_on=web.passwords_on),
        oidc=ProviderParts(
            OidcFlows(shared.record, key), ProviderSignIn(shared.people, shared.sessions)
        ),
    )


def client_of(platform: Platform) -> TestClient:
    return TestClient(create_app(platform), base_url="http://127.0.0.1", follow_redirects=False)


@pytest.fixture
def closed(site: Site) -> Iterator[TestClient]:
    with client_of(off(site, None)) as client:
        yield client


def become(site: Site, client: httpx.Client, who: str) -> str:
    """Give this client a session of this person; gives its id."""
    token = site.session(who)
    client.cookies.set(PLAIN_NAME, token)
    client.headers["X-CSRF-Token"] = site.csrf(token)
    return digest_of(token)


@pytest.mark.parametrize(
    ("issuer", "chosen", "on"),
    [
        (None, None, True),
        ("", None, True),
        (ISSUER, None, False),
        (ISSUER, True, True),
        (ISSUER, False, False),
        (None, False, False),
    ],
)
def test_hip_7_a_provider_switches_passwords_off(
    issuer: str | None, chosen: bool | None, on: bool
) -> None:
    """Unless the setting says otherwise."""
    assert WebSettings(oidc_issuer=issuer, local_passwords=chosen).passwords_on is on


def test_hip_7_the_sign_in_page_has_no_form_for_a_password(closed: TestClient) -> None:
    """Only the way to the provider."""
    page = closed.get("/sign-in").text
    assert 'href="/sign-in/oidc?' in page
    assert "Passwords are switched off here" in page
    assert 'type="password"' not in page


def test_hip_7_the_right_password_is_refused_by_name(closed: TestClient, site: Site) -> None:
    """As a wrong one is: nobody learns whether it is right."""
    had = site.platform.sessions.sessions_of(site.people["staff"], site.clock())
    for password in (PASSWORD, "wrong"):
        answer = closed.post("/sign-in", data={**FORM, "password": password})
        assert answer.status_code == 403
        assert "Passwords are switched off here" in answer.text
        assert PLAIN_NAME not in answer.cookies
    assert site.platform.sessions.sessions_of(site.people["staff"], site.clock()) == had


def test_hip_7_no_page_speaks_of_passwords(closed: TestClient, site: Site) -> None:
    """Neither one's own account, nor a person's, nor the form for a new one, nor the help."""
    become(site, closed, "administrator")
    person = site.people["staff"]
    for path in ("/account", f"/people/{person}", "/people/new", "/help"):
        text = closed.get(path).text
        assert "assword link" not in text, path
        assert "Change your password" not in text, path
        assert "With a password" not in text, path


def test_hip_7_a_password_unlocks_nothing(closed: TestClient, site: Site) -> None:
    """Neither by the page, which does not ask for it, nor by a request."""
    held = become(site, closed, "staff")
    site.platform.sessions.lock(Actor("local", "staff", "password", site.people["staff"]), held)
    page = closed.get("/unlock").text
    assert 'type="password"' not in page
    assert "cannot be unlocked" in page
    assert "Sign in as somebody else" in page
    assert closed.post("/unlock", data={"password": PASSWORD}).status_code == 403
    assert closed.get("/unlock").status_code == 200


def test_hip_7_an_administrator_makes_no_link(closed: TestClient, site: Site) -> None:
    """Not for somebody who is here, nor for somebody new, who is not added then."""
    become(site, closed, "administrator")
    had = len(site.platform.people.people())
    answer = closed.post(f"/people/{site.people['staff']}/link")
    assert answer.status_code == 403
    assert "Passwords are switched off here" in answer.text
    fields = {"name": "New Person", "username": "new-person-off"}
    assert closed.post("/people", data=fields).status_code == 403
    assert len(site.platform.people.people()) == had


def test_hip_7_the_owners_link_is_the_way_in_when_all_else_fails(
    closed: TestClient, site: Site
) -> None:
    """Whoever runs the server gives it to somebody, who is in at once."""
    made = site.platform.people.create(SYSTEM, "Grace Glass", "grace-glass")
    owner = Actor("local", "owner", "socket")
    path = f"/set-password/{off(site, None).tickets.issue_password(owner, made.id)}"
    new = "copper bicycle under snow"
    done = closed.post(path, data={"password": new, "again": new})
    assert (done.status_code, done.headers["Location"]) == (303, "/")
    assert "Grace Glass" in closed.get("/account").text
    again = closed.post("/sign-in", data={"username": "grace-glass", "password": new})
    assert again.status_code == 403


def test_hip_7_both_ways_stand_side_by_side_where_that_is_set(site: Site) -> None:
    """`web.local_passwords = true`."""
    with client_of(off(site, local_passwords=True)) as client:
        page = client.get("/sign-in").text
        assert 'href="/sign-in/oidc?' in page
        assert re.search(r"Or with a name and password", page)
        assert client.post("/sign-in", data=FORM).status_code == 303
