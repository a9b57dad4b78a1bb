"""AUT-1: the provider's word that somebody signed out (back-channel logout)."""

import json
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from web.id_token import LOGOUT_EVENT
from web.testing_oidc import (
    CLIENT,
    Issuer,
    provider_key,
    sign,
    stranger_key,
)
from web.testing_oidc_site import (
    SESSION,
    Lamplight,
    sign_in,
)

SIGNING, STRANGER = provider_key(), stranger_key()


def logout_token(issuer: Issuer, **changes: Any) -> str:
    now = int(time.time())
    claims = {
        "iss": issuer.url,
        "aud": CLIENT,
        "sub": "ada",
        "iat": now,
        "exp": now + 60,
        "jti": "1",
        "events": {LOGOUT_EVENT: {}},
        **changes,
    }
    return sign(claims, {"typ": "logout+jwt"})


def test_aut_1_a_logout_token_ends_the_persons_sessions(site: Lamplight, issuer: Issuer) -> None:
    """All of theirs and nobody else's, with an event for each."""
    for subject in ("ada", "ada", "bob"):
        issuer.person = {"sub": subject}
        with site.browser() as browser:
            sign_in(issuer, browser)
    with site.browser() as provider:
        answer = provider.post("/sign-in/oidc/logout", data={"logout_token": logout_token(issuer)})
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["cache-control"] == "no-store"
        again = provider.post(
            "/sign-in/oidc/logout", data={"logout_token": logout_token(issuer, sub="nobody")}
        )
        assert again.status_code == 200
    assert len(site.opened()) == 1
    ended = site.events("session.ended")
    assert len(ended) == 2
    assert {event["actor"]["iss"] for event in ended} == {issuer.url}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda issuer: "",
        lambda issuer: "a.b.c",
        lambda issuer: logout_token(issuer, iss="https://evil.example"),
        lambda issuer: logout_token(issuer, aud="other"),
        lambda issuer: logout_token(issuer, events={}),
        lambda issuer: logout_token(issuer, nonce="n"),
        lambda issuer: logout_token(issuer, exp=1),
        lambda issuer: logout_token(issuer, iat=1),
        lambda issuer: logout_token(issuer, sub=None),
        lambda issuer: sign(issuer.claims("n")),
        lambda issuer: logout_token(issuer)[:-30],
        lambda issuer: sign(
            {**json.loads(urlsafe_b64decode(logout_token(issuer).split(".")[1] + "==="))},
            {"typ": "logout+jwt"},
            STRANGER,
        ),
    ],
)
def test_aut_1_a_hostile_logout_token_ends_nothing(
    site: Lamplight, issuer: Issuer, spoil: Callable[[Issuer], str]
) -> None:
    """400 as the standard asks, an event, and the session lives."""
    with site.browser() as browser:
        sign_in(issuer, browser)
        answer = browser.post("/sign-in/oidc/logout", data={"logout_token": spoil(issuer)})
        assert answer.status_code == 400
        assert answer.json()["error"] == "invalid_request"
        assert site.sessions.find(browser.cookies[SESSION], datetime.now(UTC)) is not None
    assert len(site.events("access.denied")) == 1


def test_aut_1_another_site_cannot_sign_people_out(site: Lamplight, issuer: Issuer) -> None:
    """The provider's server sends it, never a browser from another page."""
    with site.browser() as browser:
        answer = browser.post(
            "/sign-in/oidc/logout",
            data={"logout_token": logout_token(issuer)},
            headers={"Sec-Fetch-Site": "cross-site"},
        )
        assert answer.status_code == 403
