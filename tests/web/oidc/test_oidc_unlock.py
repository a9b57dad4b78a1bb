"""HIP-3: at a shared computer only whoever locked a session opens it, and each time anew.

The provider's own session outlives ours, and whoever sits at the browser can take `prompt` and
`max_age` out of the address. So here the provider vouches for a sign-in of an hour ago.
"""

import time

import httpx
import pytest

from governance.events import Actor
from web.testing_oidc import Issuer
from web.testing_oidc_site import SESSION, Lamplight, begin, finish, refused, sign_in

LONG_AGO_S = 3600.0


def lock(site: Lamplight, browser: httpx.Client) -> str:
    """Lock the session of this browser; gives its id."""
    held = site.session_of(browser)
    assert held is not None
    person = site.people.person(held.person_id)
    site.sessions.lock(Actor(person.issuer, person.subject, "oidc", person.id), held.id)
    return held.id


def is_locked(site: Lamplight, browser: httpx.Client) -> bool:
    held = site.session_of(browser)
    return held is not None and held.locked


def test_hip_3_a_new_sign_in_unlocks_the_session(site: Lamplight, issuer: Issuer) -> None:
    """The same session under a new token, with an event that says so."""
    with site.browser() as browser:
        sign_in(issuer, browser)
        locked, token = lock(site, browser), browser.cookies[SESSION]
        assert sign_in(issuer, browser).status_code == 200
        assert browser.cookies[SESSION] != token
        assert not is_locked(site, browser)
        assert len(site.opened()) == 1
    [event] = site.events("session.unlocked")
    assert event["actor"]["sub"] == "ada"
    assert event["object"]["id"] == locked


def test_hip_3_who_is_still_signed_in_at_the_provider_unlocks_nothing(
    site: Lamplight, issuer: Issuer
) -> None:
    """Its session of an hour ago is not the person at the keyboard."""
    with site.browser() as browser:
        sign_in(issuer, browser)
        lock(site, browser)
        query = begin(browser)
        assert (query["prompt"], query["max_age"]) == ("login", "0")
        code = issuer.approve(query, signed_in_at=time.time() - LONG_AGO_S)
        with refused(site, "did not sign in anew"):
            assert finish(browser, query, code).status_code == 403
        assert is_locked(site, browser)


@pytest.mark.parametrize("known", [True, False])
def test_hip_3_somebody_else_unlocks_nothing(site: Lamplight, issuer: Issuer, known: bool) -> None:
    """However freshly they sign in; it stays locked, and the event names them."""
    if known:
        issuer.person = {"sub": "bob"}
        with site.browser() as browser:
            sign_in(issuer, browser)
    issuer.person = {"sub": "ada"}
    with site.browser() as browser:
        sign_in(issuer, browser)
        lock(site, browser)
        issuer.person = {"sub": "bob"}
        with refused(site, "Another person locked"):
            assert sign_in(issuer, browser).status_code == 403
        assert is_locked(site, browser)
    assert site.events("session.refused")[-1]["actor"]["sub"] == "bob"


def test_hip_3_a_sign_in_from_before_the_lock_unlocks_nothing(
    site: Lamplight, issuer: Issuer
) -> None:
    """Begun by whoever waits, approved by what the person did at the provider in between."""
    with site.browser() as browser, site.browser() as waiting:
        query = begin(waiting)
        sign_in(issuer, browser)
        lock(site, browser)
        waiting.cookies.set(SESSION, browser.cookies[SESSION])
        with refused(site, "before this session was locked"):
            assert finish(waiting, query, issuer.approve(query)).status_code == 403
        assert is_locked(site, browser)


def test_asvs_7_4_after_a_sign_out_nobody_comes_in_with_what_is_left(
    site: Lamplight, issuer: Issuer
) -> None:
    """The sign-in at the provider opened one session; it opens no second one, here or elsewhere."""
    with site.browser() as browser, site.browser() as waiting:
        left = begin(waiting)
        signed_in_at = time.time()
        query = begin(browser)
        assert finish(browser, query, issuer.approve(query, signed_in_at)).status_code == 200
        held = site.session_of(browser)
        assert held is not None
        site.sessions.end(Actor(issuer.url, "ada", "oidc", held.person_id), held.id)
        with refused(site, "already finished"):
            assert finish(waiting, left, issuer.approve(left, signed_in_at)).status_code == 403
        assert SESSION not in waiting.cookies


def test_asvs_7_4_after_a_time_out_an_old_sign_in_at_the_provider_is_no_good(
    site: Lamplight, issuer: Issuer
) -> None:
    """Without any session here, too."""
    with site.browser() as browser:
        query = begin(browser)
        code = issuer.approve(query, signed_in_at=time.time() - LONG_AGO_S)
        with refused(site, "did not sign in anew"):
            assert finish(browser, query, code).status_code == 403
        assert SESSION not in browser.cookies
