"""Headers on every route: where a key counts, whose form is believed, what an answer carries."""

import httpx
import pytest

from web.session_cookie import PLAIN_NAME
from web.testing import Site
from web.testing_rows import ROWS, address, ask, named

UNSAFE = tuple(row for row in ROWS if row[0] not in ("GET", "HEAD"))
# Where a form without token is right, because there is no session yet.
NO_SESSION_YET = ("/sign-in", "/welcome/{ticket}", "/set-password/{ticket}")


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
