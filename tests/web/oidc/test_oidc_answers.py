"""AUT-1: whatever comes back from a provider, or from somebody else, lets in nobody but the one."""

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest

from governance.config import GovernanceSettings
from governance.oidc_flows import OidcFlows
from governance.record.database import Record
from web.bounded_transport import MAX_ANSWER_BYTES
from web.testing_oidc import (
    Answer,
    Claims,
    Issuer,
    json_answer,
    token_response,
)
from web.testing_oidc_site import (
    FLOW,
    KEY,
    Lamplight,
    begin,
    finish,
    lamplight,
    refused,
    settings_for,
    sign_in,
)


def test_aut_1_a_state_is_good_once(site: Lamplight, issuer: Issuer) -> None:
    """Replayed with the same code, or with a fresh one."""
    with site.browser() as browser:
        query = begin(browser)
        secret = browser.cookies[FLOW]
        assert finish(browser, query, issuer.approve(query)).status_code == 200
        for code, reason in (
            ("code-1", "did not accept the code"),
            (issuer.approve(query), "already finished"),
        ):
            browser.cookies.set(FLOW, secret)
            with refused(site, reason):
                assert finish(browser, query, code).status_code == 403


def test_aut_1_a_code_is_good_once(hostile: Lamplight, target: Issuer) -> None:
    """In a sign-in of its own, a code of another one is worth nothing."""
    with hostile.browser() as browser, hostile.browser() as other:
        stolen = target.approve(begin(other))
        with refused(hostile, "did not accept the code"):
            assert finish(browser, begin(browser), stolen).status_code == 403
        with refused(hostile, "did not accept the code"):
            assert finish(browser, begin(browser), stolen).status_code == 403


def test_aut_1_login_csrf_is_refused(hostile: Lamplight, target: Issuer) -> None:
    """An attacker's answer, opened in another browser: without a cookie, or with its own."""
    with hostile.browser() as attacker, hostile.browser() as victim:
        query = begin(attacker)
        code = target.approve(query)
        with refused(hostile, "not begun in this browser"):
            assert finish(victim, query, code).status_code == 403
        begin(victim)
        with refused(hostile, "in another browser"):
            assert finish(victim, query, code).status_code == 403


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"state": "x" * 43}, "another browser"),
        ({"state": ""}, "not begun in this browser"),
        ({"code": ""}, "no code"),
        ({"iss": "https://evil.example"}, "another identity provider"),
        ({"iss": ""}, "another identity provider"),
        ({"error": "access_denied"}, "refused the sign-in"),
        ({"error": "access_denied", "error_description": "<script>"}, "refused the sign-in"),
    ],
)
def test_aut_1_a_hostile_answer_is_refused(
    hostile: Lamplight, target: Issuer, change: dict[str, str], reason: str
) -> None:
    """Mixed up, forged, empty, or the provider's own refusal, which is not repeated to anybody."""
    with hostile.browser() as browser, refused(hostile, reason):
        query = begin(browser)
        given = {"state": query["state"], "code": target.approve(query), **change}
        answer = browser.get("/sign-in/oidc/callback", params=given)
        assert answer.status_code == 403
        assert "<script>" not in answer.text


def test_aut_1_an_answer_says_each_thing_once(hostile: Lamplight, target: Issuer) -> None:
    """Which of two would be checked, and which used, is not left to chance."""
    with hostile.browser() as browser, refused(hostile, "twice"):
        query = begin(browser)
        pairs = [("state", query["state"]), ("code", "x"), ("code", target.approve(query))]
        answer = browser.get(f"/sign-in/oidc/callback?{urlencode(pairs)}")
        assert answer.status_code == 403


def test_aut_1_a_provider_that_names_itself_must_do_so(
    record: Record, governance: GovernanceSettings, issuer: Issuer
) -> None:
    """RFC 9207: once announced, a missing `iss` is somebody else's answer."""
    issuer.description = {"authorization_response_iss_parameter_supported": True}
    with lamplight(record, governance, settings_for(issuer.url)) as site:
        with site.browser() as browser, refused(site, "which provider"):
            assert sign_in(issuer, browser).status_code == 403
        with site.browser() as browser:
            query = begin(browser)
            answer = finish(browser, query, issuer.approve(query), iss=issuer.url)
            assert answer.status_code == 200


def test_aut_1_an_old_sign_in_is_refused(hostile: Lamplight, target: Issuer) -> None:
    """Begun eleven minutes ago."""
    begun_at = datetime.now(UTC) - timedelta(minutes=11)
    flow = OidcFlows(hostile.record, KEY).start("/", "", begun_at)
    with hostile.browser() as browser, refused(hostile, "too long"):
        browser.cookies.set(FLOW, flow.cookie)
        assert finish(browser, {"state": flow.state}, "code").status_code == 403


HOSTILE_ANSWERS: dict[str, tuple[Callable[[str], Answer], int]] = {
    "an error of its own": (lambda _: (500, {}, b"<h1>no</h1>"), 503),
    "a page": (lambda _: (200, {"Content-Type": "text/html"}, b"<h1>Sign in</h1>"), 503),
    "a list": (lambda _: json_answer([]), 503),
    "a word": (lambda _: json_answer("token"), 503),
    "nothing": (lambda _: (200, {}, b""), 503),
    "too much": (
        lambda token: json_answer(token_response(token) | {"x": "x" * MAX_ANSWER_BYTES}),
        503,
    ),
    "packed": (
        lambda token: (
            200,
            {"Content-Encoding": "gzip"},
            gzip.compress(json.dumps(token_response(token)).encode()),
        ),
        503,
    ),
    "another place": (lambda _: (302, {"Location": "http://127.0.0.1:9/"}, b""), 503),
    "no id token": (lambda _: json_answer({"access_token": "a", "token_type": "Bearer"}), 403),
    "a refusal": (lambda _: json_answer({"error": "invalid_client"}, 401), 403),
}


@pytest.mark.parametrize("case", HOSTILE_ANSWERS)
def test_aut_1_whatever_the_token_endpoint_says_is_answered(
    hostile: Lamplight, target: Issuer, case: str
) -> None:
    """Refused in words, never an error of ours; nothing is followed or unpacked."""
    target.token_answer, status = HOSTILE_ANSWERS[case]
    with hostile.browser() as browser, refused(hostile):
        assert sign_in(target, browser).status_code == status


@pytest.mark.parametrize(
    "description",
    [
        {"issuer": "https://evil.example"},
        {"issuer": None},
        {"authorization_endpoint": "http://evil.example/authorize"},
        {"token_endpoint": "http://evil.example/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": "https://user:secret@evil.example/"},
        {"token_endpoint": None},
        {"authorization_endpoint": ["https://a"]},
    ],
)
def test_aut_1_a_description_that_cannot_be_trusted_is_refused(
    hostile: Lamplight, target: Issuer, description: Claims
) -> None:
    """Another name, or an address that everybody on the way can read: nobody is sent there."""
    target.description = description
    with hostile.browser() as browser:
        answer = browser.get("/sign-in/oidc")
        assert answer.status_code == 503
        assert FLOW not in browser.cookies
