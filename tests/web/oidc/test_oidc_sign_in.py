"""AUT-1: sign-in at a real identity provider, and who is let in with which roles."""

import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from governance.config import GovernanceSettings
from governance.events import SYSTEM
from governance.oidc_flows import OidcFlows
from governance.permissions import Role
from governance.policies import PolicyStore
from governance.record.database import Record
from lamplight.supervisor import free_port
from web.testing_oidc import (
    CLIENT,
    HOST,
    Issuer,
)
from web.testing_oidc_site import (
    FLOW,
    KEY,
    SESSION,
    Lamplight,
    begin,
    lamplight,
    refused,
    settings_for,
    sign_in,
)


@pytest.fixture(scope="module")
def real_provider() -> Iterator[str]:
    """`oidc-provider-mock`, an identity provider of somebody else's making, in its own process."""
    port = free_port(HOST)
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://{HOST}:{port}"
    with httpx.Client(trust_env=False) as client:
        end = time.monotonic() + 60
        while True:
            try:
                client.get(f"{url}/.well-known/openid-configuration")
                break
            except httpx.ConnectError:
                assert process.poll() is None
                assert time.monotonic() < end
                time.sleep(0.05)
    yield url
    process.terminate()
    process.wait(30)


def test_aut_1_a_real_provider_signs_a_person_in(
    real_provider: str, record: Record, governance: GovernanceSettings, tmp_path: Path
) -> None:
    """Start, the provider's own form, back: a session, the person, and the role of the group."""
    policies = PolicyStore(record, governance)
    ward = policies.create_department(SYSTEM, "Ward 7")
    secret = tmp_path / "secret"
    secret.write_text("from-a-file\n")
    web = settings_for(
        real_provider, oidc_group_roles="nurses=staff@Ward 7", oidc_client_secret_file=secret
    )
    with lamplight(record, governance, web) as site, site.browser() as browser:
        with httpx.Client(trust_env=False) as provider:
            claims = {"name": "Grace Hopper", "groups": ["nurses", "knitters"]}
            # It says so in no token of its own accord, but signs what it knows of a user.
            claims["auth_time"] = int(time.time())
            provider.put(f"{real_provider}/users/grace", json=claims).raise_for_status()
            start = browser.get("/sign-in/oidc?next=/search?q=vials")
            page = provider.post(start.headers["location"], data={"sub": "grace"})
        assert page.status_code == 302
        back = browser.get(page.headers["location"])
        assert (back.status_code, back.headers["location"]) == (303, "/search?q=vials")
        found = site.sessions.find(browser.cookies[SESSION], datetime.now(UTC))
        assert found is not None
        assert found.auth == "oidc"
        person = site.people.person(found.person_id)
        assert (person.issuer, person.subject) == (real_provider, "grace")
        assert person.name == "Grace Hopper"
        assert [(one.role, one.department_id) for one in person.grants] == [(Role.STAFF, ward.id)]
        [event] = site.events("session.started")
        assert event["actor"]["sub"] == "grace"
        assert site.events("session.refused") == []


def test_aut_1_the_provider_is_asked_as_it_must_be(site: Lamplight, issuer: Issuer) -> None:
    """Code flow, S256, state and nonce, and a new sign-in; nothing secret goes along."""
    with site.browser() as browser:
        answer = browser.get("/sign-in/oidc")
        address = urlsplit(answer.headers["location"])
        query = {name: one for name, [one] in parse_qs(address.query).items()}
        assert f"{address.scheme}://{address.netloc}{address.path}" == f"{issuer.url}/authorize"
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        assert query["client_id"] == CLIENT
        assert (query["prompt"], query["max_age"]) == ("login", "0")
        assert query["redirect_uri"] == f"{site.url}/sign-in/oidc/callback"
        assert set(query["scope"].split()) == {"openid", "profile", "email"}
        assert browser.cookies[FLOW] not in answer.headers["location"]
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert "Max-Age=600" in cookie


def test_aut_1_nothing_of_the_provider_reaches_the_browser(site: Lamplight, issuer: Issuer) -> None:
    """No token, in no header, cookie or page; the cookie of the way there is gone."""
    issuer.person["groups"] = ["pharmacists"]
    with site.browser() as browser:
        answer = sign_in(issuer, browser)
        assert answer.status_code == 303
        seen = f"{answer.headers} {answer.text}"
        assert "eyJ" not in seen
        assert FLOW not in browser.cookies
        assert SESSION in browser.cookies


def test_aut_1_without_a_role_people_are_told_whom_to_ask(site: Lamplight, issuer: Issuer) -> None:
    """By default a group gives nothing: the person is known, signed in, and may do nothing."""
    with site.browser() as browser:
        issuer.person = {"sub": "root", "name": "Mary Admin", "groups": ["it"]}
        assert sign_in(issuer, browser).status_code == 303
    with site.browser() as browser:
        issuer.person = {"sub": "bob", "name": "Bob <b>", "groups": ["unmapped"]}
        answer = sign_in(issuer, browser)
        assert answer.status_code == 200
        assert "no role yet" in answer.text
        assert "Mary Admin" in answer.text
        assert "Bob &lt;b&gt;" in answer.text
        assert SESSION in browser.cookies
    bob = site.people.by_identity(issuer.url, "bob")
    assert bob is not None
    assert bob.grants == ()


def test_aut_1_roles_follow_the_groups_at_each_sign_in(site: Lamplight, issuer: Issuer) -> None:
    """Who left a group loses its role; a role given by hand stays; nobody is made twice."""
    for groups, roles in (
        (["pharmacists", "it"], {Role.EDITOR, Role.ADMINISTRATOR}),
        (["pharmacists"], {Role.EDITOR}),
        ([], set()),
    ):
        issuer.person["groups"] = groups
        with site.browser() as browser:
            sign_in(issuer, browser)
        person = site.people.by_identity(issuer.url, "ada")
        assert person is not None
        assert {one.role for one in person.grants} == roles
    assert len(site.people.people()) == 1


def test_asvs_6_8_1_the_same_subject_elsewhere_is_somebody_else(
    site: Lamplight, issuer: Issuer
) -> None:
    """A local account of that name is not taken over."""
    local = site.people.create(SYSTEM, "Ada", "ada")
    with site.browser() as browser:
        sign_in(issuer, browser)
    found = site.people.by_identity(issuer.url, "ada")
    assert found is not None
    assert found.id != local.id


def test_aut_6_a_suspended_person_is_not_let_in(site: Lamplight, issuer: Issuer) -> None:
    """The provider vouches for who it is, not for what they may do here."""
    with site.browser() as browser:
        sign_in(issuer, browser)
    ada = site.people.by_identity(issuer.url, "ada")
    assert ada is not None
    site.people.suspend(SYSTEM, ada.id)
    with site.browser() as browser, refused(site, "cannot be used"):
        assert sign_in(issuer, browser).status_code in (401, 403)
        assert SESSION not in browser.cookies


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("/search?q=a%20b", "/search?q=a%20b"),
        ("https://evil.example/", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
        ("/a\r\nSet-Cookie: x=y", "/"),
        ("/" + "a" * 3000, "/"),
    ],
)
def test_aut_1_the_way_back_leads_nowhere_else(hostile: Lamplight, asked: str, given: str) -> None:
    """Only a path on this server is kept."""
    with hostile.browser() as browser:
        state = begin(browser, asked)["state"]
        flows = OidcFlows(hostile.record, KEY)
        assert flows.take_up(state, browser.cookies[FLOW], datetime.now(UTC)).next_path == given
