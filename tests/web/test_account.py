"""My account: sessions, keys, limits and password, each person's own."""

import re
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest

from governance.events import SYSTEM
from governance.keys import KEY_PATTERN
from governance.limits import Limit, Period
from governance.permissions import Permission
from governance.sessions import digest_of
from governance.throttle import Throttle
from web.session_cookie import PLAIN_NAME
from web.testing import Site

PASSWORD = "harbour lantern violet tram"


def ids_of(site: Site, who: str) -> set[str]:
    """The open sessions of somebody."""
    return {one.id for one in site.platform.sessions.sessions_of(site.people[who], site.clock())}


@pytest.fixture(autouse=True)
def _calm(site: Site) -> None:
    """The wrong passwords of earlier tests are forgotten: all of them come from one address."""
    Throttle(site.platform.record, b"").sweep(site.clock() + timedelta(days=2))


def test_the_account_says_who_i_am_and_what_i_may_do(staff: httpx.Client) -> None:
    """In words."""
    page = staff.get("/account").text
    assert "Staff in Pharmacy: you may ask questions and read policies." in page
    assert "There is no limit for you." in page
    assert "(this one)" in page


def test_asvs_7_4_i_end_my_other_sessions_and_nobody_elses(site: Site, staff: httpx.Client) -> None:
    """The other browser is out at its next request; somebody else's session is not there."""
    with site.client("staff") as other:
        session = digest_of(other.cookies[PLAIN_NAME])
        assert f"/account/sessions/{session}/end" in staff.get("/account").text
        assert staff.post(f"/account/sessions/{session}/end").status_code == 303
        assert other.get("/account").headers["Location"].startswith("/sign-in")
    with site.client("editor") as foreign:
        session = digest_of(foreign.cookies[PLAIN_NAME])
        assert staff.post(f"/account/sessions/{session}/end").status_code == 404
        assert session in ids_of(site, "editor")


def test_asvs_7_1_more_sessions_than_allowed_end_the_oldest(site: Site) -> None:
    """Five at once."""
    tokens = [site.session("manager") for _ in range(6)]
    assert digest_of(tokens[0]) not in ids_of(site, "manager")
    assert digest_of(tokens[5]) in ids_of(site, "manager")


def test_aut_3_a_key_is_shown_once_and_works_until_it_is_revoked(
    site: Site, editor: httpx.Client, stranger: httpx.Client
) -> None:
    """In the answer to the form alone, never in an address."""
    assert "Ask and search" in editor.get("/account/keys/new").text
    fields = {"name": "Handbook", "scope": "ask", "department": "Pharmacy", "days": "30"}
    made = editor.post("/account/keys", data=fields)
    assert made.status_code == 200
    found = KEY_PATTERN.search(made.text)
    assert found is not None
    secret = found[0]
    shown = {"Authorization": f"Bearer {secret}"}
    asked = stranger.post("/api/v1/ask", json={"question": "How long?"}, headers=shown)
    assert asked.status_code == 200
    assert stranger.post("/api/v1/documents", headers=shown).status_code == 403

    page = editor.get("/account").text
    assert secret not in page
    assert "Handbook" in page
    address = re.search(rf'action="(/account/keys/{found[1]}/revoke)"', page)
    assert address is not None
    assert editor.post(address[1]).status_code == 303
    assert stranger.get("/api/v1/documents", headers=shown).status_code == 401


def test_own_1_a_key_of_somebody_else_is_not_there(site: Site, staff: httpx.Client) -> None:
    """And stays good."""
    key = site.key("editor")
    assert staff.post(f"/account/keys/{key.split('_')[1]}/revoke").status_code == 404
    assert site.platform.keys.principal_of(key, site.clock()) is not None


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": "", "scope": "ask", "days": "1"}, "cannot be the name of a key"),
        ({"name": "x", "days": "1"}, "A key needs a scope"),
        ({"name": "x", "scope": "everything", "days": "1"}, "This use of a key is not known"),
        ({"name": "x", "scope": "load", "days": "1"}, "may not do this there"),
        ({"name": "x", "scope": "ask", "days": "366"}, "not a number of days"),
        ({"name": "x", "scope": "ask", "days": "one"}, "not a number of days"),
        ({"name": "x", "scope": "ask", "days": "1", "department": "Catering"}, "no department"),
    ],
)
def test_a_key_that_cannot_be_is_refused_in_words(
    staff: httpx.Client, fields: dict[str, str], words: str
) -> None:
    """And the form is shown again."""
    answer = staff.post("/account/keys", data=fields)
    assert answer.status_code in (404, 422)
    assert words in answer.text
    assert "There is a problem" in answer.text


@pytest.fixture
def limit(site: Site) -> Iterator[Limit]:
    """Three questions a day for each person of Pharmacy; taken away again."""
    place = site.platform.policies.department("Pharmacy").id
    site.platform.quotas.set_limit(SYSTEM, Limit(place, None, True, Period.DAY, 3, None))
    yield Limit(place, None, True, Period.DAY, 3, None)
    site.platform.quotas.set_limit(SYSTEM, Limit(place, None, True, Period.DAY, None, None))


def test_qta_1_what_is_left_is_shown_and_then_refused_in_every_shape(
    site: Site, limit: Limit, stranger: httpx.Client
) -> None:
    """In headers and on the account page; then 429 with how long to wait."""
    assert limit.requests == 3
    with site.client("approver") as client:
        assert "3 of 3 questions left today, for you in Pharmacy." in client.get("/account").text
        answer = client.post("/api/v1/ask", json={"question": "How long?"})
        assert answer.headers["x-ratelimit-limit-requests"] == "3"
        assert answer.headers["x-ratelimit-remaining-requests"] == "2"
        assert answer.headers["x-ratelimit-reset-requests"].endswith("s")
        stranger.headers["Authorization"] = f"Bearer {site.key('approver')}"
        body = {"model": "policies", "messages": [{"role": "user", "content": "How long?"}]}
        answer = stranger.post("/v1/chat/completions", json=body)
        assert answer.headers["x-ratelimit-remaining-requests"] == "1"
        assert client.post("/ask", data={"question": "How long?"}).status_code == 303

        refused = client.post("/api/v1/ask", json={"question": "How long?"})
        assert refused.status_code == 429
        assert int(refused.headers["Retry-After"]) > 0
        assert refused.json()["error"]["type"] == "quota_exceeded"
        refused = stranger.post("/v1/chat/completions", json=body)
        assert (refused.status_code, refused.json()["error"]["code"]) == (429, "quota_exceeded")
        assert int(refused.headers["Retry-After"]) > 0
        page = client.post("/ask", data={"question": "How long?"})
        assert page.status_code == 429
        assert "is used up" in page.text
        assert "0 of 3 questions left today" in client.get("/account").text


def test_qta_1_what_never_began_is_not_charged(site: Site, limit: Limit) -> None:
    """A runtime that is down takes nothing from anybody."""
    assert limit.requests == 3
    with site.client("manager") as client:
        for _ in range(4):
            answer = client.post("/api/v1/ask", json={"question": "silent"})
            assert answer.status_code == 503
        assert client.post("/api/v1/ask", json={"question": "How long?"}).status_code == 200


def test_a_changed_password_ends_the_other_sessions(site: Site) -> None:
    """This one stays."""
    with site.client("administrator") as client, site.client("administrator") as other:
        form = {"current": PASSWORD, "password": "three red kites above", "again": "x"}
        assert "not the same" in client.post("/account/password", data=form).text
        form["again"] = form["password"]
        wrong = client.post("/account/password", data={**form, "current": "no"})
        assert (wrong.status_code, "not right" in wrong.text) == (422, True)
        done = client.post("/account/password", data=form)
        assert done.status_code == 303, done.text
        assert done.headers["Location"] == "/account?done=password"
        assert client.get("/account").status_code == 200
        assert other.get("/account").status_code == 303
        back = {"current": form["password"], "password": PASSWORD, "again": PASSWORD}
        assert client.post("/account/password", data=back).status_code == 303


def test_a_key_has_no_account_page(site: Site, stranger: httpx.Client) -> None:
    """It cannot end sessions, nor make other keys."""
    stranger.headers["Authorization"] = f"Bearer {site.key('editor', list(Permission)[:3])}"
    assert stranger.get("/account").status_code == 403
    stranger.headers["Authorization"] = f"Bearer {site.key('editor')}"
    assert stranger.post("/account/keys", data={"name": "x", "scope": "ask"}).status_code == 403


def test_an_auditor_makes_no_keys(auditor: httpx.Client) -> None:
    """And is not offered any."""
    assert "Make a key" not in auditor.get("/account").text
    assert auditor.get("/account/keys/new").status_code == 403
    assert auditor.post("/account/keys", data={"name": "x", "scope": "ask"}).status_code == 403
