"""Who is served: every route, asked by everybody who must not be served by it."""

from collections.abc import Callable, Iterator
from datetime import timedelta

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
from web.testing_rows import CLOSED, OIDC, ROWS, address, ask, is_json, named


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


def test_the_owner_of_the_data_directory_needs_no_key(owner: httpx.Client) -> None:
    """On the socket, and only there; a key beside it is one way too many."""
    assert owner.get("/api/v1/departments").status_code == 200
    assert owner.get("/readyz").json()["parts"]
    shown = {"Authorization": "Bearer x"}
    assert owner.get("/api/v1/departments", headers=shown).status_code == 401


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
