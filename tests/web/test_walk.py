"""Every route of the application, each asked by everybody who must not be served by it."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from random import Random

import httpx
import pytest
from fastapi import FastAPI

from governance.events import SYSTEM
from governance.permissions import Permission, Role
from web.access import TABLE, Need, Open, rows_of
from web.app import create_app
from web.oidc import OidcPages
from web.session_cookie import PLAIN_NAME
from web.testing import Site

OIDC = tuple(row for row in TABLE if row[1].startswith("/sign-in/oidc"))
ROWS = tuple(row for row in TABLE if row not in OIDC)
CLOSED = tuple(row for row in ROWS if TABLE[row] is not Open.PUBLIC)
UNSAFE = tuple(row for row in ROWS if row[0] not in ("GET", "HEAD"))
# Where a form without token is right, because there is no session yet.
NO_SESSION_YET = ("/sign-in", "/welcome/{ticket}", "/set-password/{ticket}")
JSON = ("/api/", "/v1/")

Rows = tuple[tuple[str, str], ...]


def named(row: tuple[str, str]) -> str:
    """The name of a row's test."""
    return f"{row[0]} {row[1]}"


def address(path: str, site: Site, document: str | None = None) -> str:
    """An address of this template; document: in place of one that is nowhere."""
    if path == "/static":
        found = re.search(r'href="([^"]+lamplight.css)"', httpx.get(f"{site.url}/help").text)
        assert found is not None
        return found[1]

    def one(name: re.Match[str]) -> str:
        if name[1] == "document_id" and document:
            return document
        return "1" if name[1].endswith(":int") else "none"

    return re.sub(r"\{([^}]+)\}", one, path)


def ask(
    client: httpx.Client, row: tuple[str, str], site: Site, document: str | None = None
) -> httpx.Response:
    """A request for this row."""
    return client.request(row[0], address(row[1], site, document))


def is_json(path: str) -> bool:
    """Whether programs are answered there."""
    return path.startswith(JSON)


def assert_not_signed_in(answer: httpx.Response, path: str) -> None:
    """401 for programs, the sign-in page for people."""
    if is_json(path):
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert answer.json()["error"]["hint"]
    else:
        assert answer.status_code == 303
        assert answer.headers["Location"].startswith("/sign-in?next=%2F")


@pytest.fixture(scope="module")
def app(site: Site) -> FastAPI:
    """The application, to look at its routes."""
    return create_app(site.platform)


def test_az_1_every_route_has_its_row_and_every_row_its_route(app: FastAPI) -> None:
    """A new route without a row is refused at run time, and fails here."""
    rows = {row for route in app.routes for row in rows_of(route)}
    assert rows == set(ROWS)


def test_az_1_the_rows_of_the_identity_provider_are_its_routes() -> None:
    """They are there only where one is configured."""
    assert all(hasattr(OidcPages, name) for name in ("start", "callback", "logout"))
    assert len(OIDC) == 3


def test_az_1_a_route_without_a_row_is_refused(site: Site) -> None:
    """Absent means denied."""
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route
    from starlette.testclient import TestClient

    app = create_app(site.platform)
    app.router.routes.insert(0, Route("/new", lambda _request: PlainTextResponse("secret")))
    headers = {"Host": "127.0.0.1", "Cookie": f"{PLAIN_NAME}={site.session('administrator')}"}
    answer = TestClient(app, base_url="http://127.0.0.1").get("/new", headers=headers)
    assert answer.status_code == 403
    assert "secret" not in answer.text


@pytest.mark.parametrize("row", CLOSED, ids=named)
def test_asvs_8_2_nobody_is_served_without_a_credential(
    site: Site, stranger: httpx.Client, row: tuple[str, str]
) -> None:
    """Programs hear 401, people are led to the sign-in page, htmx goes there, too."""
    assert_not_signed_in(ask(stranger, row, site), row[1])
    if not is_json(row[1]):
        answer = stranger.request(row[0], address(row[1], site), headers={"HX-Request": "true"})
        assert answer.status_code == 401
        assert answer.headers["HX-Redirect"].startswith("/sign-in?next=%2F")


def suspended(site: Site) -> httpx.Client:
    """The session of somebody who was suspended."""
    client = newcomer(site)
    site.platform.people.suspend(SYSTEM, site.people["newcomer"])
    return client


def signed_out(site: Site) -> httpx.Client:
    """The session of somebody who signed out."""
    client = newcomer(site)
    site.platform.sessions.end_all(SYSTEM, site.people["newcomer"])
    return client


def idle(site: Site) -> httpx.Client:
    """The session of somebody who did nothing for a quarter of an hour and a second."""
    client = newcomer(site)
    site.clock.ahead = timedelta(seconds=901)
    return client


def too_old(site: Site) -> httpx.Client:
    """A session that was used all day, after its twelve hours."""
    client = newcomer(site)
    for minutes in range(14, 720, 14):
        site.clock.ahead = timedelta(minutes=minutes)
        assert client.get("/account/stay").status_code == 204
    site.clock.ahead = timedelta(hours=12, seconds=1)
    return client


def newcomer(site: Site) -> httpx.Client:
    """An administrator of their own for one test."""
    people = site.platform.people
    username = f"newcomer-{len(people.people())}"
    person = people.create(SYSTEM, "A Newcomer", username)
    people.grant(SYSTEM, person.id, Role.ADMINISTRATOR, None)
    assert isinstance(site.people, dict)
    site.people["newcomer"] = person.id
    return site.client("newcomer")


@pytest.fixture(scope="module", params=[suspended, signed_out, idle, too_old])
def ended(request: pytest.FixtureRequest, site: Site) -> Iterator[httpx.Client]:
    """A client whose session was good and is not any more."""
    make: Callable[[Site], httpx.Client] = request.param
    client = make(site)
    yield client
    client.close()
    site.clock.ahead = timedelta(0)


@pytest.mark.parametrize("row", CLOSED, ids=named)
def test_aut_6_hip_3_an_ended_session_opens_nothing(
    site: Site, ended: httpx.Client, row: tuple[str, str]
) -> None:
    """Suspended, signed out, idle or too old: the next request is refused, and the cookie taken."""
    token = ended.cookies[PLAIN_NAME]
    answer = ask(ended, row, site)
    assert_not_signed_in(answer, row[1])
    assert f'{PLAIN_NAME}=""' in answer.headers["Set-Cookie"]
    ended.cookies.set(PLAIN_NAME, token)


def revoked_key(site: Site) -> str:
    """A key that was revoked."""
    key = site.key("editor")
    site.platform.keys.revoke(SYSTEM, key.split("_")[1], site.clock())
    return key


def suspended_key(site: Site) -> str:
    """A good key of somebody who was suspended."""
    newcomer(site).close()
    key = site.key("newcomer")
    site.platform.people.suspend(SYSTEM, site.people["newcomer"])
    return key


def expired_key(site: Site) -> str:
    """A key whose days are over."""
    key = site.key("editor", days=0.5)
    site.clock.ahead = timedelta(hours=12, seconds=1)
    return key


def no_key(_site: Site) -> str:
    """Something that is no key."""
    return "lmp_000000000000_" + "0" * 49


@pytest.mark.parametrize("make", [revoked_key, suspended_key, expired_key, no_key])
def test_aut_3_a_key_that_is_no_good_opens_nothing(
    site: Site, stranger: httpx.Client, make: Callable[[Site], str]
) -> None:
    """Revoked, expired, its owner suspended, or never one: on every route."""
    try:
        stranger.headers["Authorization"] = f"Bearer {make(site)}"
        for row in CLOSED:
            assert_not_signed_in(ask(stranger, row, site), row[1])
    finally:
        site.clock.ahead = timedelta(0)


LOWER = {
    Permission.DOCUMENTS_LOAD: "staff",
    Permission.DOCUMENTS_DELETE: "staff",
    Permission.JOBS_READ: "staff",
    Permission.JOBS_FORGET: "approver",
    Permission.POLICIES_ASK: "auditor",
    Permission.POLICIES_SEARCH: "nobody",
    Permission.POLICIES_READ: "nobody",
    Permission.MODELS_USE: "auditor",
    Permission.KEYS_MANAGE: "auditor",
    Permission.DEPARTMENTS_CREATE: "manager",
    Permission.PLATFORM_OPERATE: "manager",
}


def permissions_of(need: Need) -> tuple[Permission, ...]:
    """The permissions of a row; none where it asks for no role."""
    if isinstance(need, Open):
        return ()
    return need if isinstance(need, tuple) else (need,)


NEEDY = tuple(row for row in ROWS if permissions_of(TABLE[row]))


@pytest.mark.parametrize("row", NEEDY, ids=named)
def test_asvs_8_2_nobody_is_served_beyond_their_role(site: Site, row: tuple[str, str]) -> None:
    """The nearest role without the permission is refused, on every route, and it is recorded."""
    needed = permissions_of(TABLE[row])
    who = LOWER.get(needed[0], "nobody")
    with site.client(who) as client:
        assert ask(client, row, site, site.vials).status_code == 403
        client.headers["Authorization"] = f"Bearer {site.key('staff', [Permission.ACCOUNT_USE])}"
        assert ask(client, row, site, site.vials).status_code == 403


FOREIGN = tuple(row for row in ROWS if "{document_id}" in row[1])


@pytest.mark.parametrize("row", FOREIGN, ids=named)
def test_own_1_a_document_of_another_department_is_not_there(
    site: Site, client: httpx.Client, row: tuple[str, str]
) -> None:
    """Not forbidden but missing: word for word as if it had never been."""
    foreign = ask(client, row, site, site.foreign)
    nowhere = ask(client, row, site)
    assert (foreign.status_code, nowhere.status_code) == (404, 404)
    if is_json(row[1]):
        assert foreign.json() == nowhere.json()


def test_own_2_reading_is_not_removing(site: Site, staff: httpx.Client) -> None:
    """Who may read a document hears that they may not remove it, and it stays."""
    path = f"/api/v1/documents/{site.vials}"
    assert staff.get(path).status_code == 200
    assert staff.delete(path).status_code == 403
    assert staff.post(f"/documents/{site.vials}/delete").status_code == 403
    assert staff.get(path).status_code == 200


def test_own_1_jobs_and_lists_are_those_of_the_own_departments(
    site: Site, client: httpx.Client
) -> None:
    """A job of another department is not there, and no list names it."""
    foreign = site.platform.jobs.recent("Catering")[0].job_id
    assert client.get(f"/api/v1/jobs/{foreign}").status_code == 404
    assert client.post(f"/documents/jobs/{foreign}/forget").status_code == 404
    names = {job["department"] for job in client.get("/api/v1/jobs?limit=1000").json()["jobs"]}
    assert names == {"Pharmacy"}
    for path in ("/api/v1/documents", "/documents", "/api/v1/departments", "/v1/models", "/"):
        assert "Catering" not in client.get(path).text, path
        assert "Menus" not in client.get(path).text, path


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/ask", {"question": "When do menus change?", "department": "Catering"}),
        ("/api/v1/search", {"query": "menus", "department": "Catering"}),
        (
            "/v1/chat/completions",
            {"model": "policies:Catering", "messages": [{"role": "user", "content": "menus"}]},
        ),
    ],
)
def test_llm_08_another_department_is_not_searched(
    client: httpx.Client, path: str, body: dict[str, object]
) -> None:
    """Its name in a request opens nothing: it is unknown to who has no right there."""
    answer = client.post(path, json=body)
    assert answer.status_code == 404
    assert "Menus" not in answer.text


def test_llm_08_every_search_of_the_assistant_is_for_an_own_department(
    site: Site, client: httpx.Client
) -> None:
    """The pages take the department from the caller, whatever the form says."""
    assert client.post("/ask", data={"question": "x", "department": "Catering"}).status_code == 404
    page = client.get("/search", params={"q": "menus", "department": "Catering"}).text
    assert "Allergens" not in page
    assert "Multi-dose vials" in page
    asker = site.assistant.askers[-1]
    assert asker.person == site.people["editor"]


def test_llm_08_no_form_of_a_name_leads_into_another_department(
    site: Site, client: httpx.Client
) -> None:
    """300 of them, in case, blanks, wildcards, quotes and other alphabets (seed 7)."""
    chance = Random(7)
    parts = ("Catering", "catering", "CATERING", "Pharmacy", " ", "%", "*", "'", '"', "\\", "/")
    parts += ("..", "\x00", ",", " OR 1=1", "\u0421atering", "\u200b", ":", "|", "null", "[]")
    for _ in range(300):
        name = "".join(chance.choices(parts, k=chance.randint(1, 3)))
        answer = client.post("/api/v1/search", json={"query": "menus", "department": name})
        if answer.status_code == 200:
            found = {one["department"] for one in answer.json()["passages"]}
            assert found <= {"Pharmacy"}, name
        else:
            assert answer.status_code == 404, name
            assert "Allergens" not in answer.text


def test_key_1_one_key_decides_alike_by_its_one_transport(
    site: Site, stranger: httpx.Client, key: str
) -> None:
    """In the header Authorization it is known; anywhere else it is refused or nothing."""
    path = "/api/v1/documents"
    good = {"Authorization": f"Bearer {key}"}
    assert stranger.get(path, headers=good).status_code == 200
    for name in ("X-Api-Key", "Api-Key", "X-Goog-Api-Key"):
        assert stranger.get(path, headers={name: key}).status_code == 401
        assert stranger.get(path, headers={name: key, **good}).status_code == 401
    assert stranger.get(path, params={"api_key": key}).status_code == 401
    assert stranger.get(path, headers={"Authorization": f"Basic {key}"}).status_code == 401
    assert stranger.get(path, headers={"Authorization": key}).status_code == 401
    twice = [("Authorization", f"Bearer {key}"), ("Authorization", f"Bearer {key}")]
    assert stranger.get(path, headers=twice).status_code == 401
    stranger.cookies.set(PLAIN_NAME, key)
    assert stranger.get(path).status_code == 401


def test_key_1_beside_a_key_the_cookie_is_ignored(site: Site, administrator: httpx.Client) -> None:
    """A key of the staff does not become stronger in an administrator's browser."""
    headers = {"Authorization": f"Bearer {site.key('staff')}"}
    made = administrator.post("/api/v1/departments", json={"name": "No"}, headers=headers)
    assert made.status_code == 403
    assert administrator.get("/account", headers=headers).status_code == 403


def test_the_owner_of_the_data_directory_needs_no_key(owner: httpx.Client) -> None:
    """On the socket, and only there; a key beside it is one way too many."""
    assert owner.get("/api/v1/departments").status_code == 200
    assert owner.get("/readyz").json()["parts"]
    shown = {"Authorization": "Bearer x"}
    assert owner.get("/api/v1/departments", headers=shown).status_code == 401


HEADERS: tuple[tuple[dict[str, str], bool], ...] = (
    ({"Sec-Fetch-Site": "cross-site"}, False),
    ({"Sec-Fetch-Site": "same-site"}, False),
    ({"Origin": "https://evil.example"}, False),
    ({"Origin": "null"}, False),
    ({"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"}, False),
    ({"Sec-Fetch-Site": "same-origin"}, True),
    ({}, True),
)


@pytest.mark.parametrize("row", UNSAFE, ids=named)
def test_csrf_1_seven_combinations_of_headers_on_every_unsafe_route(
    site: Site, row: tuple[str, str]
) -> None:
    """Another site is refused even with the token; our own without it is refused as well."""
    with site.client("editor") as client:
        token = client.headers.pop("X-CSRF-Token")
        path = address(row[1], site)
        for headers, is_ours in HEADERS:
            answer = client.request(
                row[0], path, headers={**headers, "X-CSRF-Token": token} if not is_ours else headers
            )
            if row[1] in NO_SESSION_YET and is_ours:
                assert answer.status_code != 403
            else:
                assert answer.status_code == 403, headers
            if is_ours and row[1] not in NO_SESSION_YET:
                assert "another session" in answer.text
        other = client.request(row[0], path, headers={"X-CSRF-Token": site.csrf("other")})
        assert other.status_code == 403 or row[1] in NO_SESSION_YET


@pytest.mark.parametrize("row", ROWS, ids=named)
@pytest.mark.parametrize("who", ["stranger", "administrator"])
def test_asvs_3_4_every_answer_carries_the_security_headers(
    site: Site, stranger: httpx.Client, who: str, row: tuple[str, str]
) -> None:
    """Refusals, redirects, pages, JSON and files alike; only what never changes may be kept."""
    if row == ("POST", "/sign-out"):
        who = "staff"
    headers = ask(stranger, row, site).headers
    if who != "stranger":
        with site.client(who) as client:
            headers = ask(client, row, site).headers
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Access-Control-Allow-Origin" not in headers
    if row[1] == "/static":
        assert "immutable" in headers["Cache-Control"]
    else:
        assert headers["Cache-Control"] == "no-store"


def test_hip_3_what_a_page_asks_by_itself_keeps_no_session(site: Site) -> None:
    """The progress of loading is polled; a computer that nobody uses is signed out all the same."""
    try:
        with newcomer(site) as client:
            for minutes in (5, 10, 14):
                site.clock.ahead = timedelta(minutes=minutes)
                assert client.get("/documents/progress").status_code == 200
                assert client.get("/account/alive").status_code == 204
            site.clock.ahead = timedelta(minutes=15, seconds=1)
            answer = client.get("/documents")
            assert answer.headers["Location"] == "/sign-in?next=%2Fdocuments&ended=1"
            assert answer.headers["Clear-Site-Data"] == '"cache"'
    finally:
        site.clock.ahead = timedelta(0)
