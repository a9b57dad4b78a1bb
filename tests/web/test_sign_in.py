"""Coming in, going out, locking, and the links that work once."""

import re
from collections.abc import Iterator
from datetime import timedelta
from html import escape
from urllib.parse import urlencode

import httpx
import pytest

from governance.config import GovernanceSettings
from governance.events import SYSTEM
from governance.passwords import PasswordStore
from governance.sessions import digest_of
from governance.throttle import Throttle
from web.session_cookie import PLAIN_NAME
from web.testing import Site

PASSWORD = "harbour lantern violet tram"
VIALS = "/search?q=vial&department=Pharmacy"
NEW = "copper bicycle under snow"


def sign_in(client: httpx.Client, username: str, password: str, **fields: str) -> httpx.Response:
    """Send the form."""
    return client.post("/sign-in", data={"username": username, "password": password, **fields})


def token_in(page: str) -> str:
    """The token in the forms of a page."""
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', page)
    assert found is not None
    return found[1]


@pytest.fixture(autouse=True)
def _calm(site: Site) -> None:
    """The wrong passwords of earlier tests are forgotten: all of them come from one address."""
    Throttle(site.platform.record, b"").sweep(site.clock() + timedelta(days=2))


@pytest.fixture
def person(site: Site) -> Iterator[str]:
    """The name of somebody with a password who is nobody else's business."""
    people = site.platform.people
    username = f"visitor-{len(people.people())}"
    made = people.create(SYSTEM, "Vera Visitor", username)
    store = PasswordStore(
        site.platform.record, GovernanceSettings(None, argon2_memory_kib=64, argon2_rounds=1)
    )
    store.set_password(SYSTEM, made.id, PASSWORD)
    yield username
    site.clock.ahead = timedelta(0)


def test_the_right_password_opens_a_session_and_leads_on(stranger: httpx.Client) -> None:
    """To the page that was asked for; the cookie is for this host and no script."""
    asked = stranger.get(VIALS)
    assert asked.headers["Location"] == f"/sign-in?{urlencode({'next': VIALS})}"
    form = stranger.get(asked.headers["Location"]).text
    assert f'value="{escape(VIALS)}"' in form
    answer = sign_in(stranger, "Staff", PASSWORD, next=VIALS)
    assert (answer.status_code, answer.headers["Location"]) == (303, VIALS)
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith(f"{PLAIN_NAME}=")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie
    assert "4 passages found" in stranger.get(VIALS).text


@pytest.mark.parametrize("next_page", ["//evil.example", "https://evil.example/", "/\\evil"])
def test_asvs_3_7_2_a_sign_in_leads_to_no_other_site(
    stranger: httpx.Client, next_page: str
) -> None:
    """Neither by the link to the form nor by the form."""
    assert "evil" not in stranger.get("/sign-in", params={"next": next_page}).text
    answer = sign_in(stranger, "staff", PASSWORD, next=next_page)
    assert answer.headers["Location"] == "/"


def _said(answer: httpx.Response) -> str:
    """A page without the nonce of its scripts."""
    return re.sub(r'nonce="[^"]+"', "", answer.text)


def test_a_wrong_password_and_an_unknown_name_sound_alike(
    stranger: httpx.Client, person: str
) -> None:
    """The page is shown again, with the name and without the password."""
    wrong = sign_in(stranger, person, "not the password")
    unknown = sign_in(stranger, "no-such-person", "not the password")
    assert (wrong.status_code, unknown.status_code) == (401, 401)
    assert _said(wrong).replace(person, "") == _said(unknown).replace("no-such-person", "")
    assert "There is a problem" in wrong.text
    assert "not the password" not in wrong.text
    assert PLAIN_NAME not in stranger.cookies


def test_asvs_7_2_a_session_is_new_at_every_sign_in(site: Site, staff: httpx.Client) -> None:
    """A token that was there before is worth nothing afterwards (fixation)."""
    before = staff.cookies[PLAIN_NAME]
    assert sign_in(staff, "staff", PASSWORD).status_code == 303
    cookies = [cookie.value for cookie in staff.cookies.jar if cookie.name == PLAIN_NAME]
    assert any(value != before for value in cookies)
    assert site.platform.sessions.find(before, site.clock()) is None


def test_signing_out_ends_the_session_and_clears_the_browser(
    site: Site, staff: httpx.Client
) -> None:
    """On the server, too; and what the browser kept is thrown away."""
    token = staff.cookies[PLAIN_NAME]
    answer = staff.post("/sign-out")
    assert answer.headers["Location"] == "/sign-in"
    assert '"cache"' in answer.headers["Clear-Site-Data"]
    assert site.platform.sessions.find(token, site.clock()) is None


def test_a_locked_session_shows_and_does_nothing(site: Site, staff: httpx.Client) -> None:
    """Until its person shows the password; then it goes on under a new token."""
    here = {"Referer": f"{site.url}/search?q=vial"}
    token = staff.cookies[PLAIN_NAME]
    locked = staff.post("/lock", headers=here)
    assert locked.headers["Location"] == "/unlock?next=%2Fsearch%3Fq%3Dvial"
    assert locked.headers["Clear-Site-Data"] == '"cache"'
    for path in ("/", "/documents", "/account", f"/documents/{site.vials}/versions/1"):
        assert staff.get(path).headers["Location"].startswith("/unlock?next=%2F")
    assert staff.get("/api/v1/documents").json()["error"]["type"] == "session_locked"
    assert staff.post("/api/v1/ask", json={"question": "x"}).status_code == 401
    with site.client("administrator") as boss:
        assert "parts" in boss.get("/readyz").json()
        boss.post("/lock")
        assert "parts" not in boss.get("/readyz").json()

    page = staff.get(locked.headers["Location"]).text
    assert "Staff Person is signed in on this computer" in page
    assert 'href="/account"' not in page
    fields = {"csrf": token_in(page), "next": "/search?q=vial"}
    wrong = staff.post("/unlock", data={**fields, "password": "no"})
    assert wrong.status_code == 401
    assert "There is a problem" in wrong.text
    right = staff.post("/unlock", data={**fields, "password": PASSWORD})
    assert (right.status_code, right.headers["Location"]) == (303, "/search?q=vial")
    assert site.platform.sessions.find(token, site.clock()) is None
    fresh = next(cookie.value for cookie in staff.cookies.jar if cookie.value != token)
    assert staff.get("/search", headers={"Cookie": f"{PLAIN_NAME}={fresh}"}).status_code == 200


def test_somebody_else_can_take_over_a_locked_computer(staff: httpx.Client) -> None:
    """By signing the other person out; nothing of theirs is left."""
    staff.post("/lock")
    page = staff.get("/unlock").text
    answer = staff.post("/sign-out", data={"csrf": token_in(page)})
    assert answer.headers["Location"] == "/sign-in"


def test_every_form_of_a_page_brings_the_token_along(site: Site, editor: httpx.Client) -> None:
    """So that it works without JavaScript; htmx sends it as a header."""
    paths = ["/", "/search", "/documents", "/account", "/account/password", "/account/keys/new"]
    for path in [*paths, f"/documents/{site.hands}/delete"]:
        page = editor.get(path).text
        forms = re.findall(r'<form[^>]*method="post".*?</form>', page, re.DOTALL)
        assert forms
        assert all(token_in(form) == editor.headers["X-CSRF-Token"] for form in forms), path
        assert f'"X-CSRF-Token": "{editor.headers["X-CSRF-Token"]}"' in page


def test_a_form_works_with_the_token_in_it_alone(editor: httpx.Client) -> None:
    """Small or with files, as a browser without JavaScript sends it."""
    token = editor.headers.pop("X-CSRF-Token")
    assert editor.post("/ask", data={"question": "How long?"}).status_code == 403
    asked = editor.post("/ask", data={"csrf": token, "question": "How long?"})
    assert asked.status_code == 303
    files = {"file": ("empty.md", b"")}
    assert editor.post("/documents", files=files).status_code == 403
    handed = editor.post("/documents", data={"csrf": token}, files=files)
    assert handed.status_code == 303


def test_a_link_sets_a_password_once(site: Site, stranger: httpx.Client, person: str) -> None:
    """Its person is let in, the old password is worth nothing, and neither is the link."""
    found = site.platform.people.by_username(person)
    assert found is not None
    path = f"/set-password/{site.platform.tickets.issue_password(SYSTEM, found.id)}"
    page = stranger.get(path).text
    assert "Vera Visitor" in page
    assert 'autocomplete="new-password"' in page
    differs = stranger.post(path, data={"password": NEW, "again": "another"})
    assert (differs.status_code, "not the same" in differs.text) == (422, True)
    weak = stranger.post(path, data={"password": "short", "again": "short"})
    assert (weak.status_code, "15 characters" in weak.text) == (422, True)
    done = stranger.post(path, data={"password": NEW, "again": NEW})
    assert (done.status_code, done.headers["Location"]) == (303, "/")
    assert "no role yet" in stranger.get("/").text
    assert stranger.get(path).status_code == 410
    stranger.cookies.clear()
    assert sign_in(stranger, person, PASSWORD).status_code == 401
    site.clock.ahead = timedelta(hours=2)
    assert sign_in(stranger, person, NEW).status_code == 303


@pytest.mark.parametrize("path", ["/welcome/none", "/set-password/none"])
def test_a_link_that_nobody_issued_opens_nothing(stranger: httpx.Client, path: str) -> None:
    """Shown or sent."""
    assert stranger.get(path).status_code == 410
    assert stranger.post(path, data={"password": NEW, "again": NEW}).status_code == 410


def test_a_link_for_a_password_makes_no_administrator(
    site: Site, stranger: httpx.Client, person: str
) -> None:
    """Each is good for its own page."""
    found = site.platform.people.by_username(person)
    assert found is not None
    ticket = site.platform.tickets.issue_password(SYSTEM, found.id)
    fields = {"name": "X", "username": "xx", "password": NEW, "again": NEW}
    assert stranger.get(f"/welcome/{ticket}").status_code == 410
    assert stranger.post(f"/welcome/{ticket}", data=fields).status_code == 410
    assert stranger.get(f"/set-password/{ticket}").status_code == 200


def test_who_has_no_role_is_told_whom_to_ask(site: Site) -> None:
    """Instead of an empty page; the account page is theirs all the same."""
    with site.client("nobody") as client:
        page = client.get("/").text
        assert "you have no role yet" in page
        assert "Ask an administrator to give you a role: " in page
        assert client.get("/account").status_code == 200


def test_an_auditor_is_led_to_what_they_may_do(auditor: httpx.Client) -> None:
    """They ask nothing, so the first page is not theirs."""
    assert auditor.get("/").headers["Location"] == "/search"


def test_the_header_names_the_person_and_offers_what_they_may_do(
    staff: httpx.Client, stranger: httpx.Client
) -> None:
    """No more, and nothing to who is not signed in."""
    page = staff.get("/documents").text
    assert "Staff Person" in page
    assert 'action="/lock"' in page
    assert 'href="/people"' not in page
    assert "Load policies" not in page
    assert "/delete" not in page
    form = stranger.get("/sign-in").text
    assert "<nav" not in form
    assert 'action="/lock"' not in form


def test_the_session_token_is_nowhere_in_the_page_nor_the_record(
    site: Site, staff: httpx.Client
) -> None:
    """The record keeps its digest."""
    token = staff.cookies[PLAIN_NAME]
    assert token not in staff.get("/account").text
    ids = [one.id for one in site.platform.sessions.sessions_of(site.people["staff"], site.clock())]
    assert digest_of(token) in ids
    assert token not in ids
